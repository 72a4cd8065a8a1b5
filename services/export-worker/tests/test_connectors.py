"""Every built-in connector passes the conformance suite."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from countersign_export_worker.connectors.conformance import CHECKS, Check, DropzoneHarness
from countersign_export_worker.connectors.dropzone_options import DropzoneOptions
from countersign_export_worker.connectors.folder import FolderConnector
from countersign_export_worker.connectors.memory import MemoryConnector


class FolderHarness:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.connector = FolderConnector(DropzoneOptions.at(folder))

    def files(self) -> Mapping[str, bytes]:
        return {path.name: path.read_bytes() for path in self.folder.iterdir()}

    def put(self, name: str, data: bytes) -> None:
        (self.folder / name).write_bytes(data)

    def take(self, name: str) -> None:
        (self.folder / name).unlink()

    @contextmanager
    def elsewhere(self) -> Iterator[None]:
        away = self.folder.with_name(self.folder.name + "-away")
        self.folder.rename(away)
        self.folder.mkdir()
        try:
            yield
        finally:
            self.folder.rmdir()
            away.rename(self.folder)


class MemoryHarness:
    def __init__(self) -> None:
        self.connector = MemoryConnector()

    def files(self) -> Mapping[str, bytes]:
        return self.connector.files

    def put(self, name: str, data: bytes) -> None:
        self.connector.files[name] = data

    def take(self, name: str) -> None:
        del self.connector.files[name]

    @contextmanager
    def elsewhere(self) -> Iterator[None]:
        files, place = self.connector.files, self.connector.place
        self.connector.files, self.connector.place = {}, "2"
        try:
            yield
        finally:
            self.connector.files, self.connector.place = files, place


@pytest.fixture(params=["memory", "folder"])
def harness(request: pytest.FixtureRequest, dropzone: Path) -> DropzoneHarness:
    return MemoryHarness() if request.param == "memory" else FolderHarness(dropzone)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
async def test_connector_conforms(check: Check, harness: DropzoneHarness) -> None:
    """What the port promises, every adapter keeps."""
    await check(harness)
