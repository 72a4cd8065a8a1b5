"""An empty archive of each kind."""

from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest

from countersign_platform.archive.opening import open_archive
from countersign_platform.archive.port import Archive
from countersign_platform.settings import ArchiveSettings
from countersign_platform.testing.servers import S3Server

OpenS3 = Callable[..., Archive]


def opened(**settings) -> Archive:
    archive = open_archive(ArchiveSettings(**settings))
    assert archive is not None
    return archive


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "to be made" / "archive"


@pytest.fixture
def bucket(s3: S3Server) -> str:
    """URL of an empty bucket."""
    return s3.make_bucket(f"bucket-{uuid4().hex}")


@pytest.fixture
def open_s3(s3: S3Server) -> OpenS3:
    """Opens `url` on the run's S3, or on `endpoint`."""

    def open_(url: str, endpoint: str = s3.endpoint, **settings) -> Archive:
        return opened(archive_url=url, archive_endpoint=endpoint, **settings)

    return open_


@pytest.fixture(params=["folder", "memory", "s3", "s3 below a path"])
def archive(request: pytest.FixtureRequest, folder: Path) -> Archive:
    if request.param == "folder":
        return opened(archive_url=f"file://{folder}".replace(" ", "%20"))
    if request.param == "memory":
        return opened(archive_url="memory:///")
    bucket: str = request.getfixturevalue("bucket")
    path = "/some/path" if "below" in request.param else ""
    open_: OpenS3 = request.getfixturevalue("open_s3")
    return open_(bucket + path)
