"""One worker process and an OpenSSH server, against the OpenSSH client in a script."""

import tempfile
from pathlib import Path

from bench import seed
from bench.dropzone import Dropzone
from bench.measure.figures import Round
from bench.measure.rounds import Result, take_turns
from bench.options import Options
from bench.peers.openssh_sftp import OpensshSftp
from bench.stack import running_stack
from countersign_platform.testing.sftp_account import SftpAccount
from countersign_platform.testing.sshd_server import SshdServer

_COUNT = 1000
# A connection per file is slow; its rate does not depend on how many there are.
_FEW = 50
# As long as the document of an order of three lines.
_DOCUMENT = b"x" * 1400


async def run(options: Options) -> Result:
    """Orders of three lines, pushed already, until every one of them is SENT on record."""
    count = options.size(_COUNT)
    result = Result("delivery_sftp", "How fast does one worker fill a folder over SFTP?")
    with (
        SftpAccount() as account,
        SshdServer(account) as sshd,
        tempfile.TemporaryDirectory() as work,
    ):
        async with running_stack(workers=0) as stack:
            ours, theirs = sshd.make_folder("worker"), sshd.make_folder("script")
            like = await seed.template(stack)
            dropzone = await Dropzone.connect(stack, ours, *_access(sshd, ours))
            await stack.stack.start_worker()
            database = await stack.database()
            client = OpensshSftp(sshd, Path(work), _DOCUMENT)

            async def worker(_number: int) -> Round:
                return await dropzone.deliver(database, like, count)

            async def for_all(_number: int) -> Round:
                return await client.one_connection_for_all(theirs, count)

            async def per_file(_number: int) -> Round:
                return await client.one_connection_per_file(theirs, options.size(_FEW))

            result.contenders = await take_turns(
                {
                    "worker": worker,
                    "sftp -b, one connection for all": for_all,
                    "sftp -b, one connection per file": per_file,
                },
                rounds=options.rounds,
            )
            await database.close()
    seen = result.contenders
    ours_per_second = seen["worker"].per_second
    for how, least in (("per file", 10), ("for all", 0.7)):
        theirs_per_second = seen[f"sftp -b, one connection {how}"].per_second
        result.target(
            f"worker / sftp -b with one connection {how}, throughput",
            ours_per_second / theirs_per_second,
            at_least=least,
        )
    result.remarks.append("The CPU of sshd is nobody's; all of them use the same.")
    return result


def _access(sshd: SshdServer, folder: Path) -> tuple[dict[str, object], dict[str, str]]:
    config = {
        "transport": "sftp",
        "host": sshd.host,
        "port": sshd.port,
        "username": sshd.username,
        "host_keys": list(sshd.host_keys[:1]),
        "export_path": str(folder),
    }
    return config, {"private_key": sshd.private_key.read_text()}
