"""The offline verifier on files: whatever is done to one, the very line is named."""

import json
import subprocess
import sys
import tracemalloc
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from countersign_audit.chain import GENESIS_HASH, link_hash, timestamp_text
from countersign_audit.event import Event, Link
from countersign_audit.offline.export_file import parse_line
from countersign_audit.offline.verify import read_public_keys, verify_files
from countersign_audit.seal_keys import PublicKeys, SealingKey
from countersign_audit.seals import NO_SEAL, Checkpoint, Seal, Tombstone, seal_hash, sign, to_line

ORG = UUID("6f9619ff-8b86-d011-b42d-00c04fc964ff")
KEY = SealingKey(Ed25519PrivateKey.generate())
KEYS = PublicKeys({}).with_key(KEY)
NOW = datetime(2026, 3, 1, 9, 30, 0, 5, tzinfo=UTC)
LENGTH = 12
SEALED = (4, 9, 12)


def chain(length: int = LENGTH) -> list[Link]:
    links: list[Link] = []
    before = GENESIS_HASH
    for seq in range(1, length + 1):
        event = Event(
            org_id=ORG,
            event_id=UUID(int=seq),
            occurred_at=NOW + timedelta(seconds=seq),
            actor_user_id="Zoë",
            action="DRAFT_EDITED",
            entity_type="draft_order",
            entity_id=f"d-{seq}",
            user_agent="curl\u2028\n",
            after_json=json.dumps({"n": seq}),
        )
        links.append(Link(event, seq, before, link_hash(before, event, seq)))
        before = links[-1].hash
    return links


def record(link: Link) -> dict[str, Any]:
    event = link.event
    texts = {name: getattr(event, name) for name in Event.__slots__}
    return texts | {
        "org_id": str(event.org_id),
        "event_id": str(event.event_id),
        "occurred_at": timestamp_text(event.occurred_at),
        "seq": link.seq,
        "prev_hash": link.prev_hash.hex(),
        "hash": link.hash.hex(),
    }


def end_record(links: list[Link], **changes: Any) -> dict[str, Any]:
    last = links[-1]
    facts = {
        "org_id": str(ORG),
        "filters": {},
        "after_seq": links[0].seq - 1,
        "up_to_seq": last.seq,
        "count": len(links),
        "last_seq": last.seq,
        "last_hash": last.hash.hex(),
        "head_seq": last.seq,
        "head_hash": last.hash.hex(),
    }
    return {"end_of_export": facts | changes}


def export(links: list[Link], **end: Any) -> list[dict[str, Any]]:
    return [*map(record, links), end_record(links, **end)]


def seals(links: list[Link], at: tuple[int, ...] = SEALED) -> list[Seal]:
    made: list[Seal] = []
    for number, seq in enumerate(at, start=1):
        checkpoint = Checkpoint(
            org_id=ORG,
            number=number,
            previous=seal_hash(made[-1]) if made else NO_SEAL,
            seq=seq,
            count=seq,
            head_hash=links[seq - 1].hash,
            made_at=NOW,
        )
        made.append(sign(checkpoint, KEY))
    return made


@dataclass
class Files:
    """Writes what it is given and has it verified."""

    folder: Path

    def verify(
        self, lines: list[Any], sealed: list[Seal] | None = None, keys: PublicKeys = KEYS
    ) -> Any:
        text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        return self.verify_bytes(text.encode(), sealed, keys)

    def verify_bytes(
        self, content: bytes, sealed: list[Seal] | None = None, keys: PublicKeys = KEYS
    ) -> Any:
        events = self.folder / "events.jsonl"
        events.write_bytes(content)
        if sealed is None:
            return verify_files(events)
        checkpoints = self.folder / "checkpoints.jsonl"
        checkpoints.write_text("".join(to_line(seal) + "\n" for seal in sealed))
        return verify_files(events, checkpoints, keys)


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


LINKS = chain()
SEALS = seals(LINKS)
BEFORE_LAST_SEAL = seals(LINKS, at=(4, 9))


def test_a_whole_export_with_its_checkpoints_is_proven(files):
    report = files.verify(export(LINKS), SEALS)
    assert (report.verdict, report.flaw) == ("proven", None)
    assert (report.events, report.proven, report.checkpoints) == (LENGTH, LENGTH, 3)
    assert (report.first_seq, report.last_seq) == (1, LENGTH)
    assert report.last_hash == LINKS[-1].hash.hex()
    assert report.unproven == report.notes == []


