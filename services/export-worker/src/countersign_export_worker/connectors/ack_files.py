"""The ERP's answers as files: `ack_<file>` and `error_<file>`, whatever brings them here.

    ack_sales_order_….json     {"erp_order_id": "4711"}
    error_sales_order_….json   {"code": "UNKNOWN_SKU", "message": "…"}

JSON objects of which every key may be missing; `export_id` may be added. Where only presence
counts, any content does, and an error file's text is the message. Pure.
"""

import json
import re
from enum import StrEnum
from typing import Any
from uuid import UUID

from countersign_export_worker.ports import AckFile, AttemptError

# One look takes this many at the most; the rest waits for the next one.
MOST = 200
MAX_BYTES = 1_000_000

_NAME = re.compile(r"(?P<kind>ack|error)_(?P<file>[A-Za-z0-9_\-][A-Za-z0-9_.\-]*)")
_CODE = re.compile(r"[A-Z][A-Z0-9_]{2,63}")
_REFUSED = "The ERP refused the file."
_MOST_CHARACTERS = 1000


class AckMode(StrEnum):
    """What of an answer counts."""

    JSON = "json"
    # The name alone.
    PRESENCE = "presence"
    # There are no answers.
    NONE = "none"


def is_ack_name(name: str) -> bool:
    """Whether a file of this name is an answer."""
    return _NAME.fullmatch(name) is not None


def malformed(name: str) -> AckFile:
    """An answer that nobody can make sense of."""
    return AckFile(name, "")


def unsettled(name: str, size: int | None, changed: float | None) -> AckFile:
    """One that may still be being written; `changed` in whatever the file system counts."""
    return AckFile(name, "", state=f"{size} {changed}")


def read_ack(name: str, data: bytes, mode: AckMode) -> AckFile:
    """The answer in a file.

    Raises:
        ValueError: it makes no sense, or does not yet.
    """
    match = _NAME.fullmatch(name)
    if match is None:
        raise ValueError("not the name of an answer")
    accepted = match["kind"] == "ack"
    if mode is AckMode.PRESENCE:
        return _present(name, match["file"], data, accepted=accepted)
    return _ack(name, match["file"], _parse(data), accepted=accepted)


def _present(name: str, file_name: str, data: bytes, *, accepted: bool) -> AckFile:
    if accepted:
        return AckFile(name, file_name, accepted=True)
    words = "".join(
        each if each.isprintable() else " " for each in data.decode("utf-8-sig", "replace")
    )
    message = " ".join(words.split())[:_MOST_CHARACTERS] or _REFUSED
    return AckFile(name, file_name, error=AttemptError("ERP_REFUSED", message))


def _parse(data: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(data.decode("utf-8-sig"))
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if not isinstance(answer, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004 — one kind of malformed
    return answer


def _ack(name: str, file_name: str, answer: dict[str, Any], *, accepted: bool) -> AckFile:
    export_id = UUID(str(answer["export_id"])) if answer.get("export_id") is not None else None
    if accepted:
        number = answer.get("erp_order_id")
        return AckFile(
            name,
            file_name,
            accepted=True,
            erp_order_id="" if number is None else str(number),
            export_id=export_id,
        )
    code = str(answer.get("code") or "")
    message = str(answer.get("message") or _REFUSED)
    error = AttemptError(code if _CODE.fullmatch(code) else "ERP_REFUSED", message)
    return AckFile(name, file_name, error=error, export_id=export_id)
