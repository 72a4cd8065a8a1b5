r"""LINE_JSON_V1: an ERP that takes documents over a TCP connection, one line and then the bytes.

PUT <export id> <length>\n<document>   OK\n, or NO <reason>\n
ASK <export id>\n                      YES\n if it has that export, else NO\n
HELLO\n                                HELLO\n
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from countersign_export_worker.assignment import ConnectionAccess
from countersign_export_worker.errors import (
    DeliveryError,
    OutcomeUncertain,
    PermanentDeliveryError,
    TransientDeliveryError,
)
from countersign_export_worker.file_names import DropName
from countersign_export_worker.ports import AckFile, CheckReport, CheckStep, ConnectorType

_MARGIN_SECONDS = 5.0
_BROKEN = (OSError, EOFError, TimeoutError, asyncio.LimitOverrunError)
_Line = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class LineConnector:
    """DirectConnectorPort over the line protocol."""

    is_direct = True

    def __init__(self, host: str, port: int, seconds: float) -> None:
        """`seconds` to connect, and again for the answer."""
        self._host = host
        self._port = port
        self._seconds = seconds

    @property
    def patience_seconds(self) -> float:
        """See ConnectorPort."""
        return 2 * self._seconds + _MARGIN_SECONDS

    async def send(self, name: DropName, document: bytes) -> None:
        """See DirectConnectorPort. Once the first byte is out, only an answer tells."""
        async with self._open() as line:
            try:
                answer = await self._ask(line, f"PUT {name.export_id} {len(document)}", document)
            except _BROKEN as error:
                raise OutcomeUncertain("The ERP did not answer; it may have the order.") from error
        if answer.startswith("NO "):
            raise PermanentDeliveryError("REJECTED_BY_ERP", f"The ERP answered: {answer[:200]}")
        if answer != "OK":
            raise OutcomeUncertain("The ERP's answer makes no sense; it may have the order.")

    async def has_arrived(self, name: DropName, document: bytes) -> bool:
        """See DirectConnectorPort: this ERP can be asked."""
        del document
        return await self._question(f"ASK {name.export_id}") == "YES"

    async def test_connection(self) -> CheckReport:
        """See ConnectorPort."""
        begun = time.perf_counter()
        try:
            answer = await self._question("HELLO")
        except DeliveryError as error:
            step = CheckStep("hello", ok=False, detail=error.message, duration_ms=0)
            return CheckReport(ok=False, failure=error.code, message=error.message, steps=(step,))
        duration = (time.perf_counter() - begun) * 1000
        step = CheckStep("hello", ok=True, detail=answer, duration_ms=duration)
        return CheckReport(ok=True, steps=(step,))

    async def poll_acks(self) -> Sequence[AckFile]:
        """See ConnectorPort; the answer to PUT is all there is."""
        return ()

    async def file_ack(self, ack: AckFile, *, understood: bool) -> None:
        """See ConnectorPort."""

    async def aclose(self) -> None:
        """Nothing is kept."""

    async def _question(self, question: str) -> str:
        async with self._open() as line:
            try:
                return await self._ask(line, question)
            except _BROKEN as error:
                raise TransientDeliveryError("TIMEOUT", "The ERP did not answer.") from error

    async def _ask(self, line: _Line, question: str, document: bytes = b"") -> str:
        reader, writer = line
        async with asyncio.timeout(self._seconds):
            writer.write(f"{question}\n".encode() + document)
            await writer.drain()
            return (await reader.readuntil(b"\n")).decode("utf-8", "replace").strip()

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[_Line]:
        try:
            async with asyncio.timeout(self._seconds):
                reader, writer = await asyncio.open_connection(self._host, self._port)
        except (OSError, TimeoutError) as error:
            raise TransientDeliveryError("UNREACHABLE", "The ERP is not there.") from error
        try:
            yield reader, writer
        finally:
            writer.close()


def connector(access: ConnectionAccess) -> LineConnector:
    """The connector for one connection; push has checked its settings against the schema."""
    try:
        config = json.loads(access.config_json)
        seconds = float(config.get("timeout_seconds", 10))
        return LineConnector(config["host"], config["port"], seconds)
    except (ValueError, TypeError, LookupError) as error:
        raise PermanentDeliveryError("BAD_CONFIG", "The settings cannot be used.") from error


LINE_JSON_V1 = ConnectorType(
    open_connector=connector,
    config_schema={
        "type": "object",
        "required": ["host", "port"],
        "additionalProperties": False,
        "properties": {
            "host": {"type": "string", "minLength": 1, "maxLength": 253},
            "port": {"type": "integer", "minimum": 1, "maximum": 65535},
            "timeout_seconds": {"type": "number", "exclusiveMinimum": 0, "maximum": 60},
        },
    },
    secret_names=frozenset(),
    title="One document per order over a line protocol",
)
