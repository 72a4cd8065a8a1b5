"""Every archive is one archive."""

import asyncio

import pytest

from countersign_platform.archive.folder import FolderArchive
from countersign_platform.archive.memory import MemoryArchive
from countersign_platform.archive.port import Archive, ArchiveConflict
from countersign_platform.testing.archive_conformance import CHECKS, Check

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
async def test_archive_keeps_what_it_is_given(check: Check, archive: Archive) -> None:
    await check(archive)


async def test_of_two_who_put_different_bytes_at_once_one_is_told(tmp_path) -> None:
    """S3 promises the same of If-None-Match; the test server does not lock."""
    for archive in (FolderArchive.open(tmp_path, 10), MemoryArchive()):
        puts = [archive.put("key", str(number).encode()) for number in range(20)]
        results = await asyncio.gather(*puts, return_exceptions=True)
        assert results.count(None) == 1
        assert all(result is None or isinstance(result, ArchiveConflict) for result in results)
        assert await archive.get("key") == str(results.index(None)).encode()
