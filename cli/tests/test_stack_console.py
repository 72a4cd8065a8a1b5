"""The one-machine stack serves the console when it is built, and signs people in by itself."""

from pathlib import Path

from countersign_cli.stack.environment import Backends, process_environments
from countersign_cli.stack.layout import Layout
from countersign_cli.stack.ports import Ports

URL = "postgresql://nobody@127.0.0.1/nothing"


def _environments(folder: Path, console: Path | None) -> dict[str, dict[str, str]]:
    backends = Backends(URL, URL, URL, console_folder=console)
    return process_environments(Layout(folder), Ports(), backends)


def test_gateway_alone_gets_the_console_and_the_signing_key(tmp_path: Path) -> None:
    for name, settings in _environments(tmp_path, tmp_path / "dist").items():
        names = {key for key in settings if "CONSOLE" in key or "DEVELOPMENT" in key}
        expected = {"COUNTERSIGN_CONSOLE_FOLDER", "COUNTERSIGN_DEVELOPMENT_SIGNING_KEY"}
        assert names == (expected if name == "gateway" else set()), name


def test_without_a_built_console_nobody_signs_in_by_name(tmp_path: Path) -> None:
    gateway = _environments(tmp_path, None)["gateway"]
    assert not [key for key in gateway if "CONSOLE" in key or "SIGNING_KEY" in key]
