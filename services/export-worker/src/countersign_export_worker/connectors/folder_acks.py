"""The ERP's answers in a local folder: `ack_<file>` and `error_<file>`, JSON objects.

    ack_sales_order_….json     {"erp_order_id": "4711"}
    error_sales_order_….json   {"code": "UNKNOWN_SKU", "message": "…"}

Every key may be missing. Blocking.
"""

import errno
import json
import os
import re
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from countersign_export_worker.connectors.folder_files import open_folder, read_regular
from countersign_export_worker.ports import AckFile, AttemptError

# One look takes this many at the most; the rest waits for the next one.
_MOST = 200
_MAX_BYTES = 1_000_000
# An answer that makes no sense may still be being written, for this long.
_SETTLED_SECONDS = 30.0
_NAME = re.compile(r"(?P<kind>ack|error)_(?P<file>[A-Za-z0-9_\-][A-Za-z0-9_.\-]*)")
_CODE = re.compile(r"[A-Z][A-Z0-9_]{2,63}")


def read_acks(path: Path) -> list[AckFile]:
    """The answers that wait, oldest name first; unsettled ones are left for the next look."""
    with open_folder(path) as folder:
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries if _NAME.fullmatch(entry.name))
        found = (_read(folder, name) for name in names[:_MOST])
        return [ack for ack in found if ack is not None]


def file_ack(path: Path, name: str, *, understood: bool) -> None:
    """Move an answer to `processed` or `error`; nothing happens when it is gone already."""
    target = "processed" if understood else "error"
    with open_folder(path) as folder:
        with suppress(FileExistsError):
            os.mkdir(target, 0o755, dir_fd=folder)
        with open_folder(path / target) as place, suppress(FileNotFoundError):
            os.rename(name, name, src_dir_fd=folder, dst_dir_fd=place)


def _read(folder: int, name: str) -> AckFile | None:
    match = _NAME.fullmatch(name)
    assert match is not None
    try:
        answer = _parse(read_regular(folder, name, _MAX_BYTES))
        return _ack(name, match["file"], answer, accepted=match["kind"] == "ack")
    except ValueError:
        return AckFile(name, "") if _is_settled(folder, name) else None
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno in (errno.EFBIG, errno.ELOOP, errno.EISDIR):
            return AckFile(name, "")
        raise


def _is_settled(folder: int, name: str) -> bool:
    changed = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mtime
    return time.time() - changed > _SETTLED_SECONDS


def _parse(data: bytes) -> dict[str, Any]:
    answer = json.loads(data.decode("utf-8-sig"))
    if not isinstance(answer, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004 — one kind of malformed
    return answer


def _ack(name: str, file_name: str, answer: dict[str, Any], *, accepted: bool) -> AckFile:
    if accepted:
        number = answer.get("erp_order_id")
        return AckFile(
            name, file_name, accepted=True, erp_order_id="" if number is None else str(number)
        )
    code = str(answer.get("code") or "")
    message = str(answer.get("message") or "The ERP refused the file.")
    return AckFile(
        name,
        file_name,
        error=AttemptError(code if _CODE.fullmatch(code) else "ERP_REFUSED", message),
    )