def test_events_after_the_last_checkpoint_are_told_of(files):
    report = files.verify(export(LINKS), BEFORE_LAST_SEAL)
    assert (report.verdict, report.proven) == ("proven", 9)
    assert "up to seq 9" in report.notes[0]


def test_without_checkpoints_it_says_what_cannot_be_shown(files):
    report = files.verify(export(LINKS))
    assert (report.verdict, report.events, report.proven) == ("unproven", LENGTH, 0)
    assert "a tail that was cut off" in report.unproven[0]


def test_cloud_events_are_verified_like_json_lines(files):
    def wrapped(data):
        if "end_of_export" in data:
            return {"specversion": "1.0", "id": "x", "source": "y", "type": "z", "data": data}
        return {
            "specversion": "1.0",
            "id": data["event_id"],
            "source": f"urn:countersign:audit:{ORG}",
            "type": f"countersign.audit.{data['action']}",
            "subject": f"{data['entity_type']}/{data['entity_id']}",
            "time": data["occurred_at"],
            "sequence": str(data["seq"]).zfill(19),
            "datacontenttype": "application/json",
            "data": data,
        }

    lines = [wrapped(each) for each in export(LINKS)]
    assert files.verify(lines, SEALS).verdict == "proven"
    lines[5]["time"] = lines[4]["time"]
    flaw = files.verify(lines, SEALS).flaw
    assert (flaw.line, flaw.problem) == (
        6,
        "the line is a CloudEvent whose envelope does not fit its data",
    )


OTHER = {"seq": 99, "occurred_at": "2026-03-01T09:30:00.000006Z", "org_id": str(UUID(int=7))}
OTHER |= {"event_id": str(UUID(int=888)), "hash": "ab" * 32, "prev_hash": "ab" * 32}


@pytest.mark.parametrize("line", range(1, LENGTH + 1))
@pytest.mark.parametrize("name", sorted(record(LINKS[0])))
def test_a_changed_field_is_named_by_its_line(files, name, line):
    lines = export(LINKS)
    lines[line - 1][name] = OTHER.get(name, "x")
    flaw = files.verify(lines, SEALS).flaw
    if name == "org_id" and line == 1:
        assert flaw.problem == "checkpoint 1 (seq 4) belongs to another org"
    else:
        assert (flaw.file, flaw.line) == ("events", line)


@pytest.mark.parametrize("seq", range(1, LENGTH + 1))
def test_a_missing_event_is_named(files, seq):
    lines = export(LINKS)
    del lines[seq - 1]
    flaw = files.verify(lines, SEALS).flaw
    assert (flaw.line, flaw.seq, flaw.problem) == (seq, seq, f"seq {seq} is missing")


@pytest.mark.parametrize("seq", range(1, LENGTH + 1))
def test_an_event_that_comes_again_is_named(files, seq):
    lines = export(LINKS)
    lines.insert(LENGTH, lines[seq - 1])
    flaw = files.verify(lines, SEALS).flaw
    assert (flaw.line, flaw.seq) == (LENGTH + 1, seq)
    assert flaw.problem == f"seq {seq} is on record twice"


@pytest.mark.parametrize(("one", "two"), [(1, 2), (3, 9), (11, 12), (1, 12)])
def test_reordered_lines_are_named(files, one, two):
    lines = export(LINKS)
    lines[one - 1], lines[two - 1] = lines[two - 1], lines[one - 1]
    flaw = files.verify(lines, SEALS).flaw
    assert (flaw.line, flaw.seq) == (one, one)
    assert flaw.problem == f"out of order: seq {one} stands in line {two}"


def test_events_that_changed_places_are_named(files):
    """Each took the other's seq: the order is right, the hashes are not."""
    lines = export(LINKS)
    lines[2], lines[8] = lines[8] | {"seq": 3}, lines[2] | {"seq": 9}
    assert files.verify(lines, SEALS).flaw.seq == 3


