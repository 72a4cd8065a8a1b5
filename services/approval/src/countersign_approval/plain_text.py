"""Texts that PostgreSQL can store: any but those with a NUL character."""

from collections.abc import Iterator, Mapping

from countersign_core.errors import FieldError, InvalidRequest


def nul_errors(values: Mapping[str, object], prefix: str = "") -> Iterator[FieldError]:
    """A field error per text in `values`, by field name, that cannot be stored."""
    for name, value in values.items():
        if isinstance(value, str) and "\0" in value:
            yield FieldError(f"{prefix}{name}", "must not contain a NUL character")


def require_plain(**values: str) -> None:
    """Returns when every text can be stored.

    Raises:
        InvalidRequest: names every one that cannot.
    """
    errors = list(nul_errors(values))
    if errors:
        raise InvalidRequest(errors)
