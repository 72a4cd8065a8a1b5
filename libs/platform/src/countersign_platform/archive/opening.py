"""From a URL to the archive behind it."""

from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from countersign_platform.archive.folder import FolderArchive
from countersign_platform.archive.memory import MemoryArchive
from countersign_platform.archive.port import Archive


class ArchiveConfig(Protocol):
    """Which archive; ArchiveSettings is one."""

    @property
    def archive_url(self) -> str | None:
        """file:///…, memory:///, s3://…, gs://… or az://…; None: there is no archive."""

    @property
    def archive_endpoint(self) -> str | None:
        """Where a server answers that speaks S3 and is not Amazon's."""

    @property
    def archive_path_style(self) -> bool:
        """Whether that server wants the bucket in the path rather than in the host's name."""

    @property
    def archive_timeout_seconds(self) -> float:
        """Longest time for one call."""


def open_archive(config: ArchiveConfig) -> Archive | None:
    """The archive, which is not asked anything yet; None where none is configured.

    Raises:
        ValueError: the URL names no archive that is known here.
    """
    url = config.archive_url
    if url is None:
        return None
    parts = urlsplit(url)
    if parts.scheme == "file":
        return FolderArchive.open(Path(unquote(parts.path)), config.archive_timeout_seconds)
    if parts.scheme == "memory":
        return MemoryArchive()
    # Only who has an object store loads its client.
    from countersign_platform.archive.object_store import ObjectStoreArchive  # noqa: PLC0415

    return ObjectStoreArchive.open(
        url,
        config.archive_timeout_seconds,
        endpoint=config.archive_endpoint,
        path_style=config.archive_path_style,
    )
