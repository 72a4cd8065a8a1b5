"""Settings of the gateway; each from COUNTERSIGN_<NAME> or COUNTERSIGN_<NAME>_FILE."""

from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationInfo, field_validator
from pydantic_settings import NoDecode

from countersign_platform.settings import Address, ServiceSettings

Network = IPv4Network | IPv6Network


class GatewaySettings(ServiceSettings):
    """Everything that can differ from one installation to another."""

    listen: Address = "127.0.0.1:8080"
    probe_listen: Address = "127.0.0.1:9105"
    # Where the services answer, host:port.
    approval_target: Address = "127.0.0.1:50051"
    push_target: Address = "127.0.0.1:50052"
    audit_target: Address = "127.0.0.1:50053"
    # Proxies whose X-Forwarded-For is believed: networks in CIDR form, comma-separated.
    trusted_proxies: Annotated[tuple[Network, ...], NoDecode] = ()
    # Largest body of a draft order, in bytes; every other body may have 1 MiB.
    max_draft_bytes: int = Field(default=32 << 20, ge=1 << 10, le=256 << 20)
    # Folder of the built console, served under /console; unset means that none is served.
    console_folder: Path | None = None
    # OpenID Connect for the console: the provider's issuer URL, and the public client there.
    console_oidc_authority: Annotated[str, Field(pattern=r"^https?://[!-~]+$")] | None = None
    console_oidc_client_id: str = Field(default="countersign-console", min_length=1)
    console_oidc_scope: str = "openid profile"
    # Development only: a private key (PEM) that the console's sign-in signs tokens with, for
    # whoever asks and in every role. Refused unless `listen` is a loopback address.
    development_signing_key: Path | None = None

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _networks(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return tuple(ip_network(part.strip()) for part in value.split(",") if part.strip())

    @field_validator("console_folder")
    @classmethod
    def _is_built(cls, value: Path | None) -> Path | None:
        if value is not None and not (value / "index.html").is_file():
            raise ValueError(f"there is no index.html in {value}")
        return value

    @field_validator("development_signing_key")
    @classmethod
    def _is_for_this_machine_alone(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        if value is None:
            return None
        if not _is_loopback(str(info.data.get("listen", ""))):
            raise ValueError("is for development: COUNTERSIGN_LISTEN must be a loopback address")
        if info.data.get("console_oidc_authority") is not None:
            raise ValueError("is set beside COUNTERSIGN_CONSOLE_OIDC_AUTHORITY; set one of them")
        if not value.is_file():
            raise ValueError(f"there is no file {value}")
        return value


def _is_loopback(listen: str) -> bool:
    host = listen.rpartition(":")[0].strip("[]")
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