def rewritten(from_seq: int) -> list[Link]:
    """The chain with another event at `from_seq`, every later hash made anew."""
    links = LINKS[: from_seq - 1]
    for old in LINKS[from_seq - 1 :]:
        event = replace(old.event, actor_user_id="mallory") if old.seq == from_seq else old.event
        before = links[-1].hash if links else GENESIS_HASH
        links.append(Link(event, old.seq, before, link_hash(before, event, old.seq)))
    return links


@pytest.mark.parametrize(("from_seq", "sealed_at", "seal"), [(1, 4, 1), (5, 9, 2), (12, 12, 3)])
def test_a_chain_written_anew_contradicts_its_next_checkpoint(files, from_seq, sealed_at, seal):
    lines = export(rewritten(from_seq))
    assert files.verify(lines).flaw is None  # without checkpoints it cannot show, and it says so
    flaw = files.verify(lines, SEALS).flaw
    assert (flaw.line, flaw.seq, flaw.seal) == (sealed_at, sealed_at, seal)
    assert flaw.problem == (
        f"checkpoint {seal} (seq {sealed_at}) vouches for another hash than the chain has there"
    )


@pytest.mark.parametrize("kept", [3, 4, 8, 11])
def test_a_cut_tail_whose_end_record_was_forged_contradicts_a_checkpoint(files, kept):
    flaw = files.verify(export(LINKS[:kept]), SEALS).flaw
    seal, sealed_at = next((n, at) for n, at in enumerate(SEALED, 1) if at > kept)
    assert (flaw.seq, flaw.seal) == (kept + 1, seal)
    assert flaw.problem == (
        f"checkpoint {seal} (seq {sealed_at}) vouches for more: the chain ended at seq {kept}"
    )


@pytest.mark.parametrize("kept", [0, 1, 8, 11])
def test_a_cut_tail_is_named_by_the_end_record(files, kept):
    lines = [*map(record, LINKS[:kept]), end_record(LINKS)]
    flaw = files.verify(lines, BEFORE_LAST_SEAL).flaw
    which = "seq 12 is" if kept == 11 else f"seq {kept + 1} to 12 are"
    assert (flaw.line, flaw.seq, flaw.problem) == (kept + 1, kept + 1, f"{which} missing")


@pytest.mark.parametrize("kept", [1, 5, 12])
def test_a_file_without_its_end_record_is_incomplete(files, kept):
    flaw = files.verify(export(LINKS)[:kept], SEALS).flaw
    assert flaw.line == kept + 1
    assert flaw.problem.startswith("the end record is missing")


@pytest.mark.parametrize("content", [b"", b"\n", b"{}\n", b"\xff\n", b"[1]\n", b"nonsense"])
def test_a_file_that_is_no_export_is_refused(files, content):
    assert files.verify_bytes(content, SEALS).flaw.line == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("count", 11),
        ("last_seq", 11),
        ("last_hash", "00" * 32),
        ("head_hash", "00" * 32),
        ("head_seq", 11),
        ("head_seq", 13),
        ("up_to_seq", 13),
        ("org_id", str(UUID(int=1))),
        ("after_seq", 3),
    ],
)
def test_a_changed_end_record_is_named(files, name, value):
    report = files.verify([*map(record, LINKS), end_record(LINKS, **{name: value})], SEALS)
    assert report.flaw is not None or report.unproven


def test_an_event_beyond_the_head_is_named(files):
    lines = [*map(record, LINKS), end_record(LINKS, head_seq=11)]
    flaw = files.verify(lines).flaw
    assert (flaw.line, flaw.seq) == (12, 12)
    assert flaw.problem == "seq 12 stands beyond the head (11)"


def test_a_range_is_proven_by_a_checkpoint_in_it_and_says_what_is_outside(files):
    lines = export(LINKS[4:10], head_seq=12, head_hash=LINKS[-1].hash.hex())
    report = files.verify(lines, SEALS)
    assert (report.verdict, report.flaw, report.proven) == ("unproven", None, 5)
    assert any("before seq 5" in each for each in report.unproven)
    assert any("after seq 10" in each for each in report.unproven)


def test_a_range_whose_beginning_was_cut_is_named(files):
    lines = [*map(record, LINKS[6:]), end_record(LINKS[4:])]
    flaw = files.verify(lines, SEALS).flaw
    assert (flaw.line, flaw.seq, flaw.problem) == (1, 5, "seq 5 to 6 are missing")


