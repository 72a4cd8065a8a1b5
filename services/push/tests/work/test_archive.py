"""The archive lane on a real database: what is delivered is kept, whatever fails in between."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from prometheus_client import REGISTRY

from countersign.push.v1 import push_service_pb2 as pb
from countersign.push.v1 import work_service_pb2 as work_pb
from countersign_core.errors import CountersignError, Unavailable
from countersign_core.reasons import Reason
from countersign_core.roles import Role
from countersign_platform.archive.folder import FolderArchive
from countersign_platform.archive.memory import MemoryArchive
from countersign_platform.archive.opening import open_archive
from countersign_platform.archive.port import Archive
from countersign_platform.outbox.lane import Lane
from countersign_platform.outbox.row import LANE_ARCHIVE
from countersign_platform.outbox.store import OutboxStore
from countersign_platform.settings import ArchiveSettings
from countersign_push.archive_backfill import ArchiveBackfill
from countersign_push.archive_sender import ArchiveSender, archive_policy
from countersign_push.store.archive import ArchiveStore
from countersign_push.store.exports import ExportStore

pytestmark = pytest.mark.integration


class AwayArchive(MemoryArchive):
    """Away until it is told to be there."""

    there = False

    async def put(self, key: str, data: bytes) -> None:
        if not self.there:
            raise Unavailable("The archive: connection refused")
        await super().put(key, data)

    async def get(self, key: str) -> bytes:
        if not self.there:
            raise Unavailable("The archive: connection refused")
        return await super().get(key)


@pytest.fixture
def archive() -> MemoryArchive:
    return MemoryArchive()


@pytest.fixture
async def site(site_of: Any, tmp_path: Path):
    """A replica that knows of an archive; the test plays its relay."""
    async with site_of(loops=False, archive_url="memory:///") as made:
        yield made


@pytest.fixture
def lane(database) -> Callable[[Archive], Lane]:
    """The lane of a relay that has `archive`."""

    def make(archive: Archive) -> Lane:
        sender = ArchiveSender(archive, ExportStore(database), ArchiveStore(database))
        return Lane(LANE_ARCHIVE, OutboxStore(database, "push"), sender, archive_policy(10))

    return make


async def deliver(queue, worker, *, report: str = "sent") -> tuple[UUID, UUID, bytes]:
    """Org, id and bytes of an export that a worker delivered."""
    org, export = await queue.one()
    assignment = await worker.claim(org, export)
    digest = hashlib.sha256(assignment.document).hexdigest()
    staged = work_pb.ReportStagedRequest(
        lease=assignment.lease, staged_name=".tmp", document_sha256=digest
    )
    await worker.call("ReportStaged", staged)
    if report == "sent":
        await worker.sent(assignment.lease)
    return org, export, assignment.document


async def waiting(queue) -> list[Any]:
    return await queue.sql.fetch("SELECT * FROM push.outbox WHERE lane = 'archive'")


async def document(site, org: UUID, export: UUID) -> pb.GetExportDocumentResponse:
    request = pb.GetExportDocumentRequest(erp_export_id=str(export))
    return await site.operator(org).call("GetExportDocument", request)


def counted(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


async def key_of(queue, export: UUID) -> str:
    row = await queue.export(export)
    return f"documents/{row['org_id']}/{row['created_at'].date()}/{export}.json"


async def test_delivery_and_the_wish_to_archive_are_one_act(queue, worker):
    """SENT is never on record without its row in the outbox."""
    org, export, _ = await deliver(queue, worker)
    [row] = await waiting(queue)
    assert (row["org_id"], row["payload"].decode()) == (org, str(export))
    assert (await queue.export(export))["status"] == "SENT"


async def test_what_is_archived_are_the_bytes_that_were_sent(queue, worker, lane, archive):
    _, export, sent = await deliver(queue, worker)
    await lane(archive).drain_once()
    assert archive.objects == {await key_of(queue, export): sent}
    assert (await queue.export(export))["archived_at"] is not None
    assert await waiting(queue) == []


async def test_without_an_archive_nothing_waits_for_one(queue, site_of):
    async with site_of(loops=False) as bare:
        _, export, _ = await deliver(queue, bare.worker())
    assert await waiting(queue) == []
    assert (await queue.export(export))["archived_at"] is None


async def test_failed_export_is_not_archived(queue, worker):
    org, export = await queue.one()
    lease = (await worker.claim(org, export)).lease
    await worker.staged(lease)
    await worker.failed(lease, withdrawn=True)
    assert await waiting(queue) == []


@pytest.mark.parametrize("answer", ["accepted", "refused"])
async def test_answer_that_overtakes_the_worker_archives_what_the_erp_has(
    queue, worker, lane, archive, answer
):
    """The ERP's word delivers too; a refused file was sent all the same."""
    org, export, sent = await deliver(queue, worker, report="none")
    row = await queue.export(export)
    accepted = answer == "accepted"
    error = None if accepted else work_pb.AttemptError(code="BAD_SKU", message="unknown")
    request = work_pb.ReportAckRequest(
        org_id=str(org),
        erp_connection_id=str(row["connection_id"]),
        file_name=row["file_name"],
        accepted=accepted,
        error=error,
    )
    await worker.call("ReportAck", request)
    await lane(archive).drain_once()
    assert list(archive.objects.values()) == [sent]


