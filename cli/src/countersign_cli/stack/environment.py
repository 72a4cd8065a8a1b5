"""The settings that each of the five processes is started with."""

import os
from dataclasses import dataclass
from pathlib import Path

from countersign_cli.stack.layout import Layout
from countersign_cli.stack.ports import HOST, Ports
from countersign_platform.auth.minting import JWKS_FILE_NAME, KEY_FILE_NAME


@dataclass(frozen=True, slots=True)
class Backends:
    """What the stack runs on: one database URL per role; broker and Redis if there are any."""

    approval_url: str
    push_url: str
    audit_url: str
    broker_url: str | None = None
    redis_url: str | None = None
    # The built console, if there is one.
    console_folder: Path | None = None


MODULES = {
    "audit": "countersign_audit",
    "approval": "countersign_approval",
    "push": "countersign_push",
    "worker": "countersign_export_worker",
    "gateway": "countersign_gateway",
}


def process_environments(
    layout: Layout, ports: Ports, backends: Backends
) -> dict[str, dict[str, str]]:
    """Environment per process, in the order to start them."""
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith("COUNTERSIGN_")
    }
    common = inherited | {"COUNTERSIGN_JWKS": str(layout.keys / "jwks.json")}

    def at(service: int, probe: int) -> dict[str, str]:
        return common | {
            "COUNTERSIGN_LISTEN": f"{HOST}:{service}",
            "COUNTERSIGN_PROBE_LISTEN": f"{HOST}:{probe}",
        }

    relay = {
        "COUNTERSIGN_AUDIT_TARGET": f"{HOST}:{ports.audit}",
        "COUNTERSIGN_SERVICE_TOKEN_FILE": str(layout.keys / "relay.token"),
    }
    archive = {"COUNTERSIGN_ARCHIVE_URL": layout.archive.as_uri()}
    push_extra = archive | {"COUNTERSIGN_SECRET_KEYS_FILE": str(layout.keys / "secret_keys")}
    audit_extra = archive | {
        "COUNTERSIGN_AUDIT_SIGNING_KEY_FILE": str(layout.audit_keys / KEY_FILE_NAME),
        "COUNTERSIGN_AUDIT_KEYS": str(layout.audit_keys / JWKS_FILE_NAME),
    }
    broker = {"COUNTERSIGN_BROKER_URL": backends.broker_url} if backends.broker_url else {}
    console = _console(layout, backends.console_folder)
    redis = {"COUNTERSIGN_REDIS_URL": backends.redis_url} if backends.redis_url else {}
    return {
        "audit": at(ports.audit, ports.audit_probe)
        | audit_extra
        | {"COUNTERSIGN_DATABASE_URL": backends.audit_url},
        "approval": at(ports.approval, ports.approval_probe)
        | relay
        | {"COUNTERSIGN_DATABASE_URL": backends.approval_url},
        "push": at(ports.push, ports.push_probe)
        | relay
        | push_extra
        | broker
        | redis
        | {"COUNTERSIGN_DATABASE_URL": backends.push_url},
        "worker": common
        | broker
        | {
            "COUNTERSIGN_PROBE_LISTEN": f"{HOST}:{ports.worker_probe}",
            "COUNTERSIGN_PUSH_TARGET": f"{HOST}:{ports.push}",
            "COUNTERSIGN_SERVICE_TOKEN_FILE": str(layout.keys / "worker.token"),
        },
        "gateway": at(ports.gateway, ports.gateway_probe)
        | console
        | {
            "COUNTERSIGN_APPROVAL_TARGET": f"{HOST}:{ports.approval}",
            "COUNTERSIGN_PUSH_TARGET": f"{HOST}:{ports.push}",
            "COUNTERSIGN_AUDIT_TARGET": f"{HOST}:{ports.audit}",
        },
    }


def _console(layout: Layout, folder: Path | None) -> dict[str, str]:
    """With the console comes its sign-in: the stack's own key, for this machine alone."""
    if folder is None:
        return {}
    return {
        "COUNTERSIGN_CONSOLE_FOLDER": str(folder),
        "COUNTERSIGN_DEVELOPMENT_SIGNING_KEY": str(layout.keys / KEY_FILE_NAME),
    }
