"""Expecting an error, without a test runner."""

from collections.abc import Iterator
from contextlib import contextmanager

from countersign_export_worker.errors import DeliveryError


@contextmanager
def raises(expected: type[Exception]) -> Iterator[list[DeliveryError]]:
    """The block must raise `expected`; the list then has the error, if it is a DeliveryError."""
    caught: list[DeliveryError] = []
    try:
        yield caught
    except expected as error:
        if isinstance(error, DeliveryError):
            caught.append(error)
    else:
        raise AssertionError(f"{expected.__name__} was expected")
