"""One worker process and a folder, against a bare loop over the same bytes."""

import asyncio
import resource
import shutil
import sys
from pathlib import Path

from bench import seed
from bench.dropzone import Dropzone
from bench.measure.figures import Round
from bench.measure.rounds import Result, take_turns
from bench.options import Options
from bench.stack import running_stack

_COUNT = 2000


async def run(options: Options) -> Result:
    """Orders of three lines, pushed already, until every one of them is SENT on record."""
    count = options.size(_COUNT)
    result = Result("delivery_folder", "How fast does one worker fill a folder?")
    async with running_stack(workers=0) as stack:
        folder = stack.folder / "bench-dropzone"
        folder.mkdir()
        like = await seed.template(stack)
        config = {"transport": "folder", "export_path": str(folder)}
        dropzone = await Dropzone.connect(stack, folder, config, {})
        await stack.stack.start_worker()
        database = await stack.database()

        async def worker(_number: int) -> Round:
            return await dropzone.deliver(database, like, count)

        async def bare(_number: int) -> Round:
            return await _bare_loop(stack.folder / "bare", count, _document())

        result.contenders = await take_turns(
            {"worker": worker, "bare loop": bare}, rounds=options.rounds
        )
        await database.close()
    seen = result.contenders
    result.target(
        "worker / bare loop, throughput",
        seen["worker"].per_second / seen["bare loop"].per_second,
        at_least=0.5,
    )
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
