"""`countersign audit verify-file`: what scripts go by, with files and nothing else."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from typer.testing import CliRunner

from countersign_audit.chain import GENESIS_HASH, link_hash, timestamp_text
from countersign_audit.event import Event
from countersign_audit.seal_keys import PublicKeys, SealingKey
from countersign_audit.seals import NO_SEAL, Checkpoint, sign, to_line
from countersign_cli.app import app

ORG = UUID(int=5)
NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An export of three events, its checkpoint and the key, in the current folder."""
    monkeypatch.chdir(tmp_path)
    for name in ("COUNTERSIGN_URL", "COUNTERSIGN_TOKEN", "COUNTERSIGN_HOME"):
        monkeypatch.delenv(name, raising=False)
    lines, before = [], GENESIS_HASH
    for seq in (1, 2, 3):
        event = Event(ORG, UUID(int=seq), NOW, "olga", "DRAFT_EDITED", "draft_order", "d-1")
        found = link_hash(before, event, seq)
        texts = {"org_id": str(ORG), "event_id": str(event.event_id)}
        texts |= {"occurred_at": timestamp_text(NOW), "prev_hash": before.hex()}
        lines.append(asdict(event) | texts | {"seq": seq, "hash": found.hex()})
        before = found
    end = {"org_id": str(ORG), "filters": {}, "after_seq": 0, "up_to_seq": 3, "count": 3}
    last = {"last_seq": 3, "last_hash": before.hex(), "head_seq": 3, "head_hash": before.hex()}
    write(tmp_path / "trail.jsonl", [*lines, {"end_of_export": end | last}])
    key = SealingKey(Ed25519PrivateKey.generate())
    checkpoint = Checkpoint(
        org_id=ORG, number=1, previous=NO_SEAL, seq=3, count=3, head_hash=before, made_at=NOW
    )
    (tmp_path / "checkpoints.jsonl").write_text(to_line(sign(checkpoint, key)) + "\n")
    (tmp_path / "keys.json").write_text(json.dumps(PublicKeys({}).with_key(key).to_jwks()))
    return tmp_path


def write(file: Path, lines: list[dict[str, object]]) -> None:
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))


def verify(*options: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["audit", "verify-file", "trail.jsonl", *options])
    return done.exit_code, done.output


SEALED = ("--checkpoints", "checkpoints.jsonl", "--public-key", "keys.json")


def test_a_proven_file_ends_with_0(folder: Path) -> None:
    code, output = verify(*SEALED)
    assert (code, "3 stand under 1 checkpoints" in output) == (0, True), output


def test_without_checkpoints_it_ends_with_3_and_says_why(folder: Path) -> None:
    code, output = verify()
    assert (code, "Not proven" in output) == (3, True), output


def test_a_flaw_ends_with_1_and_is_named_by_line_and_seq(folder: Path) -> None:
    events = folder / "trail.jsonl"
    events.write_text(events.read_text().replace("olga", "mallory", 1))
    code, output = verify(*SEALED)
    assert code == 1
    assert "events, line 1, seq 1" in output
    code, output = verify(*SEALED, "--json")
    flaw = json.loads(output)["flaw"]
    assert (code, flaw["file"], flaw["line"], flaw["seq"]) == (1, "events", 1, 1)


@pytest.mark.parametrize(
    "options",
    [
        SEALED[:2],
        SEALED[2:],
        (*SEALED[:3], "trail.jsonl"),
        (*SEALED[:1], "nowhere.jsonl", *SEALED[2:]),
    ],
    ids=["no key", "no checkpoints", "no key file", "no such file"],
)
def test_files_that_cannot_be_used_end_with_2(folder: Path, options: tuple[str, ...]) -> None:
    assert verify(*options)[0] == 2


def test_an_export_replaces_no_file_unasked(folder: Path) -> None:
    before = (folder / "trail.jsonl").read_text()
    done = CliRunner().invoke(app, ["audit", "export", "--out", "trail.jsonl"])
    assert (done.exit_code, "--overwrite" in done.output) == (2, True)
    assert (folder / "trail.jsonl").read_text() == before
