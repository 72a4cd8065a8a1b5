"""What a connection's settings say to the HTTP connector."""

import json
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from yarl import URL

from countersign_core.connector_schemas import OWN_HEADER_PREFIX, RESERVED_HEADERS
from countersign_export_worker.assignment import ConnectionAccess
from countersign_export_worker.connectors.dropzone_options import bad_config

_ACCEPTED = (200, 201, 202, 204)
_MOST_SECONDS = 300.0
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_HEADER_VALUE = re.compile(r"[ -~]{0,2000}")
_TOKEN = re.compile(r"[!-~]{1,8000}")


@dataclass(frozen=True, slots=True)
class HttpSettings:
    """`secrets` sign, the current one first; `tls` is None for http."""

    url: URL
    secrets: tuple[str, ...] = field(repr=False)
    bearer_token: str = field(default="", repr=False)
    tls: ssl.SSLContext | None = None
    timeout: float = 30.0
    headers: Mapping[str, str] = field(default_factory=dict)
    allow_private: bool = False
    accepted: frozenset[int] = frozenset(_ACCEPTED)

    @property
    def all_secrets(self) -> tuple[str, ...]:
        """What must never be shown."""
        return (*self.secrets, *filter(None, [self.bearer_token]))


def http_settings(access: ConnectionAccess) -> HttpSettings:
    """From a connection's settings and secrets.

    Raises:
        PermanentDeliveryError: BAD_CONFIG; push checks the same before it saves.
    """
    config = _object(access.config_json)
    insecure = _flag(config, "allow_insecure")
    url = _url(config, insecure=insecure)
    return HttpSettings(
        url=url,
        secrets=_secrets(access.secrets),
        bearer_token=_bearer_token(access.secrets),
        tls=_tls(config) if url.scheme == "https" else None,
        timeout=_timeout(config),
        headers=_headers(config),
        allow_private=_flag(config, "allow_private_addresses"),
        accepted=_accepted(config),
    )


def _object(text: str) -> Mapping[str, Any]:
    try:
        config = json.loads(text)
    except ValueError as error:
        raise bad_config("the settings are not JSON") from error
    if not isinstance(config, dict):
        raise bad_config("the settings are not a JSON object")
    return config


def _url(config: Mapping[str, Any], *, insecure: bool) -> URL:
    text = config.get("url")
    try:
        url = URL(text) if isinstance(text, str) else URL()
        port = url.port
    except ValueError as error:
        raise bad_config("url is malformed") from error
    if not url.host or "@" in url.raw_authority or url.raw_fragment or not port:
        raise bad_config("url must name a host, and neither a user nor a fragment")
    if url.scheme != "https" and not (insecure and url.scheme == "http"):
        raise bad_config("url must begin with https://, unless allow_insecure is set")
    return url


def _secrets(secrets: Mapping[str, str]) -> tuple[str, ...]:
    if not secrets.get("hmac_secret"):
        raise bad_config("the secret hmac_secret is needed")
    names = ("hmac_secret", "hmac_secret_previous")
    return tuple(secrets[name] for name in names if secrets.get(name))


def _bearer_token(secrets: Mapping[str, str]) -> str:
    token = secrets.get("bearer_token", "")
    if token and not _TOKEN.fullmatch(token):
        raise bad_config("the secret bearer_token must be visible ASCII without spaces")
    return token


def _tls(config: Mapping[str, Any]) -> ssl.SSLContext:
    authority = config.get("tls_ca")
    try:
        return ssl.create_default_context(cadata=authority)
    except (ssl.SSLError, ValueError, TypeError) as error:
        raise bad_config("tls_ca holds no usable certificate") from error


def _timeout(config: Mapping[str, Any]) -> float:
    value = config.get("timeout_seconds", 30)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not 0 < value <= _MOST_SECONDS:
        raise bad_config("timeout_seconds must be a number of seconds")
    return float(value)


def _headers(config: Mapping[str, Any]) -> Mapping[str, str]:
    headers = config.get("headers", {})
    if not isinstance(headers, dict):
        raise bad_config("headers must be an object")
    for name, value in headers.items():
        if name.lower() in RESERVED_HEADERS or name.lower().startswith(OWN_HEADER_PREFIX):
            raise bad_config(f"the header {name} is set by the connector itself")
        if not _HEADER_NAME.fullmatch(name) or not isinstance(value, str):
            raise bad_config("a header is malformed")
        if not _HEADER_VALUE.fullmatch(value):
            raise bad_config(f"the header {name} is malformed")
    return headers


def _accepted(config: Mapping[str, Any]) -> frozenset[int]:
    statuses = config.get("accepted_statuses", list(_ACCEPTED))
    if not isinstance(statuses, list) or not statuses:
        raise bad_config("accepted_statuses must be a list")
    if not all(isinstance(each, int) and 200 <= each <= 299 for each in statuses):  # noqa: PLR2004
        raise bad_config("accepted_statuses must be from 200 to 299")
    return frozenset(statuses)


def _flag(config: Mapping[str, Any], key: str) -> bool:
    value = config.get(key, False)
    if not isinstance(value, bool):
        raise bad_config(f"{key} must be true or false")
    return value
