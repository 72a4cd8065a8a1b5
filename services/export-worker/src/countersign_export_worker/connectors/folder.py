"""A dropzone in a folder that this machine can see: a local disk or a mounted share.

File calls block, so each runs in a thread. The threads are the folder's own: a share that
hangs keeps them, and nobody else's.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import ParamSpec, TypeVar

from countersign_export_worker.connectors import folder_acks, folder_check, folder_files
from countersign_export_worker.connectors.dropzone_options import DropzoneOptions
from countersign_export_worker.connectors.os_errors import (
    delivery_error,
    os_errors_as_delivery_errors,
)
from countersign_export_worker.errors import DeliveryError
from countersign_export_worker.file_names import DropName
from countersign_export_worker.ports import AckFile, CheckReport, Whereabouts
from countersign_platform.turns import SMALL_BYTES, turns

_P = ParamSpec("_P")
_T = TypeVar("_T")


class FolderConnector:
    """ErpConnectorPort over a folder."""

    is_direct = False
    patience_seconds = 0.0

    def __init__(self, options: DropzoneOptions, *, threads: int = 8) -> None:
        """`threads`: how many file calls of this folder may be under way at once."""
        self._options = options
        self._threads = ThreadPoolExecutor(threads, "folder")
        self._stages = turns(self._stage_alone, self._stage_together)
        self._publishes = turns(self._publish_alone, self._publish_together)

    async def stage(self, name: DropName, document: bytes) -> DropName:
        """See ErpConnectorPort; small files that are staged at the same time share a thread."""
        if len(document) > SMALL_BYTES:
            return await self._stage_alone((name, document))
        return await self._stages.ask((name, document))

    async def publish(self, staged: DropName) -> None:
        """See ErpConnectorPort; likewise."""
        await self._publishes.ask(staged)

    async def withdraw(self, staged: DropName) -> None:
        """See ErpConnectorPort."""
        await self._in_thread(folder_files.withdraw, self._options, staged)

    async def trace(self, staged: DropName) -> Whereabouts:
        """See ErpConnectorPort."""
        return await self._in_thread(folder_files.trace, self._options, staged)

    async def discard(self, name: DropName) -> None:
        """See ErpConnectorPort."""
        await self._in_thread(folder_files.discard, self._options, name)

    async def list_leftovers(self) -> Sequence[DropName]:
        """See ErpConnectorPort."""
        return await self._in_thread(folder_files.list_leftovers, self._options)

    async def test_connection(self) -> CheckReport:
        """See ErpConnectorPort."""
        return await self._in_thread(folder_check.check_folder, self._options)

    async def poll_acks(self) -> Sequence[AckFile]:
        """See ErpConnectorPort."""
        if self._options.ack_path is None:
            return ()
        return await self._in_thread(
            folder_acks.read_acks, Path(self._options.ack_path), self._options.ack_mode
        )

    async def file_ack(self, ack: AckFile, *, understood: bool) -> None:
        """See ErpConnectorPort."""
        if self._options.ack_path is not None:
            await self._in_thread(
                folder_acks.file_ack,
                Path(self._options.ack_path),
                ack.name,
                understood=understood,
                folder_mode=self._options.folder_mode,
            )

    async def aclose(self) -> None:
        """Let the threads end; one that hangs ends when its share comes back."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _stage_alone(self, file: tuple[DropName, bytes]) -> DropName:
        return await self._in_thread(folder_files.stage, self._options, *file)

    async def _stage_together(
        self, files: Sequence[tuple[DropName, bytes]]
    ) -> Sequence[DropName | Exception]:
        staged = await self._in_thread(folder_files.stage_all, self._options, files)
        return [self._translated(each) for each in staged]

    async def _publish_alone(self, token: DropName) -> None:
        await self._in_thread(folder_files.publish, self._options, token)

    async def _publish_together(self, tokens: Sequence[DropName]) -> Sequence[Exception | None]:
        published = await self._in_thread(folder_files.publish_all, self._options, tokens)
        return [self._translated(each) for each in published]

    def _translated(self, result: _T) -> _T | DeliveryError:
        if isinstance(result, OSError):
            return delivery_error(result, Path(self._options.export_path))
        return result

    async def _in_thread(
        self, call: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs
    ) -> _T:
        def translated() -> _T:
            with os_errors_as_delivery_errors(Path(self._options.export_path)):
                return call(*args, **kwargs)

        return await asyncio.get_running_loop().run_in_executor(self._threads, translated)
