"""Content that could not be delivered is refused before it is stored."""

import pytest

from countersign_approval.draft_content import MAX_CONTENT_BYTES, canonical_content
from countersign_core.errors import InvalidRequest


def content_of(size: int) -> dict[str, str]:
    """A value whose canonical JSON has `size` bytes."""
    return {"t": "x" * (size - len('{"t":""}'))}


def test_content_at_the_limit_is_taken() -> None:
    assert len(canonical_content(content_of(MAX_CONTENT_BYTES)).text) == MAX_CONTENT_BYTES


def test_content_one_byte_beyond_the_limit_is_refused_with_its_size() -> None:
    with pytest.raises(InvalidRequest) as caught:
        canonical_content(content_of(MAX_CONTENT_BYTES + 1))
    [error] = caught.value.field_errors
    assert error.field == "content"
    assert str(MAX_CONTENT_BYTES + 1) in error.description
