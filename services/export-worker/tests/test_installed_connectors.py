"""A connector that is broken stops nobody: not the worker, not the other connectors."""

import json
import sys
from pathlib import Path
from uuid import uuid4

import pytest

from countersign_export_worker.assignment import ConnectionAccess
from countersign_export_worker.connectors.registry import ConnectorRegistry, installed_connectors
from countersign_export_worker.errors import TransientDeliveryError

SOUND = """
from countersign_export_worker.connectors.memory import MemoryConnector
from countersign_export_worker.ports import ConnectorType
CONNECTOR = ConnectorType(lambda access: MemoryConnector())
"""


class Plugins:
    """Installs distributions as pip does: a module, and metadata that names an entry point."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def install(self, module: str, source: str, connector_type: str = "OTHER_V1") -> None:
        (self.folder / f"{module}.py").write_text(source)
        metadata = self.folder / f"{module}-1.0.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
        (metadata / "entry_points.txt").write_text(
            f"[countersign.connectors]\n{connector_type} = {module}:CONNECTOR\n"
        )


@pytest.fixture
def plugins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plugins:
    """Distributions that are forgotten after the test."""
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)
    yield Plugins(tmp_path)
    for name in set(sys.modules) - before:
        if name.startswith("plugin_"):
            del sys.modules[name]


def test_a_sound_connector_is_found(plugins):
    """Installing the package is all there is to do."""
    plugins.install("plugin_sound", SOUND)
    assert {"DROPZONE_JSON_V1", "OTHER_V1"} <= installed_connectors().keys()


@pytest.mark.parametrize(
    "source",
    ["import no_such_module", "raise RuntimeError", "OTHER = 1", "def CONNECTOR(access): ..."],
    ids=["missing dependency", "error while loading", "no such name", "not a ConnectorType"],
)
def test_a_broken_connector_is_left_out(plugins, source):
    """The others are served; exports of this one are told where to look."""
    plugins.install("plugin_broken", source)
    installed = installed_connectors()
    assert "DROPZONE_JSON_V1" in installed
    assert "OTHER_V1" not in installed
    access = ConnectionAccess(uuid4(), uuid4(), "OTHER_V1", json.dumps({}))
    with pytest.raises(TransientDeliveryError, match=r"UNKNOWN_CONNECTOR.*OTHER_V1.*log"):
        ConnectorRegistry(installed).open(access)


def test_of_two_connectors_for_one_type_neither_is_used(plugins):
    """Which order file to write must not depend on the order of folders on a path."""
    plugins.install("plugin_one", SOUND)
    plugins.install("plugin_two", SOUND)
    assert "OTHER_V1" not in installed_connectors()


def test_nobody_takes_the_place_of_a_built_in_connector(plugins):
    """A plug-in under a built-in connector's name stops that type, and shows in the log."""
    plugins.install("plugin_greedy", SOUND, "DROPZONE_JSON_V1")
    assert "DROPZONE_JSON_V1" not in installed_connectors()
