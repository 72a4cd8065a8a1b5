"""`countersign audit checkpoints`, `keys` and `hold`, and what they leave for `verify-file`."""

import json
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from typer.testing import CliRunner

from countersign_audit.seal_check import SealCheck
from countersign_audit.seal_keys import PublicKeys, SealingKey
from countersign_audit.seals import NO_SEAL, Checkpoint, from_line, seal_hash, sign, to_line
from countersign_cli.app import app
from countersign_cli.commands import audit_seals

ORG = UUID("5c0ffee0-0000-4000-8000-000000000001")
KEY = SealingKey(Ed25519PrivateKey.generate())
KEYS = PublicKeys({}).with_key(KEY)
MOMENT = "2026-03-01T09:30:00.000005Z"


def _seals() -> list[dict[str, Any]]:
    previous, made = NO_SEAL, []
    for number in (1, 2, 3):
        fields = {"number": number, "seq": number, "count": number, "key_id": "", "signature": ""}
        hashes = {"previous": previous.hex(), "head_hash": f"{number:02x}" * 32}
        line = {"type": Checkpoint.FORM, "org_id": str(ORG), **fields, **hashes, "made_at": MOMENT}
        seal = sign(from_line(json.dumps(line)), KEY)
        made.append(json.loads(to_line(seal)))
        previous = seal_hash(seal)
    return made


class Gateway:
    """Two seals on the first page, one on the next; a hold that is what it was set to."""

    def __init__(self) -> None:
        self.hold: dict[str, Any] = {"held": False, "reason": None}
        self.changed: list[dict[str, Any]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/audit-log/keys":
            return httpx.Response(200, json=KEYS.to_jwks())
        if request.url.path == "/audit-log/legal-hold":
            if request.method == "PUT":
                self.hold = json.loads(request.content)
                self.changed.append(self.hold)
            who = {"changed_by": "ann", "changed_at": MOMENT if self.changed else None}
            return httpx.Response(200, json=self.hold | who)
        rest = "page_token" in request.url.params
        page = _SEALS[2:] if rest else _SEALS[:2]
        return httpx.Response(200, json={"seals": page, "next_page_token": None if rest else "t"})


_SEALS = _seals()


@pytest.fixture
def gateway(monkeypatch: pytest.MonkeyPatch) -> Gateway:
    made = Gateway()

    def client() -> httpx.AsyncClient:
        transport = httpx.MockTransport(made)
        return httpx.AsyncClient(base_url="http://gateway", transport=transport)

    monkeypatch.setattr(audit_seals, "open_client", client)
    return made


def _run(*arguments: str) -> str:
    done = CliRunner().invoke(app, ["audit", *arguments])
    assert done.exit_code == 0, done.output
    return done.output


def test_checkpoints_are_written_as_the_lines_that_verify(gateway: Gateway, tmp_path: Path) -> None:
    """Over all pages; with the keys they are all that an offline verifier needs of the service."""
    _run("checkpoints", "--out", str(tmp_path / "checkpoints.jsonl"))
    _run("keys", "--out", str(tmp_path / "keys.json"))
    keys = PublicKeys.from_jwks((tmp_path / "keys.json").read_bytes())
    lines = (tmp_path / "checkpoints.jsonl").read_text().splitlines()
    assert SealCheck(ORG, keys).take_all(map(from_line, lines)) is None
    assert [json.loads(line)["number"] for line in lines] == [1, 2, 3]


def test_checkpoints_are_shown_and_given_to_scripts(gateway: Gateway) -> None:
    assert json.loads(_run("checkpoints", "--json")) == _SEALS
    assert "checkpoint" in _run("checkpoints")


def test_a_hold_is_shown_set_and_lifted_with_a_reason(gateway: Gateway) -> None:
    assert "never held" in _run("hold", "show")
    assert "held" in _run("hold", "set", "--reason", "Case 7")
    assert json.loads(_run("hold", "lift", "--reason", "closed", "--json"))["held"] is False
    assert gateway.changed == [
        {"held": True, "reason": "Case 7"},
        {"held": False, "reason": "closed"},
    ]


@pytest.mark.parametrize("command", ["set", "lift"])
def test_a_hold_is_not_changed_without_a_reason(gateway: Gateway, command: str) -> None:
    assert CliRunner().invoke(app, ["audit", "hold", command]).exit_code == 2
    assert gateway.changed == []
