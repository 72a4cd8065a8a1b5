"""HTTP_JSON_V1: one signed POST per order to the ERP's endpoint.

A POST cannot be taken back, so what is not a clear yes or no leaves the export held.
"""

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import aiohttp
from aiohttp import hdrs

from countersign_core.connector_schemas import connector_schema
from countersign_export_worker.assignment import ConnectionAccess
from countersign_export_worker.connectors.http_answers import Answer, failure_of
from countersign_export_worker.connectors.http_check import HttpCheck
from countersign_export_worker.connectors.http_session import failure_to_connect, open_session
from countersign_export_worker.connectors.http_settings import HttpSettings, http_settings
from countersign_export_worker.connectors.http_signature import SIGNATURE_HEADER, signature
from countersign_export_worker.delivery_context import current_request_id, current_traceparent
from countersign_export_worker.errors import DeliveryError, OutcomeUncertain
from countersign_export_worker.file_names import DropName
from countersign_export_worker.ports import AckFile, CheckReport, ConnectorType

_USER_AGENT = "countersign-export-worker"
# What a test is signed and sent under, in place of an export's id.
_TEST_KEY = "test"
# Of an answer that is not a yes, for the operator.
_MOST_OF_AN_ANSWER = 4096
_MARGIN_SECONDS = 5.0


class HttpJsonConnector:
    """DirectConnectorPort over HTTP."""

    is_direct = True

    def __init__(self, settings: HttpSettings) -> None:
        self._settings = settings

    @property
    def patience_seconds(self) -> float:
        """See ConnectorPort: the exchange ends by itself before."""
        return self._settings.timeout + _MARGIN_SECONDS

    async def send(self, name: DropName, document: bytes) -> None:
        """See DirectConnectorPort."""
        sent = _Sent()
        try:
            async with open_session(self._settings, sent.trace()) as session:
                failure = await self._post(session, name, document)
        except (DeliveryError, aiohttp.ClientError, TimeoutError, OSError) as error:
            raise self._unanswered(error, sent) from error
        if failure is not None:
            raise failure

    async def has_arrived(self, name: DropName, document: bytes) -> bool:
        """See DirectConnectorPort; HTTP has no way to ask."""
        del name, document
        return False

    async def test_connection(self) -> CheckReport:
        """See ConnectorPort: look up, connect, and a signed OPTIONS that changes nothing."""
        async with open_session(self._settings) as session:
            return await HttpCheck(self._settings, session, self._headers(_TEST_KEY, b"")).run()

    async def poll_acks(self) -> Sequence[AckFile]:
        """See ConnectorPort; the answer to the POST is all there is."""
        return ()

    async def file_ack(self, ack: AckFile, *, understood: bool) -> None:
        """See ConnectorPort."""

    async def aclose(self) -> None:
        """Nothing is kept."""

    async def _post(
        self, session: aiohttp.ClientSession, name: DropName, document: bytes
    ) -> DeliveryError | None:
        settings = self._settings
        headers = self._headers(str(name.export_id), document)
        headers[hdrs.CONTENT_TYPE] = "application/json"
        headers["X-Countersign-File-Name"] = name.final
        async with session.post(
            settings.url, data=BytesIO(document), headers=headers, allow_redirects=False
        ) as reply:
            if reply.status in settings.accepted:
                return None
            answer = Answer(
                reply.status, await _beginning(reply), reply.headers.get(hdrs.RETRY_AFTER, "")
            )
        return failure_of(answer, settings.accepted, settings.all_secrets, datetime.now(UTC))

    def _headers(self, key: str, document: bytes) -> dict[str, str]:
        settings = self._settings
        headers = {
            **settings.headers,
            "Idempotency-Key": key,
            SIGNATURE_HEADER: signature(settings.secrets, int(time.time()), key, document),
            hdrs.USER_AGENT: _USER_AGENT,
            hdrs.ACCEPT_ENCODING: "identity",
        }
        if settings.bearer_token:
            headers[hdrs.AUTHORIZATION] = f"Bearer {settings.bearer_token}"
        if request_id := current_request_id():
            headers["X-Request-Id"] = request_id
        if traceparent := current_traceparent():
            headers["traceparent"] = traceparent
        return headers

    def _unanswered(self, error: Exception, sent: "_Sent") -> DeliveryError:
        host = self._settings.url.host or ""
        if not sent.possibly:
            return failure_to_connect(error, host)
        return OutcomeUncertain(
            f"{host} did not answer to the end ({type(error).__name__}); it may have the order."
        )


class _Sent:
    """Whether a request can have reached the server: from its connection on."""

    def __init__(self) -> None:
        self.possibly = False

    def trace(self) -> aiohttp.TraceConfig:
        config = aiohttp.TraceConfig()
        config.on_connection_create_end.append(self._connected)
        return config

    async def _connected(self, *_: Any) -> None:
        self.possibly = True


async def _beginning(reply: aiohttp.ClientResponse) -> str:
    try:
        data = await reply.content.read(_MOST_OF_AN_ANSWER)
    except (aiohttp.ClientError, TimeoutError, OSError):
        return ""
    return data.decode("utf-8", errors="replace")


def connector(access: ConnectionAccess) -> HttpJsonConnector:
    """The connector for one connection.

    Raises:
        PermanentDeliveryError: BAD_CONFIG.
    """
    return HttpJsonConnector(http_settings(access))


HTTP_JSON_V1 = ConnectorType(
    open_connector=connector,
    config_schema=connector_schema("HTTP_JSON_V1"),
    secret_names=frozenset({"hmac_secret", "hmac_secret_previous", "bearer_token"}),
    title="One signed POST per order to an HTTP endpoint",
)
