"""A connector that cannot hang, crash or surprise its caller.

Whatever a connector does, a caller sees a result, TokenGone or a DeliveryError: a call that
takes too long is TIMEOUT, an exception nobody expected is INTERNAL (and in the log), a
connection that cannot even be opened fails at every call, one whose server is dead is left
alone for a while.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from typing import Any, TypeVar

import structlog

from countersign_export_worker.connectors.breaker import Breaker
from countersign_export_worker.errors import (
    DeliveryError,
    OutcomeUncertain,
    TokenGone,
    TransientDeliveryError,
)
from countersign_export_worker.file_names import DropName
from countersign_export_worker.ports import AckFile, AnyConnector, CheckReport, Whereabouts

_T = TypeVar("_T")
_log = structlog.get_logger()


class GuardedConnector:
    """DeliveryPort around a connector of either kind."""

    def __init__(
        self,
        using: Callable[[], AbstractContextManager[AnyConnector]],
        *,
        breaker: Breaker,
        seconds: float,
        insist: bool = False,
    ) -> None:
        """`using` opens the connector, or finds it open, and keeps it so for a block.

        `seconds` for each call, unless the connector asks for more patience.

        `insist` tries although the breaker is open.
        """
        self._using = using
        self._breaker = breaker
        self._seconds = seconds
        self._insist = insist

    @property
    def is_direct(self) -> bool:
        """See ConnectorPort; of one that cannot be opened it does not matter."""
        try:
            with self._using() as connector:
                return connector.is_direct
        except Exception:  # noqa: BLE001 — the first call says what is wrong
            return False

    @property
    def patience_seconds(self) -> float:
        """See ConnectorPort."""
        return self._seconds

    async def send(self, name: DropName, document: bytes) -> None:
        """See DirectConnectorPort; a call that was cut short may have been carried out."""
        try:
            await self._guard(lambda connector: connector.send(name, document))
        except _CutShort as error:
            raise OutcomeUncertain(f"It was not seen to its end: {error.message}") from error

    async def has_arrived(self, name: DropName, document: bytes) -> bool:
        """See DirectConnectorPort."""
        return await self._guard(
            lambda connector: connector.has_arrived(name, document), is_proof=False
        )

    async def stage(self, name: DropName, document: bytes) -> DropName:
        """See ErpConnectorPort."""
        return await self._guard(lambda connector: connector.stage(name, document))

    async def publish(self, staged: DropName) -> None:
        """See ErpConnectorPort."""
        await self._guard(lambda connector: connector.publish(staged))

    async def withdraw(self, staged: DropName) -> None:
        """See ErpConnectorPort."""
        await self._guard(lambda connector: connector.withdraw(staged))

    async def trace(self, staged: DropName) -> Whereabouts:
        """See ErpConnectorPort."""
        return await self._guard(lambda connector: connector.trace(staged))

    async def discard(self, name: DropName) -> None:
        """See ErpConnectorPort."""
        if not self.is_direct:
            await self._guard(lambda connector: connector.discard(name))

    async def list_leftovers(self) -> Sequence[DropName]:
        """See ErpConnectorPort; a direct connector leaves nothing behind."""
        if self.is_direct:
            return ()
        return await self._guard(lambda connector: connector.list_leftovers())

    async def test_connection(self) -> CheckReport:
        """See ErpConnectorPort; a call that fails is a test that failed."""
        try:
            return await self._guard(lambda connector: connector.test_connection())
        except DeliveryError as error:
            return CheckReport(ok=False, failure=error.code, message=error.message)

    async def poll_acks(self) -> Sequence[AckFile]:
        """See ErpConnectorPort."""
        return await self._guard(
            lambda connector: connector.poll_acks(), is_proof=not self.is_direct
        )

    async def file_ack(self, ack: AckFile, *, understood: bool) -> None:
        """See ErpConnectorPort."""
        await self._guard(lambda connector: connector.file_ack(ack, understood=understood))

    async def aclose(self) -> None:
        """The connector belongs to the registry, which closes it."""

    async def _guard(self, act: Callable[[Any], Awaitable[_T]], *, is_proof: bool = True) -> _T:
        # Of a direct connector, only its one step proves that the server answers: what else it
        # does may well ask nobody.
        if self._breaker.is_open and not self._insist:
            raise TransientDeliveryError(
                "CONNECTION_PAUSED", "The server did not answer lately; it is left alone a while."
            )
        try:
            result = await self._translated(act)
        except DeliveryError as error:
            self._breaker.record(error.code, error.message)
            raise
        if is_proof:
            self._breaker.record("")
        return result

    async def _translated(self, act: Callable[[Any], Awaitable[_T]]) -> _T:
        with ExitStack() as use:
            connector = self._opened(use)
            seconds = max(self._seconds, connector.patience_seconds)
            scope = asyncio.timeout(seconds)
            try:
                async with scope:
                    return await act(connector)
            except (DeliveryError, TokenGone):
                raise
            except TimeoutError as error:
                if not scope.expired():
                    raise _internal() from error
                raise _CutShort("TIMEOUT", f"There was no answer within {seconds:g} s.") from error
            except Exception as error:
                _log.exception("connector_failed")
                raise _internal() from error

    def _opened(self, use: ExitStack) -> AnyConnector:
        try:
            return use.enter_context(self._using())
        except DeliveryError:
            raise
        except Exception as error:
            _log.exception("connector_failed")
            raise TransientDeliveryError("INTERNAL", "The connector cannot be opened.") from error


class _CutShort(TransientDeliveryError):
    """A call that was given up, or that broke: nobody knows how far it came."""


def _internal() -> TransientDeliveryError:
    return _CutShort(
        "INTERNAL", "The connector failed in a way that it should not; the log says how."
    )