async def test_export_that_was_settled_as_delivered_is_archived(queue, worker, site, lane, archive):
    org, export, sent = await deliver(queue, worker, report="none")
    await queue.set(export, "outcome_unknown_since = now(), leased_until = now()")
    request = pb.ResolveExportRequest(erp_export_id=str(export), delivered=True, reason="seen")
    await site.operator(org, Role.ADMIN).call("ResolveExport", request)
    await lane(archive).drain_once()
    assert list(archive.objects.values()) == [sent]


async def test_archive_that_is_away_loses_nothing_and_holds_nothing_up(queue, worker, lane):
    away = AwayArchive()
    relay = lane(away)
    delivered = [await deliver(queue, worker) for _ in range(3)]
    with pytest.raises(Unavailable):
        await relay.drain_once()
    rows = await waiting(queue)
    assert [(row["attempts"], row["leased_until"]) for row in rows] == [(0, None)] * 3
    delivered.append(await deliver(queue, worker))
    away.there = True
    assert await relay.drain_once() == 4
    assert set(away.objects.values()) == {sent for _, _, sent in delivered}
    assert await waiting(queue) == []


async def test_relay_that_died_between_put_and_mark_is_followed_by_one_that_marks(
    queue, worker, lane, archive
):
    _, export, sent = await deliver(queue, worker)
    await archive.put(await key_of(queue, export), sent)
    await lane(archive).drain_once()
    assert (await queue.export(export))["archived_at"] is not None
    assert list(archive.objects.values()) == [sent]


async def test_document_that_cannot_be_built_again_is_quarantined_and_counted(
    queue, worker, lane, archive
):
    """Somebody must look; the others go on."""
    _, broken, _ = await deliver(queue, worker)
    await queue.set(broken, "document_sha256 = sha256('other')")
    _, good, sent = await deliver(queue, worker)
    before = counted("countersign_archive_documents_total", outcome="unbuildable")
    relay = lane(archive)
    for _ in range(3):
        await queue.sql.execute("UPDATE push.outbox SET next_attempt_at = now()")
        await relay.drain_once()
    [row] = await waiting(queue)
    assert row["quarantined_at"] is not None
    assert "CONTENT_DIGEST_MISMATCH" in row["last_error"] or "built again" in row["last_error"]
    assert counted("countersign_archive_documents_total", outcome="unbuildable") == before + 3
    assert archive.objects == {await key_of(queue, good): sent}


async def test_other_bytes_under_the_key_are_kept_and_reported(queue, worker, lane, archive):
    _, export, _ = await deliver(queue, worker)
    key = await key_of(queue, export)
    await archive.put(key, b"forged")
    before = counted("countersign_archive_documents_total", outcome="conflict")
    await lane(archive).drain_once()
    assert archive.objects == {key: b"forged"}
    assert counted("countersign_archive_documents_total", outcome="conflict") == before + 1
    assert (await queue.export(export))["archived_at"] is None


async def test_document_of_a_newer_builder_waits_for_the_version_that_has_it(
    queue, worker, lane, archive
):
    """While versions are rolled, an old replica neither quarantines nor guesses."""
    _, export, sent = await deliver(queue, worker)
    await queue.set(export, "document_builder = 99")
    relay = lane(archive)
    for _ in range(5):
        await queue.sql.execute("UPDATE push.outbox SET next_attempt_at = now()")
        await relay.drain_once()
    [row] = await waiting(queue)
    assert row["quarantined_at"] is None
    assert "document builder 99" in row["last_error"]
    await queue.set(export, "document_builder = 1")
    await queue.sql.execute("UPDATE push.outbox SET next_attempt_at = now()")
    await relay.drain_once()
    assert list(archive.objects.values()) == [sent]


