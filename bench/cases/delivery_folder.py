"""One worker process and a folder, against a bare loop over the same bytes, and Celery."""

import asyncio
import resource
import shutil
import sys
import time
from functools import partial
from pathlib import Path

from bench import peer_stack, seed
from bench.backends import running_backends
from bench.dropzone import Dropzone
from bench.measure.figures import Round
from bench.measure.proc import CpuMeter
from bench.measure.rounds import Result, take_turns
from bench.options import Options
from bench.peer_stack import PeerStack
from bench.stack import BenchStack, running_stack

_COUNT, _PEERS = 1500, 400
_SECONDS = 300


async def run(options: Options) -> Result:
    """Orders of three lines, pushed already, until every one of them is SENT on record."""
    count = options.size(_COUNT)
    result = Result("delivery_folder", "How fast does one worker fill a folder?")
    async with (
        running_backends() as backends,
        running_stack(workers=0) as stack,
        peer_stack.peer_stack(
            stack, broker_url=backends.broker_url, redis_url=backends.redis_url
        ) as peer,
    ):
        folder = stack.folder / "bench-dropzone"
        folder.mkdir()
        like = await seed.template(stack)
        config = {"transport": "folder", "export_path": str(folder)}
        dropzone = await Dropzone.connect(stack, folder, config, {})
        await stack.stack.start_worker()
        database, theirs = await stack.database(), await peer.database()
        await peer_stack.connect_folder(theirs, stack.org, stack.folder / "peer-dropzone")
        await theirs.close()

        async def worker(_number: int) -> Round:
            return await dropzone.deliver(database, like, count)

        async def bare(_number: int) -> Round:
            return await _bare_loop(stack.folder / "bare", count, _document())

        celery = partial(_celery, stack, peer, options.size(_PEERS))
        result.contenders = await take_turns(
            {"worker": worker, "bare loop": bare, "Celery worker": celery}, rounds=options.rounds
        )
        await database.close()
    seen = result.contenders
    for peer_name, least in (("bare loop", 0.5), ("Celery worker", 5)):
        result.target(
            f"worker / {peer_name}, throughput",
            seen["worker"].per_second / seen[peer_name].per_second,
            at_least=least,
        )
    result.remarks.append("Celery has a process per core, and is measured from its first file on")
    return result


def _document() -> bytes:
    # As long as the document of an order of three lines.
    return b"x" * 1400


async def _bare_loop(folder: Path, count: int, document: bytes) -> Round:
    folder.mkdir()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.peers.bare_loop", str(folder), str(count)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate(document)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    shutil.rmtree(folder)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Round(count, 0, float(output), (), {"loop": used})


async def _celery(stack: BenchStack, peer: PeerStack, count: int, _number: int) -> Round:
    """All tasks wait in the queue when the worker comes."""
    database = await peer.database()
    await peer.enqueue(await peer_stack.exports(database, stack.org, count))

    async def waiting() -> int:
        asked = "SELECT count(*) FROM erp_exports WHERE status = 'PENDING'"
        return int(await database.fetchval(asked))

    await peer.start_worker()
    async with asyncio.timeout(_SECONDS):
        while (left := await waiting()) == count:
            await asyncio.sleep(0.01)
        meter = CpuMeter({**peer.pids, "postgres": stack.pids["postgres"]})
        begun = time.perf_counter()
        while await waiting():
            await asyncio.sleep(0.05)
    measured = Round(left, 0, time.perf_counter() - begun, (), meter.seconds())
    await peer.stop("celery")
    await database.close()
    return measured
