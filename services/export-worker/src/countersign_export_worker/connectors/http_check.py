"""The connection test of an HTTP endpoint: everything but an order."""

import asyncio
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import aiohttp

from countersign_export_worker.connectors.http_addresses import CheckedResolver
from countersign_export_worker.connectors.http_session import failure_to_connect
from countersign_export_worker.connectors.http_settings import HttpSettings
from countersign_export_worker.errors import DeliveryError, PermanentDeliveryError
from countersign_export_worker.ports import CheckReport, CheckStep

# Who asked waits no longer than that for a test.
_LONGEST_SECONDS = 8.0
_UNAUTHORIZED = frozenset({401, 403})
_MISSING = frozenset({404, 410})
_SERVER_ERROR = 500
_NOT_IMPLEMENTED = 501


class HttpCheck:
    """One run of the steps: resolve, answer."""

    def __init__(
        self, settings: HttpSettings, session: aiohttp.ClientSession, headers: dict[str, str]
    ) -> None:
        self._settings = settings
        self._host = settings.url.host or ""
        self._session = session
        self._headers = headers
        self._steps: list[CheckStep] = []

    async def run(self) -> CheckReport:
        """Every step up to the first failure."""
        try:
            async with asyncio.timeout(_LONGEST_SECONDS):
                await self._resolve()
                return await self._ask()
        except (DeliveryError, aiohttp.ClientError, TimeoutError, OSError) as error:
            return self._failed(failure_to_connect(error, self._host))

    async def _resolve(self) -> None:
        begun = time.perf_counter()
        resolver = CheckedResolver(allow_private=self._settings.allow_private)
        found = await resolver.resolve(self._host)
        self._note("resolve", begun, ", ".join(sorted({each["host"] for each in found})))

    async def _ask(self) -> CheckReport:
        begun = time.perf_counter()
        asked = datetime.now(UTC)
        async with self._session.options(
            self._settings.url, headers=self._headers, allow_redirects=False
        ) as answer:
            status, date = answer.status, answer.headers.get("Date")
        if failure := _failure_of(status):
            return self._failed(failure)
        self._note("answer", begun, f"OPTIONS: {status}")
        return CheckReport(
            ok=True,
            steps=tuple(self._steps),
            capabilities={"tls": str(self._settings.tls is not None).lower()},
            clock_difference_ms=_difference_ms(date, asked),
        )

    def _note(self, name: str, begun: float, detail: str) -> None:
        duration = (time.perf_counter() - begun) * 1000
        self._steps.append(CheckStep(name, ok=True, detail=detail, duration_ms=duration))

    def _failed(self, error: DeliveryError) -> CheckReport:
        name = "answer" if self._steps else "resolve"
        failed = CheckStep(name, ok=False, detail=error.message, duration_ms=0)
        steps = (*self._steps, failed)
        return CheckReport(ok=False, failure=error.code, message=error.message, steps=steps)


def _failure_of(status: int) -> DeliveryError | None:
    """An endpoint may well refuse OPTIONS; but not us, and it must be there."""
    if status in _UNAUTHORIZED:
        return PermanentDeliveryError("AUTHENTICATION_FAILED", f"The ERP answered {status}.")
    if status in _MISSING:
        said = f"The ERP answered {status}: nothing is at this url."
        return PermanentDeliveryError("PATH_MISSING", said)
    if 300 <= status <= 399:  # noqa: PLR2004 — redirections
        said = f"The ERP answered {status}. Redirects are not followed."
        return PermanentDeliveryError("REDIRECTED", said)
    if status >= _SERVER_ERROR and status != _NOT_IMPLEMENTED:
        return PermanentDeliveryError("ERP_BUSY", f"The ERP answered {status}.")
    return None


def _difference_ms(date: str | None, asked: datetime) -> float:
    """The server's clock against ours; whole seconds, as the header has them."""
    try:
        theirs = parsedate_to_datetime(date or "")
    except (TypeError, ValueError):
        return 0.0
    if theirs.tzinfo is None:
        return 0.0
    return (theirs - asked.replace(microsecond=0)).total_seconds() * 1000