def test_a_range_that_does_not_hang_on_the_checkpoint_before_it_is_named(files):
    forged = rewritten(3)[4:8]
    flaw = files.verify(export(forged, head_seq=12, head_hash=LINKS[-1].hash.hex()), SEALS).flaw
    assert (flaw.line, flaw.seq, flaw.seal) == (1, 5, 1)


def filtered(seqs: list[int]) -> list[dict[str, Any]]:
    chosen = [LINKS[seq - 1] for seq in seqs]
    facts = {"filters": {"actor_user_id": "Zoë"}, "after_seq": 0, "up_to_seq": 12}
    return export(chosen, **facts, head_seq=12, head_hash=LINKS[-1].hash.hex())


def test_an_export_by_filters_says_what_is_proven_and_what_is_not(files):
    report = files.verify(filtered([2, 3, 4, 7, 9, 11]), SEALS)
    assert (report.flaw, report.verdict) == (None, "unproven")
    assert (report.events, report.proven) == (6, 4)
    assert len(report.unproven) == 2


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (lambda lines: lines[1].update(actor_user_id="x"), 2),
        (lambda lines: lines.insert(2, lines[1]), 3),
        (lambda lines: lines.insert(0, lines.pop(2)), 2),
        (lambda lines: lines.__setitem__(2, record(rewritten(1)[3])), 3),
        (lambda lines: lines.pop(3), 6),
    ],
    ids=["changed", "twice", "reordered", "forged", "dropped"],
)
def test_what_was_done_to_an_export_by_filters_is_named(files, change, line):
    lines = filtered([2, 3, 4, 7, 9, 11])
    change(lines)
    assert files.verify(lines, SEALS).flaw.line == line


def tombstone() -> list[Seal]:
    first = BEFORE_LAST_SEAL[0]
    removed = Tombstone(
        org_id=ORG,
        number=2,
        previous=seal_hash(first),
        month="2025-02",
        from_seq=1,
        to_seq=5,
        count=5,
        prev_hash=GENESIS_HASH,
        last_hash=LINKS[4].hash,
        removed_at=NOW,
    )
    signed = sign(removed, KEY)
    later = Checkpoint(
        org_id=ORG,
        number=3,
        previous=seal_hash(signed),
        seq=12,
        count=7,
        head_hash=LINKS[-1].hash,
        made_at=NOW,
    )
    return [first, signed, sign(later, KEY)]


def test_a_chain_goes_on_behind_its_tombstone(files):
    report = files.verify(export(LINKS[5:], after_seq=0), tombstone())
    assert (report.verdict, report.events, report.tombstones) == ("proven", 7, 1)


def test_more_was_removed_than_the_tombstone_says(files):
    flaw = files.verify(export(LINKS[6:], after_seq=0), tombstone()).flaw
    assert (flaw.line, flaw.seq, flaw.problem) == (1, 6, "seq 6 is missing")


def test_an_export_from_before_the_removal_still_verifies(files):
    assert files.verify(export(LINKS), tombstone()).verdict == "proven"
    flaw = files.verify(export(rewritten(3)), tombstone()).flaw
    assert (flaw.seq, flaw.seal) == (4, 1)


def test_two_parts_of_a_broken_download_make_a_whole(files):
    """The first stream broke after seq 5; the second came with after_seq=5."""
    lines = [*map(record, LINKS), end_record(LINKS[5:])]
    assert files.verify(lines, SEALS).verdict == "proven"
    del lines[6]
    assert files.verify(lines, SEALS).flaw.seq == 7


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_bad_checkpoint_is_named(files, number):
    changed = list(SEALS)
    changed[number - 1] = replace(changed[number - 1], seq=5)
    flaw = files.verify(export(LINKS), changed).flaw
    assert (flaw.file, flaw.line, flaw.seal) == ("checkpoints", number, number)


def test_a_dropped_checkpoint_is_named(files):
    flaw = files.verify(export(LINKS), [SEALS[0], SEALS[2]]).flaw
    assert (flaw.file, flaw.line, flaw.seal) == ("checkpoints", 2, 3)


