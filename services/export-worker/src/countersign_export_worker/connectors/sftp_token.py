"""Taking a token over SFTP: renames that exactly one can win.

With posix-rename@openssh.com each is one rename(2): atomic, and it overwrites. The final name
has the export's id in it and is ours alone; it is looked for first all the same, and only a
stranger's file that appears under it within that one round trip would be overwritten.

Without it, SFTP's own rename is left: OpenSSH makes a second link and then removes the first,
and never overwrites. Removing the first decides who has won, but the second shows before that.
A rename straight to the final name could therefore show the ERP a file that a withdrawal then
wins. So publish has two steps here:

    token      .<final>.<export>.<fence>.<place>.<suffix>
    taken      the same with `.taken` behind it: published, but for the name. Only one can get
               here, and nobody can withdraw it any more; whoever finds it goes on
    final      what the ERP picks up

A server that dies between link and removal leaves both names. They are taken for that only
after they stayed for three seconds, so that no rename at work is disturbed:
    token and taken       whoever comes next removes the token, and so wins it
    token and withdrawn   likewise, for the withdrawal; it goes before `taken`
    taken and final       equal bytes: the taken name is removed. If the ERP took the final file
                          in that very moment, it is delivered again: the one gap, microseconds
                          wide at the death of a server that has no posix-rename
"""

import asyncio

import asyncssh

from countersign_export_worker.connectors.sftp_errors import NOT_THERE
from countersign_export_worker.connectors.sftp_folder import SftpFolder
from countersign_export_worker.connectors.sftp_names import taken_name
from countersign_export_worker.connectors.sftp_session import SftpSession
from countersign_export_worker.errors import NameTaken
from countersign_export_worker.file_names import DropName

# Larger than any document (see document_check); only equal files are compared as a whole.
_MOST_BYTES = 256 * 1024 * 1024
# A rename's two system calls are microseconds apart; three seconds say that it will not go on.
_LOOKS, _PAUSE_SECONDS = 30, 0.1


class SftpToken:
    """One token in its folder, and the folder where it is to go."""

    def __init__(
        self, session: SftpSession, name: DropName, *, source: SftpFolder, target: SftpFolder
    ) -> None:
        self._session = session
        self._client = session.client
        self._token = str(name)
        self._taken = taken_name(name)
        self._withdrawn = str(name.taken_back())
        self._final = name.final
        self._source = source
        self._target = target

    async def publish(self) -> bool:
        """Token → final; False when the token is not there.

        Raises:
            NameTaken: a stranger's file has the final name; the token is as before.
        """
        if await self._target.has(self._final):
            if await self._source.has(self._token):
                raise NameTaken(self._final)
            return False
        if await self._session.has_posix_rename(self._source):
            return await self._posix_rename(self._target.at(self._final))
        return await self._take() and await self.finish()

    async def withdraw(self) -> bool:
        """Token → withdrawn; False when the token is not there."""
        if await self._session.has_posix_rename(self._source):
            return await self._posix_rename(self._source.at(self._withdrawn))
        return await self._link_and_remove(self._withdrawn)

    async def finish(self) -> bool:
        """Taken → final, which somebody may have begun; False when there is nothing taken."""
        taken, final = self._source.at(self._taken), self._target.at(self._final)
        try:
            await self._client.rename(taken, final)
        except NOT_THERE:
            return False
        except asyncssh.SFTPFailure:
            return await self._finish_over_another()
        return True

    async def is_taken(self) -> bool:
        """Whether a publish has begun and not ended."""
        return await self._source.has(self._taken)

    async def _posix_rename(self, target: str) -> bool:
        try:
            await self._client.posix_rename(self._source.at(self._token), target)
        except NOT_THERE:
            return False
        return True

    async def _finish_over_another(self) -> bool:
        """The final name is there: half of a publish, or a stranger's."""
        if not await self._stays_beside(self._source, self._taken, self._target, self._final):
            return await self._retried_finish()
        if await self._is_ours():
            return await self._source.remove(self._taken)
        try:
            await self._client.rename(self._source.at(self._taken), self._source.at(self._token))
        except NOT_THERE:
            return False
        raise NameTaken(self._final)

    async def _retried_finish(self) -> bool:
        """Somebody else's rename came to its end meanwhile, or the failure was none of it."""
        try:
            await self._client.rename(self._source.at(self._taken), self._target.at(self._final))
        except NOT_THERE:
            return False
        return True

    async def _take(self) -> bool:
        # A withdrawal that a server's death interrupted is carried through, never passed by.
        if await self._is_half_done(self._withdrawn):
            await self._source.remove(self._token)
            return False
        return await self._link_and_remove(self._taken)

    async def _link_and_remove(self, name: str) -> bool:
        """Token → `name` by the rename that never overwrites."""
        for again in (False, True):
            try:
                await self._client.rename(self._source.at(self._token), self._source.at(name))
            except NOT_THERE:
                return False
            except asyncssh.SFTPFailure:
                if await self._is_half_done(name):
                    return await self._source.remove(self._token)
                if again:
                    raise
            else:
                return True
        raise AssertionError("unreachable")

    async def _is_half_done(self, name: str) -> bool:
        return await self._stays_beside(self._source, self._token, self._source, name)

    async def _stays_beside(
        self, source: SftpFolder, old: str, target: SftpFolder, new: str
    ) -> bool:
        """Whether both names stay: nobody is between link and removal; a server died there.

        Removing `old` under a rename that is at work would have it fail and remove `new` as
        well: the file would be lost.
        """
        for _ in range(_LOOKS):
            if not (await target.has(new) and await source.has(old)):
                return False
            await asyncio.sleep(_PAUSE_SECONDS)
        return True

    async def _is_ours(self) -> bool:
        ours = await self._source.read(self._taken, _MOST_BYTES)
        return ours is not None and ours == await self._target.read(self._final, _MOST_BYTES)
