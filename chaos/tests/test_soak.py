"""What counts as flat, and what does not."""

import pytest

from countersign_chaos.soak import Growth, halves

MIB = 2**20


def test_the_first_third_is_warm_up() -> None:
    assert halves([1, 1, 10, 10, 20, 20]) == (10, 20)


def test_a_handful_of_samples_is_enough_to_tell() -> None:
    assert halves([5]) == (5, 5)


@pytest.mark.parametrize(
    ("what", "earlier", "later", "flat"),
    [
        ("memory", 80 * MIB, 84 * MIB, True),
        ("memory", 80 * MIB, 96 * MIB, False),
        ("connections", 20, 23, True),
        ("connections", 20, 40, False),
    ],
)
def test_growth_beyond_a_little_is_not_flat(
    what: str, earlier: float, later: float, flat: bool
) -> None:
    assert Growth("push-1", what, earlier, later).is_flat is flat
