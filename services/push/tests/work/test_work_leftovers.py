"""Which temporary files may go: the rule alone, and over the wire."""

from uuid import uuid4

import pytest

from countersign.push.v1 import work_service_pb2 as pb
from countersign_core.lifecycle import ExportStatus
from countersign_push.leftovers import ExportHold, Leftover, is_removable

PENDING, SENT, ACKED, DEAD = (
    ExportStatus.PENDING, ExportStatus.SENT, ExportStatus.ACKED, ExportStatus.FAILED,
)  # fmt: skip
TOKEN = "token"


def hold(status=PENDING, fence=3, *, leased=True, staged_fence=None):
    staged_name = TOKEN if staged_fence else None
    return ExportHold(status, fence, leased, staged_name, staged_fence)


def file(fence, *, withdrawn=False, name="file"):
    return Leftover(name, uuid4(), fence, withdrawn)


@pytest.mark.parametrize(
    ("leftover", "held", "removable"),
    [
        # Not ours, or from a future that a restored backup forgot: never.
        (file(1), None, False),
        (file(4), hold(), False),
        (file(4), hold(DEAD, leased=False), False),
        # Earlier fences can no longer be put on record.
        (file(2), hold(), True),
        (file(2), hold(leased=False), True),
        # The holder of the latest fence may still report STAGED, however late.
        (file(3), hold(), False),
        # It gave its lease back: no report of that fence counts any more.
        (file(3), hold(leased=False), True),
        # The token on record, by its name or by its fence.
        (file(2, name=TOKEN), hold(staged_fence=2), False),
        (file(2), hold(staged_fence=2), False),
        (file(1), hold(staged_fence=2), True),
        (file(3), hold(staged_fence=2, leased=False), True),
        # Finished: nothing temporary is needed.
        (file(2, name=TOKEN), hold(SENT, leased=False, staged_fence=2), True),
        (file(3), hold(ACKED, leased=False, staged_fence=2), True),
        (file(2, name=TOKEN), hold(DEAD, leased=False, staged_fence=2), True),
        # A withdrawn file is the proof that nothing was delivered, until FAILED is on record.
        (file(2, withdrawn=True), hold(staged_fence=2), False),
        (file(1, withdrawn=True), hold(leased=False), False),
        (file(2, withdrawn=True), hold(SENT, leased=False, staged_fence=2), False),
        (file(2, withdrawn=True), hold(ACKED, leased=False, staged_fence=2), False),
        (file(2, withdrawn=True), hold(DEAD, leased=False, staged_fence=2), True),
    ],
)
def test_only_what_can_never_be_needed_again_is_removable(leftover, held, removable):
    assert is_removable(leftover, held) is removable


@pytest.fixture
def review(worker):
    """ReviewLeftovers for files given as (name, export, fence, withdrawn)."""

    async def ask(org, *files):
        leftovers = [
            pb.Leftover(name=name, export_id=str(export), fence=fence, withdrawn=withdrawn)
            for name, export, fence, withdrawn in files
        ]
        request = pb.ReviewLeftoversRequest(org_id=str(org), leftovers=leftovers)
        return list((await worker.call("ReviewLeftovers", request)).removable)

    return ask


@pytest.mark.integration
async def test_the_files_of_an_export_along_its_way(queue, worker, review):
    """Claimed twice, staged, withdrawn, failed: each file goes when nobody needs it."""
    org, export = await queue.one()
    await worker.claim(org, export)
    await queue.run_out(export)
    first, second = ("t1", export, 1, False), (f".tmp.{export}.2", export, 2, False)
    assert await review(org, first) == []  # ran out, but nobody claimed since
    lease = (await worker.claim(org, export)).lease
    assert await review(org, first, second) == ["t1"]
    await worker.staged(lease)
    await queue.run_out(export)
    lease = (await worker.claim(org, export)).lease
    withdrawn = ("w", export, 2, True)
    assert await review(org, first, second, withdrawn) == ["t1"]
    await worker.failed(lease, withdrawn=True)
    assert await review(org, first, second, withdrawn) == ["t1", second[0], "w"]


@pytest.mark.integration
async def test_a_deferred_workers_own_file_may_go(queue, worker, review):
    org, export = await queue.one()
    lease = (await worker.claim(org, export)).lease
    own = ("t1", export, 1, False)
    assert await review(org, own) == []
    await worker.deferred(lease)
    assert await review(org, own) == ["t1"]


@pytest.mark.integration
async def test_files_of_exports_of_another_org_or_of_nobody_stay(queue, worker, review):
    org, export = await queue.one()
    await worker.failed((await worker.claim(org, export)).lease)
    assert await review(uuid4(), ("t", export, 1, False)) == []
    assert await review(org, ("t", uuid4(), 1, False)) == []
    assert await review(org, ("t", export, 1, False)) == ["t"]
