"""Names tell whose file it is, and nothing else passes for one."""

from uuid import UUID

import pytest

from countersign_export_worker.file_names import DropName, parse_drop_name, temporary_name

EXPORT = UUID("0192f0c1-0000-7000-8000-0000000000e1")
FINAL = "sales_order_0192f0c1_20260102T030406Z_0192f0c1.json"


@pytest.mark.parametrize("fence", [1, 2, 10, 2**62])
@pytest.mark.parametrize("place", ["0", "2a", "ffffffffffffffff"])
@pytest.mark.parametrize("withdrawn", [False, True])
def test_name_survives_the_way_to_the_disk_and_back(
    fence: int, place: str, withdrawn: bool
) -> None:
    """Taken apart again, a name has the parts it was made of."""
    name = DropName(FINAL, EXPORT, fence, place, withdrawn)
    assert parse_drop_name(str(name)) == name


def test_temporary_and_withdrawn_names_are_hidden_and_differ() -> None:
    """No ERP picks up a name with a leading dot."""
    name = temporary_name(FINAL, EXPORT, 7).at("2a")
    assert str(name) == f".{FINAL}.{EXPORT}.7.2a.tmp"
    assert str(name.taken_back()) == f".{FINAL}.{EXPORT}.7.2a.withdrawn"


@pytest.mark.parametrize(
    "final",
    [
        "",
        ".hidden.json",
        "../up.json",
        "a/b.json",
        "a\\b.json",
        "a\0.json",
        "a b.json",
        "ä.json",
        "x" * 151,
    ],
)
def test_what_is_not_a_plain_file_name_is_refused(final: str) -> None:
    """A name never becomes a path."""
    with pytest.raises(ValueError, match="file name"):
        temporary_name(final, EXPORT, 1)


def test_longest_name_fits_every_file_system() -> None:
    """255 bytes hold the name of the longest final name, fence and place."""
    name = temporary_name("x" * 150, EXPORT, 2**63 - 1)
    assert len(str(name.taken_back())) <= 255


@pytest.mark.parametrize(
    "name",
    [
        "",
        FINAL,
        f".{FINAL}.tmp",
        f".{FINAL}.{EXPORT}.0.2a.tmp",
        f".{FINAL}.{EXPORT}.01.2a.tmp",
        f".{FINAL}.{EXPORT}.-1.2a.tmp",
        f".{FINAL}.{EXPORT}.1.2A.tmp",
        f".{FINAL}.{EXPORT}.1.2a.tmp\n",
        f".{FINAL}.{EXPORT}.1.2a.tmp.renamed",
        f".../{FINAL}.{EXPORT}.1.2a.tmp",
        f"{FINAL}.{EXPORT}.1.2a.tmp",
        ".countersign-test.0192f0c1-0000-7000-8000-0000000000e1.tmp",
    ],
)
def test_strangers_files_are_not_ours(name: str) -> None:
    """The sweeper never hears of a file that is not exactly named by us."""
    assert parse_drop_name(name) is None
