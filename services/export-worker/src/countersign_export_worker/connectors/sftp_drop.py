"""The exactly-once file drop over one SFTP connection: what each step does there.

Every method raises asyncssh's errors beside those of ErpConnectorPort; the connector
translates them.
"""

import asyncio
from collections.abc import Awaitable, Iterable, Sequence
from contextlib import suppress
from typing import TypeVar

import asyncssh

from countersign_export_worker.connectors.sftp_errors import LOST, NOT_THERE, disk_full
from countersign_export_worker.connectors.sftp_folder import SftpFolder
from countersign_export_worker.connectors.sftp_names import (
    done_token,
    taken_name,
    token_of,
)
from countersign_export_worker.connectors.sftp_place import (
    folder_changed,
    read_place,
    settle_place,
)
from countersign_export_worker.connectors.sftp_session import SftpSession
from countersign_export_worker.connectors.sftp_settings import SftpSettings
from countersign_export_worker.connectors.sftp_token import SftpToken
from countersign_export_worker.errors import DeliveryError, NameTaken, TokenGone
from countersign_export_worker.file_names import DropName
from countersign_export_worker.ports import Whereabouts
from countersign_platform.shared_calls import AskApart

_T = TypeVar("_T")


class SftpDrop:
    """The steps, on the folders of one connection's settings."""

    def __init__(
        self, session: SftpSession, settings: SftpSettings, temporary: SftpFolder, final: SftpFolder
    ) -> None:
        self._session = session
        self._settings = settings
        self._temporary = temporary
        self._final = final

    @classmethod
    async def reach(cls, session: SftpSession, settings: SftpSettings) -> "SftpDrop":
        """Find the folders out, where this session does not know them yet."""
        final = await session.folder(settings.options.export_path)
        temporary = await session.folder(settings.options.temporary_path)
        return cls(session, settings, temporary, final)

    async def stage(self, name: DropName, document: bytes) -> DropName:
        """See ErpConnectorPort.stage."""
        await self._make_temporary()
        known = self._session.places.get(self._temporary.path)
        if known is not None and (token := await self._stage_at(known, name, document)):
            return token
        place = await self._settle_place()
        token = await self._stage_at(place, name, document)
        if token is None:
            raise folder_changed(self._temporary)
        return token

    async def stage_all(
        self, files: Sequence[tuple[DropName, bytes]]
    ) -> Sequence[DropName | AskApart]:
        """As `stage` for each at once; AskApart: a part may be left, `stage` makes it whole.

        The folder's place is looked at once, after the last was written: four requests of nine.
        """
        await self._make_temporary()
        known = self._session.places.get(self._temporary.path)
        place = known or await self._settle_place()
        tokens = [self._named(name, place) for name, _ in files]
        errors = await _each(
            self._write_all(token, document)
            for token, (_, document) in zip(tokens, files, strict=True)
        )
        if not await self._is_still(place):
            await _each(self.discard(token) for token in tokens)
            return [AskApart() for _ in files]
        return [
            token if error is None else AskApart()
            for token, error in zip(tokens, errors, strict=True)
        ]

    async def _settle_place(self) -> str:
        place = await settle_place(self._temporary)
        self._session.places[self._temporary.path] = place
        return place

    async def _make_temporary(self) -> None:
        if self._temporary is not self._final:
            await self._temporary.make(self._settings.options.folder_mode)

    async def _write_all(self, token: DropName, document: bytes) -> None:
        if self._settings.options.done_suffix:
            await self._write(done_token(token), b"")
        await self._write(str(token), document)

    async def _stage_at(self, place: str, name: DropName, document: bytes) -> DropName | None:
        """The token; None, and nothing is left, if the folder is not the one of that place."""
        token = self._named(name, place)
        await self._write_all(token, document)
        # The folder may have been exchanged: then the name on record would lie.
        if await self._is_still(place):
            return token
        await self.discard(token)
        return None

    async def _is_still(self, place: str) -> bool:
        if await read_place(self._temporary) == place:
            return True
        self._session.places.pop(self._temporary.path, None)
        return False

    async def remove_part(self, name: DropName) -> None:
        """Remove what an interrupted `stage` of this name left."""
        place = await read_place(self._temporary)
        if place is not None:
            await self.discard(self._named(name, place))

    async def publish(self, staged: DropName) -> None:
        """See ErpConnectorPort.publish."""
        await self._require_free_done_name(staged)
        for folder in self._folders:
            if await self._token(staged, folder).publish():
                await self._announce(staged, folder)
                return
        await self._require_place(staged)
        raise TokenGone(str(staged))

    async def publish_all(self, staged: Sequence[DropName]) -> Sequence[Exception | None]:
        """As `publish` for each at once; AskApart: `publish` finds out what is the matter."""
        errors = await _each(self.publish(token) for token in staged)
        return [
            error if error is None or isinstance(error, DeliveryError | TokenGone) else AskApart()
            for error in errors
        ]

    async def withdraw(self, staged: DropName) -> None:
        """See ErpConnectorPort.withdraw."""
        for folder in self._folders:
            if await self._token(staged, folder).withdraw():
                await folder.remove(done_token(staged))
                return
        await self._require_place(staged)
        raise TokenGone(str(staged))

    async def trace(self, staged: DropName) -> Whereabouts:
        """See ErpConnectorPort.trace; carries through a publish that was begun."""
        for folder in self._folders:
            if await folder.has(str(staged)):
                return Whereabouts.STAGED
            if await folder.has(str(staged.taken_back())):
                return Whereabouts.WITHDRAWN
            token = self._token(staged, folder)
            if await token.is_taken() and await token.finish():
                await self._announce(staged, folder)
                return Whereabouts.PUBLISHED
        if await self._final.has(staged.final):
            for folder in self._folders:
                await self._announce(staged, folder)
            return Whereabouts.PUBLISHED
        await self._require_place(staged)
        # An ERP that takes documents without waiting for their done-files needs none.
        for folder in self._folders:
            await folder.remove(done_token(staged))
        return Whereabouts.GONE

    async def discard(self, name: DropName) -> None:
        """See ErpConnectorPort.discard."""
        names = [str(name)] if name.withdrawn else [str(name), done_token(name), taken_name(name)]
        for folder in self._folders:
            for each in names:
                await folder.remove(each)

    async def list_leftovers(self) -> Sequence[DropName]:
        """See ErpConnectorPort.list_leftovers."""
        found: dict[DropName, None] = {}
        for folder in self._folders:
            # A temporary folder that nothing was staged in yet is not there.
            optional = NOT_THERE if folder is not self._final else ()
            with suppress(*optional):
                async for each, _ in folder.entries():
                    name = token_of(each)
                    if name is not None:
                        found[name] = None
        return list(found)

    @property
    def _folders(self) -> tuple[SftpFolder, ...]:
        """Where tokens may be: those staged before a temporary folder was set are beside."""
        if self._temporary.path == self._final.path:
            return (self._final,)
        return (self._temporary, self._final)

    def _named(self, name: DropName, place: str) -> DropName:
        return name.ending_in(self._settings.options.temporary_suffix).at(place)

    def _token(self, name: DropName, source: SftpFolder) -> SftpToken:
        return SftpToken(self._session, name, source=source, target=self._final)

    async def _require_free_done_name(self, staged: DropName) -> None:
        suffix = self._settings.options.done_suffix
        if suffix and await self._final.has(f"{staged.final}{suffix}"):
            for folder in self._folders:
                if await folder.has(str(staged)):
                    raise NameTaken(f"{staged.final}{suffix}")

    async def _announce(self, staged: DropName, folder: SftpFolder) -> None:
        """Show the done-file, unless somebody did."""
        suffix = self._settings.options.done_suffix
        if not suffix:
            return
        shown = f"{staged.final}{suffix}"
        try:
            await self._session.client.rename(folder.at(done_token(staged)), self._final.at(shown))
        except NOT_THERE:
            return
        except asyncssh.SFTPFailure:
            if not await self._final.has(shown):
                raise
            await folder.remove(done_token(staged))

    async def _require_place(self, staged: DropName) -> None:
        for folder in self._folders:
            if await read_place(folder) == staged.place:
                return
        raise folder_changed(self._temporary)

    async def _write(self, name: str, data: bytes) -> None:
        """A new file; an own earlier try under that name is removed first."""
        for again in (False, True):
            try:
                await self._temporary.write_new(name, data, self._settings.options.file_mode)
            except asyncssh.SFTPFailure as error:
                # "Failure" is all that version 3 says: a name that exists, or a full disk.
                if not await self._temporary.has_room_for(len(data)):
                    raise disk_full(str(self._settings)) from error
                if again or not await self._temporary.remove(name):
                    raise
            else:
                return


async def _each(work: Iterable[Awaitable[_T]]) -> list[_T | Exception]:
    """What each came to, when the last of them has ended; a lost connection is everybody's."""
    answers: list[_T | Exception] = []
    for result in await asyncio.gather(*work, return_exceptions=True):
        if isinstance(result, LOST):
            raise result
        if isinstance(result, BaseException) and not isinstance(result, Exception):
            raise result
        answers.append(result)
    return answers