async def test_claim_records_the_builder_and_a_staged_document_keeps_its_own(queue, worker):
    org, export = await queue.one()
    await worker.claim(org, export)
    assert (await queue.export(export))["document_builder"] == 1
    await queue.set(export, "document_builder = NULL, leased_until = now()")
    lease = (await worker.claim(org, export)).lease
    assert (await queue.export(export))["document_builder"] == 1
    await worker.staged(lease)
    await queue.set(export, "document_builder = 99, leased_until = now()")
    assignment = await worker.claim(org, export)
    assert (await queue.export(export))["document_builder"] == 99
    assert assignment.document == b"", "what is staged needs no document"


async def test_exports_delivered_before_there_was_an_archive_are_archived_later(
    queue, site_of, database, lane, archive
):
    async with site_of(loops=False) as bare:
        delivered = [await deliver(queue, bare.worker()) for _ in range(3)]
    for _, export, _ in delivered:
        await queue.set(export, "sent_at = now() - interval '2 minutes'")
    woken = []
    backfill = ArchiveBackfill(ArchiveStore(database), lambda: woken.append(1), 300)
    assert await backfill.run_once() is False
    assert await backfill.run_once() is False, "again is no harm"
    assert len(await waiting(queue)) == 3
    assert woken == [1]
    await lane(archive).drain_once()
    assert set(archive.objects.values()) == {sent for _, _, sent in delivered}
    await backfill.run_once()
    assert await waiting(queue) == []


@pytest.fixture(params=["folder", "s3"])
def real_archive(request, tmp_path: Path) -> tuple[dict[str, str], Callable[[str, bytes], None]]:
    """Settings of an archive, and how somebody changes it behind our back."""
    if request.param == "folder":
        root = tmp_path / "archive"
        return {"archive_url": root.as_uri()}, lambda key, data: (root / key).write_bytes(data)
    s3 = request.getfixturevalue("s3")
    name = f"bucket-{uuid4().hex}"
    url = s3.make_bucket(name)
    settings = {"archive_url": f"{url}/kept", "archive_endpoint": s3.endpoint}
    return settings, lambda key, data: s3.overwrite(name, f"kept/{key}", data)


async def test_archived_bytes_are_shown_and_damaged_ones_never(queue, site_of, lane, real_archive):
    """A folder and S3, each through its whole life: put, read, damaged."""
    settings, damage = real_archive
    async with site_of(loops=False, **settings) as site:
        org, export, sent = await deliver(queue, site.worker())
        reply = await document(site, org, export)
        assert (reply.document, reply.source) == (sent, pb.DOCUMENT_SOURCE_REBUILT)
        opened = open_archive(ArchiveSettings(**settings))
        assert opened is not None
        await lane(opened).drain_once()
        reply = await document(site, org, export)
        assert (reply.document, reply.source) == (sent, pb.DOCUMENT_SOURCE_ARCHIVE)
        assert reply.document_sha256 == hashlib.sha256(sent).hexdigest()
        before = counted("countersign_archive_unreadable_total", cause="corrupt")
        damage(await key_of(queue, export), sent.replace(b'"2"', b'"3"'))
        with pytest.raises(CountersignError, match="is not what was sent") as caught:
            await document(site, org, export)
        assert caught.value.reason is Reason.ARCHIVE_DAMAGED
        assert counted("countersign_archive_unreadable_total", cause="corrupt") == before + 1


async def test_archived_document_that_is_gone_is_said_to_be_gone(queue, site_of, lane, tmp_path):
    root = tmp_path / "archive"
    async with site_of(loops=False, archive_url=root.as_uri()) as site:
        org, export, _ = await deliver(queue, site.worker())
        await lane(FolderArchive.open(root, 10)).drain_once()
        (root / await key_of(queue, export)).unlink()
        with pytest.raises(CountersignError, match="no longer there") as caught:
            await document(site, org, export)
    assert caught.value.reason is Reason.ARCHIVE_DAMAGED


async def test_while_the_archive_is_away_the_bytes_are_built_again(queue, site_of, lane, tmp_path):
    root = tmp_path / "archive"
    async with site_of(loops=False, archive_url=root.as_uri()) as site:
        org, export, sent = await deliver(queue, site.worker())
        await lane(FolderArchive.open(root, 10)).drain_once()
        root.rename(tmp_path / "unmounted")
        reply = await document(site, org, export)
    assert (reply.document, reply.source) == (sent, pb.DOCUMENT_SOURCE_REBUILT)
