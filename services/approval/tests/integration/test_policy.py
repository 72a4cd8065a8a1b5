"""The approval policy: off until an ADMIN says otherwise, each change on record."""

import asyncio

import pytest

from countersign_core.roles import Role

pytestmark = pytest.mark.integration


@pytest.fixture
def ada(olga):
    return olga.called("ada", Role.ADMIN)


async def test_the_policy_is_off_at_first(olga):
    assert await olga.get_policy() == ""


async def test_a_policy_is_set_changed_and_switched_off(ada, rows):
    for threshold in ("1000", "250.50", "0", ""):
        assert await ada.set_policy(threshold) == threshold
        assert await ada.get_policy() == threshold
    acts = await rows.acts("", "APPROVAL_POLICY_CHANGED")
    changes = [(act.before["four_eyes_above"], act.after["four_eyes_above"]) for act in acts]
    assert changes == [(None, "1000"), ("1000", "250.50"), ("250.50", "0"), ("0", None)]
    assert {act.actor for act in acts} == {"ada"}
    assert {(act.event.entity_type, act.event.entity_id) for act in acts} == {
        ("approval_policy", str(ada.org_id))
    }
    assert len({act.id for act in acts}) == 4


async def test_setting_what_is_set_is_no_change(ada, rows):
    for threshold in ("", "10", "10", "10.00"):
        await ada.set_policy(threshold)
    assert await ada.get_policy() == "10"
    assert len(await rows.acts()) == 1


async def test_policies_set_at_once_are_recorded_as_one_chain(ada, rows):
    """Each change names the one before it, so none was made blindly."""
    await asyncio.gather(*(ada.set_policy(str(number)) for number in range(1, 5)))
    acts = await rows.acts()
    chain = [(act.before["four_eyes_above"], act.after["four_eyes_above"]) for act in acts]
    follows = dict(chain)
    assert len(follows) == len(chain)
    threshold, steps = None, 0
    while threshold in follows:
        threshold, steps = follows[threshold], steps + 1
    assert steps == len(chain)
    assert await ada.get_policy() == threshold


async def test_each_org_has_its_own(ada):
    await ada.set_policy("10")
    assert await ada.elsewhere().get_policy() == ""


@pytest.mark.parametrize("threshold", ["-1", "1,5", "much", "1e3"])
async def test_a_threshold_is_a_plain_decimal(ada, refused, threshold):
    refusal = await refused(ada.set_policy(threshold))
    assert (refusal.reason, refusal.fields) == ("VALIDATION_FAILED", ["four_eyes_above"])
