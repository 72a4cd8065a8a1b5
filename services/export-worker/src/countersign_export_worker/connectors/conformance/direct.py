"""Checks for connectors that deliver in one step, which nobody can take back."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol
from uuid import UUID

from countersign_export_worker.connectors.conformance.expecting import raises
from countersign_export_worker.errors import (
    DeliveryError,
    OutcomeUncertain,
    TransientDeliveryError,
)
from countersign_export_worker.file_names import DropName
from countersign_export_worker.ports import DirectConnectorPort

_EXPORT = UUID("0192f0c1-0000-7000-8000-000000000001")
_NAME = DropName("sales_order_0192f0c1_20260101T000000Z_0192f0c1.json", _EXPORT, 1, "direct")
_DOCUMENT = b'{"lines": ["\xc3\xa4"]}' * 1000
_CODE = re.compile(r"[A-Z][A-Z0-9_]{2,63}")
_PATIENCE_SECONDS = 60.0


class DirectHarness(Protocol):
    """An ERP under test, which takes what comes unless it is told otherwise."""

    connector: DirectConnectorPort

    def received(self) -> Sequence[bytes]:
        """Every document that reached the ERP, also those that it refused or did not answer."""

    def refuse(self) -> None:
        """From now on, have it answer clearly that it does not take a document."""

    def swallow(self) -> None:
        """From now on, have it take a document in and never answer."""

    def away(self) -> AbstractAsyncContextManager[None]:
        """While it is entered, nothing answers at the ERP's address."""


DirectCheck = Callable[[DirectHarness], Awaitable[None]]


async def it_says_that_it_is_direct(erp: DirectHarness) -> None:
    """By this the worker knows that there is nothing to stage, rename or take back."""
    assert erp.connector.is_direct is True
    assert erp.connector.patience_seconds >= 0


async def send_hands_every_byte_over_once(erp: DirectHarness) -> None:
    """Returning means that the ERP has it: whole, unchanged, one time."""
    await erp.connector.send(_NAME, _DOCUMENT)
    assert list(erp.received()) == [_DOCUMENT]


async def sends_at_once_do_not_mix(erp: DirectHarness) -> None:
    """A worker delivers several exports of one connection at the same time."""
    documents = [_DOCUMENT + str(number).encode() for number in range(4)]
    names = [DropName(_NAME.final, UUID(int=_EXPORT.int + n), 1, "direct") for n in range(4)]
    sends = (erp.connector.send(*each) for each in zip(names, documents, strict=True))
    await asyncio.gather(*sends)
    assert sorted(erp.received()) == documents


async def a_clear_refusal_is_a_failure(erp: DirectHarness) -> None:
    """What the ERP certainly does not have is not left open: an operator may push again."""
    erp.refuse()
    error = await _failure(erp.connector.send(_NAME, _DOCUMENT))
    assert not isinstance(error, OutcomeUncertain), error
    assert len(erp.received()) <= 1


async def no_answer_leaves_the_outcome_open(erp: DirectHarness) -> None:
    """The ERP may have the document: it is sent once, and no failure is claimed."""
    erp.swallow()
    async with asyncio.timeout(_PATIENCE_SECONDS):
        with raises(OutcomeUncertain):
            await erp.connector.send(_NAME, _DOCUMENT)
    assert list(erp.received()) == [_DOCUMENT]


async def nobody_there_is_worth_another_try(erp: DirectHarness) -> None:
    """Where nothing was sent, nothing is held, and the same again may work."""
    async with erp.away():
        with raises(TransientDeliveryError) as caught:
            await erp.connector.send(_NAME, _DOCUMENT)
    _is_told(caught[0])
    assert list(erp.received()) == []
    await erp.connector.send(_NAME, _DOCUMENT)
    assert list(erp.received()) == [_DOCUMENT]


async def what_was_never_sent_has_not_arrived(erp: DirectHarness) -> None:
    """has_arrived says yes only to what the ERP certainly has, and sends nothing."""
    assert await erp.connector.has_arrived(_NAME, _DOCUMENT) is False
    assert list(erp.received()) == []


async def connection_test_passes_and_orders_nothing(erp: DirectHarness) -> None:
    """The test does all but deliver."""
    report = await erp.connector.test_connection()
    assert report.ok, report
    assert report.failure == report.message == ""
    assert report.steps
    assert all(step.ok and step.duration_ms >= 0 for step in report.steps)
    assert list(erp.received()) == []


async def connection_test_says_what_is_wrong(erp: DirectHarness) -> None:
    """It does not raise: it reports a code, a sentence, and the step that failed."""
    async with erp.away():
        report = await erp.connector.test_connection()
    assert not report.ok
    assert _CODE.fullmatch(report.failure), report.failure
    assert report.message
    assert [step.ok for step in report.steps][-1:] == [False]


async def answers_are_a_list(erp: DirectHarness) -> None:
    """Where the ERP has no place for answers, the list is empty."""
    assert list(await erp.connector.poll_acks()) == []


async def closing_can_be_repeated(erp: DirectHarness) -> None:
    """A worker closes what it opened, whatever was done with it."""
    await erp.connector.send(_NAME, _DOCUMENT)
    await erp.connector.aclose()
    await erp.connector.aclose()


DIRECT_CHECKS: tuple[DirectCheck, ...] = (
    it_says_that_it_is_direct,
    send_hands_every_byte_over_once,
    sends_at_once_do_not_mix,
    a_clear_refusal_is_a_failure,
    no_answer_leaves_the_outcome_open,
    nobody_there_is_worth_another_try,
    what_was_never_sent_has_not_arrived,
    connection_test_passes_and_orders_nothing,
    connection_test_says_what_is_wrong,
    answers_are_a_list,
    closing_can_be_repeated,
)


async def _failure(call: Awaitable[None]) -> DeliveryError:
    with raises(DeliveryError) as caught:
        await call
    _is_told(caught[0])
    return caught[0]


def _is_told(error: DeliveryError) -> None:
    """An operator can read it, and a machine can sort it."""
    assert _CODE.fullmatch(error.code), error.code
    assert error.message
