"""An archive in S3, Google Cloud Storage, Azure Blob Storage or what speaks their protocols."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Self, TypeVar

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, PreconditionError
from obstore.store import ObjectStore, from_url

from countersign_core.errors import Unavailable
from countersign_platform.archive.port import ArchiveConflict, NotArchived, checked_key

_CONNECT_SECONDS = 3.0
_RETRIES = 2
_LONGEST_WHY = 300

T = TypeVar("T")


class ObjectStoreArchive:
    """Conditional creation decides between two writers, where the store has it.

    Where it has not (obstore is told so by AWS_CONDITIONAL_PUT=disabled), whoever writes looks
    first; two at the same instant could then both write.
    """

    def __init__(self, store: ObjectStore, timeout_seconds: float) -> None:
        self._store = store
        self._timeout = timeout_seconds

    @classmethod
    def open(
        cls, url: str, timeout_seconds: float, *, endpoint: str | None, path_style: bool
    ) -> Self:
        """The store of `url`; credentials and the rest come from the store's own environment.

        Nothing is asked yet. `endpoint` and `path_style` are for servers that speak S3.

        Raises:
            ValueError: the URL, or a variable of the environment, is not what the store knows.
        """
        options: dict[str, Any] = {
            "client_options": {
                "timeout": timedelta(seconds=timeout_seconds),
                "connect_timeout": timedelta(seconds=min(_CONNECT_SECONDS, timeout_seconds)),
            },
            "retry_config": {
                "max_retries": _RETRIES,
                "retry_timeout": timedelta(seconds=timeout_seconds),
            },
        }
        if endpoint is not None:
            options["client_options"]["allow_http"] = endpoint.startswith("http://")
            options["config"] = {
                "endpoint": endpoint,
                "virtual_hosted_style_request": not path_style,
            }
        try:
            return cls(from_url(url, **options), timeout_seconds)
        except BaseError as error:
            raise ValueError(_why(error)) from error

    async def put(self, key: str, data: bytes) -> None:
        """See Archive."""
        checked_key(key)
        try:
            await self._create(key, data)
        except (AlreadyExistsError, PreconditionError):
            await self._compare(key, data)
        except NotImplementedError:
            if await self.exists(key):
                await self._compare(key, data)
            else:
                await self._write(key, data, "overwrite")

    async def get(self, key: str) -> bytes:
        """See Archive."""
        return await self._ask(self._read(checked_key(key)), key)

    async def exists(self, key: str) -> bool:
        """See Archive."""
        try:
            await self._ask(obstore.head_async(self._store, checked_key(key)), key)
        except NotArchived:
            return False
        return True

    async def list_keys(self, prefix: str = "") -> AsyncIterator[str]:
        """See Archive."""
        stream = obstore.list(self._store, prefix=checked_key(prefix) if prefix else None)
        pages = aiter(stream)
        while True:
            try:
                page = await self._ask(anext(pages), prefix)
            except StopAsyncIteration:
                return
            for found in page:
                yield found["path"]

    async def _create(self, key: str, data: bytes) -> None:
        await self._write(key, data, "create")

    async def _write(self, key: str, data: bytes, mode: Any) -> None:
        # One request: an upload in parts cannot be made conditional.
        writing = obstore.put_async(self._store, key, data, mode=mode, use_multipart=False)
        try:
            await self._ask(writing, key)
        except NotArchived as error:
            raise Unavailable("The archive's bucket or container is not there") from error

    async def _read(self, key: str) -> bytes:
        found = await obstore.get_async(self._store, key)
        return bytes(await found.bytes_async())

    async def _compare(self, key: str, data: bytes) -> None:
        try:
            if await self.get(key) != data:
                raise ArchiveConflict(key)
        except NotArchived as error:
            # The other writer has not finished, or somebody removed it: ask again later.
            raise Unavailable("The archive has the key, and has it not") from error

    async def _ask(self, answer: Awaitable[T], key: str) -> T:
        try:
            async with asyncio.timeout(self._timeout):
                with _failures_mapped(key):
                    return await answer
        except TimeoutError as error:
            raise Unavailable("The archive takes too long") from error


@contextmanager
def _failures_mapped(key: str) -> Iterator[None]:
    try:
        yield
    except (AlreadyExistsError, PreconditionError):
        raise
    except FileNotFoundError as error:
        # A bucket that is gone is no proof that a document was never kept.
        if "NoSuchBucket" in str(error) or "ContainerNotFound" in str(error):
            raise Unavailable("The archive's bucket or container is not there") from error
        raise NotArchived(key) from error
    except (BaseError, OSError) as error:
        if isinstance(error, TimeoutError):
            raise
        raise Unavailable(f"The archive: {_why(error)}") from error


def _why(error: Exception) -> str:
    """The first line: what follows are the library's own structures."""
    return str(error).partition("\n")[0][:_LONGEST_WHY]
