"""What a package's migrations say, as SQL: Alembic picks and orders, PostgreSQL executes.

Alembic writes the statements out instead of running them. So a migration may be a script of
many statements, needs no driver but asyncpg, and what a DBA can read is what is run. In
exchange a migration cannot look at the data from Python; it is SQL.
"""

import importlib.util
import io
import threading
from pathlib import Path

_PREFIX = "countersign_"
_ENVIRONMENT = Path(__file__).parent / "alembic"
_BASE = "base"
# `op` and `context` of Alembic belong to the whole process.
_alembic_is_process_wide = threading.Lock()


class _Statements(io.StringIO):
    """Keeps apart what Alembic writes: one call is one `op.execute`, BEGIN, COMMIT or remark.

    Remarks are left out; asyncpg cannot execute nothing.
    """

    def __init__(self) -> None:
        super().__init__()
        self.written: list[str] = []

    def write(self, text: str, /) -> int:
        if not all(line.lstrip().startswith("--") for line in text.split("\n") if line.strip()):
            self.written.append(text)
        return len(text)


def schema_of(package: str) -> str:
    """The schema that a package owns: countersign_push owns push."""
    return package.removeprefix(_PREFIX)


def versions_folder(package: str) -> Path:
    """Where the package keeps its migrations.

    Raises:
        ModuleNotFoundError: the package is not installed, or brings none.
    """
    found = importlib.util.find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise ModuleNotFoundError(f"{package} is not installed", name=package)
    folder = Path(found.submodule_search_locations[0]) / "migrations" / "versions"
    if not folder.is_dir():
        raise ModuleNotFoundError(f"{package} brings no migrations", name=package)
    return folder


def statements_to_head(package: str, installed: str | None) -> list[str]:
    """Everything between the installed revision and the newest, BEGIN and COMMIT included.

    Each element is to be sent by the simple protocol. `installed` is None before the first.
    """
    # A third of what every command of the command line imports, and only migrations need it.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    output = _Statements()
    config = Config(output_buffer=output)
    config.set_main_option("script_location", _escaped(_ENVIRONMENT))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", _escaped(versions_folder(package)))
    config.attributes["schema"] = schema_of(package)
    with _alembic_is_process_wide:
        command.upgrade(config, f"{installed or _BASE}:head", sql=True)
    return output.written


def _escaped(path: Path) -> str:
    """The configuration interpolates percent signs."""
    return str(path).replace("%", "%%")
