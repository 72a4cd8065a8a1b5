"""What both transports of a dropzone can be set to."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath, PurePosixPath
from typing import Any

from countersign_export_worker.connectors.ack_files import AckMode
from countersign_export_worker.errors import PermanentDeliveryError
from countersign_export_worker.file_names import RESERVED_SUFFIXES, SUFFIX

_SUFFIX = re.compile(r"[A-Za-z0-9_\-]{1,16}")
_DONE_SUFFIX = re.compile(r"\.[A-Za-z0-9_\-]{1,16}")
_PERMISSIONS = re.compile(r"0?[0-7]{3}")


@dataclass(frozen=True, slots=True)
class DropzoneOptions:
    """Folders are absolute; modes are permission bits, set whatever the umask.

    `temporary_path` is where files are written before their rename; on the file system of
    `export_path`, which it is unless set. `temporary_suffix` ends their names. With
    `done_suffix` (".ok") an empty file of that name follows each document. `ack_path` is None
    where the ERP does not answer. `folder_mode` is for folders that we make.
    """

    export_path: PurePosixPath
    temporary_path: PurePosixPath
    temporary_suffix: str = SUFFIX
    done_suffix: str = ""
    ack_path: PurePosixPath | None = None
    ack_mode: AckMode = AckMode.JSON
    file_mode: int = 0o644
    folder_mode: int = 0o755

    @classmethod
    def at(cls, export_path: PurePath, **different: Any) -> "DropzoneOptions":
        """The defaults for this folder, but for what is `different`."""
        path = PurePosixPath(export_path)
        return cls(**{"export_path": path, "temporary_path": path, **different})

    @classmethod
    def parse(cls, config: Mapping[str, Any]) -> "DropzoneOptions":
        """From a connection's settings.

        Raises:
            PermanentDeliveryError: BAD_CONFIG; push checks the same before it saves.
        """
        export_path = absolute(config, "export_path")
        mode = config.get("ack_mode", AckMode.JSON.value)
        if mode not in set(AckMode):
            raise bad_config(f"ack_mode must be one of {', '.join(AckMode)}")
        answers = config.get("ack_path") is not None and mode != AckMode.NONE
        suffix = _matching(config, "temporary_suffix", _SUFFIX, SUFFIX)
        if suffix in RESERVED_SUFFIXES:
            raise bad_config(f"temporary_suffix must not be {suffix}")
        return cls(
            export_path=export_path,
            temporary_path=(
                absolute(config, "temporary_path") if "temporary_path" in config else export_path
            ),
            temporary_suffix=suffix,
            done_suffix=_matching(config, "done_file", _DONE_SUFFIX, ""),
            ack_path=absolute(config, "ack_path") if answers else None,
            ack_mode=AckMode(mode),
            file_mode=_permissions(config, "file_permissions", 0o644),
            folder_mode=_permissions(config, "folder_permissions", 0o755),
        )


def absolute(config: Mapping[str, Any], key: str) -> PurePosixPath:
    """A path from the root; a worker's working directory is nobody's business.

    Raises:
        PermanentDeliveryError: BAD_CONFIG.
    """
    value = config.get(key)
    if not isinstance(value, str) or "\0" in value or not PurePosixPath(value).is_absolute():
        raise bad_config(f"{key} must be an absolute path")
    path = PurePosixPath(value)
    if ".." in path.parts:
        raise bad_config(f"{key} must not lead upwards")
    return path


def bad_config(complaint: str) -> PermanentDeliveryError:
    """A connection that cannot be used, and why."""
    return PermanentDeliveryError("BAD_CONFIG", f"The connection cannot be used: {complaint}.")


def _matching(config: Mapping[str, Any], key: str, pattern: re.Pattern[str], default: str) -> str:
    value = config.get(key, default)
    if value == default:
        return default
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise bad_config(f"{key} is malformed")
    return value


def _permissions(config: Mapping[str, Any], key: str, default: int) -> int:
    value = config.get(key)
    if value is None:
        return default
    if not isinstance(value, str) or not _PERMISSIONS.fullmatch(value):
        raise bad_config(f"{key} must be octal digits")
    return int(value, 8)
