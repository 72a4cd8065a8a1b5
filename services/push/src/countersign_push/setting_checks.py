"""Checks of single settings: each says what is wrong with a value, or None. Pure."""

import base64
import binascii
import re
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import Any

# Says what is wrong with a value, or None.
Check = Callable[[Any], str | None]

_MAX_PATH = 1000
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.\-]{0,251}[A-Za-z0-9])?|\[?[0-9A-Fa-f:.]{2,45}\]?")
_SUFFIX = re.compile(r"[A-Za-z0-9_\-]{1,16}")
_DONE_SUFFIX = re.compile(r"\.[A-Za-z0-9_\-]{1,16}")
_PERMISSIONS = re.compile(r"0?[0-7]{3}")
_KEY_TYPES = frozenset(
    {
        "ssh-ed25519",
        "ecdsa-sha2-nistp256",
        "ecdsa-sha2-nistp384",
        "ecdsa-sha2-nistp521",
        "ssh-rsa",
    }
)


def absolute_path(value: Any) -> str | None:
    """A POSIX path from the root, without "..", in printable characters."""
    if not isinstance(value, str) or not 1 <= len(value) <= _MAX_PATH or not value.isprintable():
        return f"must be a path of 1 to {_MAX_PATH} printable characters"
    path = PurePosixPath(value)
    if not path.is_absolute() or ".." in path.parts:
        return "must be an absolute path without '..'"
    return None


def only_true(value: Any) -> str | None:
    """What integrators look for and cannot switch off."""
    if value is True:
        return None
    return "must be true: a document is written under a temporary name and then renamed"


def whole_number(least: int, most: int) -> Check:
    """An integer in this range."""

    def check(value: Any) -> str | None:
        if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
            return None
        return f"must be a whole number from {least} to {most}"

    return check


def seconds(most: float) -> Check:
    """A length of time above zero."""

    def check(value: Any) -> str | None:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return (
            None if number and 0 < value <= most else f"must be seconds above 0, at most {most:g}"
        )

    return check


def one_of(*choices: str) -> Check:
    """One of these words."""

    def check(value: Any) -> str | None:
        return None if value in choices else f"must be one of: {', '.join(choices)}"

    return check


def host(value: Any) -> str | None:
    """A name or an address, without a port."""
    if isinstance(value, str) and _HOST.fullmatch(value):
        return None
    return "must be a host name or an address, without a port"


def user_name(value: Any) -> str | None:
    """What an SSH server may know somebody by."""
    if isinstance(value, str) and 1 <= len(value) <= 200 and value.isprintable():  # noqa: PLR2004
        return None
    return "must be 1 to 200 printable characters"


def temporary_suffix(value: Any) -> str | None:
    """Without its dot."""
    if isinstance(value, str) and _SUFFIX.fullmatch(value) and value not in {"withdrawn", "done"}:
        return None
    return "must be 1 to 16 letters, digits, '_' or '-', and not 'withdrawn' or 'done'"


def done_suffix(value: Any) -> str | None:
    """With its dot."""
    if isinstance(value, str) and _DONE_SUFFIX.fullmatch(value):
        return None
    return "must be a dot and 1 to 16 letters, digits, '_' or '-', for example '.ok'"


def permissions(value: Any) -> str | None:
    """Octal digits in a string."""
    if isinstance(value, str) and _PERMISSIONS.fullmatch(value):
        return None
    return "must be octal permissions in a string, for example '0640'"


def host_keys(value: Any) -> str | None:
    """One public key, or two while the server's key is being changed."""
    if not isinstance(value, list) or len(value) not in {1, 2}:
        return "must be a list of one public key, or two during a rotation"
    if all(_is_public_key(line) for line in value):
        return None
    return "must be OpenSSH public keys, for example 'ssh-ed25519 AAAA…'"


def _is_public_key(line: Any) -> bool:
    if not isinstance(line, str) or not line.isprintable():
        return False
    kind, _, rest = line.strip().partition(" ")
    try:
        blob = base64.b64decode(rest.split(" ", maxsplit=1)[0], validate=True)
    except (binascii.Error, ValueError):
        return False
    # The blob begins with the type again, after its length.
    return kind in _KEY_TYPES and blob[4 : 4 + len(kind)] == kind.encode()
