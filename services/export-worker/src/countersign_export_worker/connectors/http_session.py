"""One connection to an ERP's endpoint, and what it means that there is none.

Every exchange has a connection of its own: on one that is reused, a server that closes it just
then leaves open whether it read the request. No proxy, no cookie, no decompression.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp

from countersign_export_worker.connectors.http_addresses import (
    CheckedResolver,
    checked_sockets,
    refusal,
    was_refused,
)
from countersign_export_worker.connectors.http_settings import HttpSettings
from countersign_export_worker.errors import (
    DeliveryError,
    PermanentDeliveryError,
    TransientDeliveryError,
)

# The first that fits counts.
_FAILURES: tuple[tuple[type[Exception], type[DeliveryError], str, str], ...] = (
    (
        aiohttp.ClientConnectorCertificateError,
        PermanentDeliveryError,
        "TLS_FAILED",
        "{host} has no certificate that is trusted.",
    ),
    (
        aiohttp.ClientSSLError,
        TransientDeliveryError,
        "TLS_FAILED",
        "{host} does not speak TLS as it should.",
    ),
    (TimeoutError, TransientDeliveryError, "TIMEOUT", "{host} did not answer in time."),
    (aiohttp.InvalidURL, PermanentDeliveryError, "BAD_CONFIG", "The url cannot be used."),
)


@asynccontextmanager
async def open_session(
    settings: HttpSettings, *traces: aiohttp.TraceConfig
) -> AsyncIterator[aiohttp.ClientSession]:
    """A session for one exchange; connects to allowed addresses only."""
    connector = aiohttp.TCPConnector(
        resolver=CheckedResolver(allow_private=settings.allow_private),
        socket_factory=checked_sockets(allow_private=settings.allow_private),
        ssl=settings.tls if settings.tls is not None else True,
        force_close=True,
        use_dns_cache=False,
    )
    async with aiohttp.ClientSession(
        connector=connector,
        timeout=aiohttp.ClientTimeout(total=settings.timeout),
        trace_configs=list(traces),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
    ) as session:
        yield session


def failure_to_connect(error: Exception, host: str) -> DeliveryError:
    """Why there is no connection; nothing was sent, for certain."""
    if isinstance(error, DeliveryError):
        return error
    if refused := was_refused(error):
        return refusal(host, str(refused))
    for kind, failure, code, message in _FAILURES:
        if isinstance(error, kind):
            return failure(code, message.format(host=host))
    return TransientDeliveryError("UNREACHABLE", f"{host} cannot be reached.")