def test_checkpoints_of_another_key_are_refused(files):
    other = PublicKeys({}).with_key(SealingKey(Ed25519PrivateKey.generate()))
    flaw = files.verify(export(LINKS), SEALS, other).flaw
    assert (flaw.file, flaw.line) == ("checkpoints", 1)
    assert "is not known" in flaw.problem


def test_a_line_that_is_no_checkpoint_is_named(files, tmp_path):
    files.verify(export(LINKS), SEALS)
    (tmp_path / "checkpoints.jsonl").write_text(to_line(SEALS[0]) + "\nnonsense\n")
    report = verify_files(tmp_path / "events.jsonl", tmp_path / "checkpoints.jsonl", KEYS)
    assert (report.flaw.file, report.flaw.line) == ("checkpoints", 2)


def test_public_keys_are_read_from_a_key_set_or_a_pem(tmp_path):
    (tmp_path / "jwks").write_text(json.dumps(KEYS.to_jwks()))
    pem = KEY.public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "pem").write_bytes(pem)
    for name in ("jwks", "pem"):
        assert KEY.key_id in read_public_keys(tmp_path / name)
    (tmp_path / "none").write_text("nonsense")
    with pytest.raises(ValueError, match="Key Set"):
        read_public_keys(tmp_path / "none")


CONTENT = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in export(LINKS)).encode()


def meaning(content: bytes) -> list[Any]:
    """What the lines say, or None for one that cannot be read."""
    found: list[Any] = []
    for line in content.rstrip(b"\n").split(b"\n"):
        try:
            found.append(parse_line(line))
        except ValueError:
            found.append(None)
    return found


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=400, deadline=None
)
@given(data=st.data())
def test_any_bytes_that_are_changed_dropped_or_put_in_are_found(files, data):
    """Or they change nothing that a line says: a space between two members."""
    start = data.draw(st.integers(0, len(CONTENT) - 1), "start")
    dropped = data.draw(st.integers(0, 40), "dropped")
    put_in = data.draw(st.binary(max_size=6), "put in")
    changed = CONTENT[:start] + put_in + CONTENT[start + dropped :]
    report = files.verify_bytes(changed, SEALS)
    assert report.verdict != "proven" or meaning(changed) == meaning(CONTENT)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300, deadline=None
)
@given(data=st.data())
def test_any_lines_that_are_dropped_repeated_or_moved_are_found(files, data):
    lines = CONTENT.splitlines(keepends=True)
    order = data.draw(
        st.lists(st.integers(0, len(lines) - 1), max_size=len(lines) + 3), "lines, in this order"
    )
    report = files.verify_bytes(b"".join(lines[each] for each in order), SEALS)
    assert (report.verdict == "proven") == (order == list(range(len(lines))))


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200, deadline=None
)
@given(data=st.data())
def test_any_member_of_any_line_that_is_changed_is_found(files, data):
    lines = export(LINKS)
    line = data.draw(st.integers(0, LENGTH), "line")
    target = lines[line].get("end_of_export", lines[line])
    name = data.draw(st.sampled_from(sorted(target)), "member")
    value = data.draw(
        st.none() | st.booleans() | st.integers() | st.text() | st.just({}) | st.just({"a": "b"})
    )
    if value == target[name] and type(value) is type(target[name]):
        return
    target[name] = value
    assert files.verify(lines, SEALS).verdict != "proven"


def test_a_long_file_is_read_in_flat_memory(files):
    """A hundred times the events take no more memory: nothing is kept."""
    peaks = []
    for length in (50, 5_000):
        lines = export(chain(length))
        text = "".join(json.dumps(line) + "\n" for line in lines)
        events = files.folder / f"{length}.jsonl"
        events.write_text(text)
        tracemalloc.start()
        report = verify_files(events)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert (report.events, report.flaw) == (length, None)
    assert peaks[1] < peaks[0] + 100_000, peaks  # bytes; the long file alone has 3 MB


def test_the_verifier_needs_no_library_of_a_server():
    """An auditor's machine has no database and no gRPC."""
    script = (
        "import sys; import countersign_audit.offline.verify;"
        "print(sorted({name.split('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    )
    for name in ("grpc", "asyncpg", "sqlalchemy", "google", "pydantic", "fastapi", "structlog"):
        assert f"'{name}'" not in done.stdout
