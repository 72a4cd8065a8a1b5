"""Whatever may be made twice comes out the same, and never the same for two things."""

from datetime import UTC, datetime, timedelta, timezone
from uuid import RFC_4122, UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from countersign_core.ids import (
    dedup_key,
    derived_id,
    draft_event_id,
    export_event_id,
    export_file_name,
)

ORG = UUID("6f1f8f0e-63f4-4c92-8a52-4d9f8a6f9f11")
DRAFT = UUID("0d9a7a2c-70a3-45bb-9b0f-6d2f5a7c1e01")
EXPORT = UUID("9b2e6c10-2f3e-4a51-8a3d-0c5a4b7d2e02")
PUSHED = datetime(2026, 3, 4, 5, 6, 7, 890000, tzinfo=UTC)


def test_ids_are_the_same_in_every_process_and_release():
    """Written down: an id that changed with a release would deliver or record twice."""
    assert str(derived_id("a", 1)) == "976941f2-58cb-839b-959e-704b62047ff2"


def test_a_derived_id_says_that_it_is_custom_made():
    """Version 8, RFC variant: no library mistakes it for a time-based or random one."""
    made = derived_id("x")
    assert (made.version, made.variant) == (8, RFC_4122)


@given(st.uuids(), st.uuids(), st.integers(min_value=1), st.sampled_from(["A_B", "C_D"]))
def test_an_event_id_depends_on_all_of_its_parts(org, draft, version, action):
    first = draft_event_id(org, draft, version, action)
    assert first == draft_event_id(org, draft, version, action)
    others = {
        draft_event_id(draft, org, version, action) if org != draft else None,
        draft_event_id(org, draft, version + 1, action),
        draft_event_id(org, draft, version, action + "X"),
        export_event_id(org, draft, action),
    }
    assert first not in others


def test_the_file_name_holds_draft_time_and_export():
    assert export_file_name(DRAFT, EXPORT, PUSHED) == (
        f"sales_order_{DRAFT}_20260304T050607Z_9b2e6c10.json"
    )


def test_the_file_name_does_not_depend_on_the_time_zone_of_whoever_asks():
    elsewhere = PUSHED.astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert export_file_name(DRAFT, EXPORT, elsewhere) == export_file_name(DRAFT, EXPORT, PUSHED)


def test_a_retry_has_another_file_but_the_same_key_for_the_erp():
    other = UUID("1c2e6c10-2f3e-4a51-8a3d-0c5a4b7d2e03")
    assert export_file_name(DRAFT, EXPORT, PUSHED) != export_file_name(DRAFT, other, PUSHED)
    assert dedup_key(ORG, DRAFT) == dedup_key(ORG, DRAFT)
    assert dedup_key(ORG, DRAFT) != dedup_key(DRAFT, ORG)


@pytest.mark.parametrize("hours", [0, 1, 23])
def test_file_names_sort_by_time_within_a_draft(hours):
    later = PUSHED + timedelta(hours=hours, seconds=1)
    assert export_file_name(DRAFT, EXPORT, PUSHED) < export_file_name(DRAFT, EXPORT, later)
