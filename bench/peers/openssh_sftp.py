"""The OpenSSH client as people script it: `sftp -b`, one connection per file or one for all."""

import asyncio
import resource
import time
from pathlib import Path

from bench.measure.figures import Round
from countersign_platform.testing.sshd_server import SshdServer


class OpensshSftp:
    """Puts the same bytes under a temporary name with fsync, and renames: what a drop must do."""

    def __init__(self, sshd: SshdServer, work: Path, document: bytes) -> None:
        """`work` is a local folder for batches and the document."""
        self._sshd = sshd
        self._work = work
        self._source = work / "document.json"
        self._source.write_bytes(document)
        known = work / "known_hosts"
        lines = (f"[{sshd.host}]:{sshd.port} {key}\n" for key in sshd.host_keys)
        known.write_text("".join(lines))
        self._command = [
            *("sftp", "-q", "-b", str(work / "batch"), "-P", str(sshd.port)),
            *("-i", str(sshd.private_key), "-o", f"UserKnownHostsFile={known}"),
            *("-o", "StrictHostKeyChecking=yes", "-o", "IdentitiesOnly=yes"),
            f"{sshd.username}@{sshd.host}",
        ]

    async def one_connection_for_all(self, folder: Path, count: int) -> Round:
        """One batch."""
        return await self._measured(folder, [range(count)])

    async def one_connection_per_file(self, folder: Path, count: int) -> Round:
        """A batch per file, as a script that is called for each of them."""
        return await self._measured(folder, [[number] for number in range(count)])

    async def _measured(self, folder: Path, batches) -> Round:
        count = sum(len(batch) for batch in batches)
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        begun = time.perf_counter()
        for batch in batches:
            await self._send(folder, batch)
        seconds = time.perf_counter() - begun
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        arrived = list(folder.glob("sales_order_*"))
        assert len(arrived) == count, f"{len(arrived)} of {count} arrived"
        for path in arrived:
            path.unlink()
        used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return Round(count, 0, seconds, (), {"sftp": used})

    async def _send(self, folder: Path, numbers) -> None:
        steps = (
            f"put -f {self._source} {folder}/.tmp_{number}\n"
            f"rename {folder}/.tmp_{number} {folder}/sales_order_{number}.json\n"
            for number in numbers
        )
        (self._work / "batch").write_text("".join(steps))
        process = await asyncio.create_subprocess_exec(
            *self._command, stdout=asyncio.subprocess.DEVNULL
        )
        assert await process.wait() == 0
