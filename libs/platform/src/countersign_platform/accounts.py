"""Running a program as an account without rights of its own.

PostgreSQL refuses to run as root, so root starts it as somebody else, who reaches only what is
open to everybody: not a checkout below a closed home folder, for example.
"""

import os
import pwd
from pathlib import Path
from typing import Any

# Any user without rights of its own will do.
_NAMES = ("nobody", "postgres", "daemon")


def unprivileged_account() -> pwd.struct_passwd | None:
    """Who to run a server as; None where this process is not root and may stay who it is.

    Raises:
        LookupError: root, on a machine that has no such account.
    """
    if os.geteuid() != 0:
        return None
    for name in _NAMES:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise LookupError(f"one of the users {', '.join(_NAMES)} is needed")


def as_account(account: pwd.struct_passwd | None) -> dict[str, Any]:
    """Arguments of subprocess that run a command as `account`; None: as whoever calls."""
    if account is None:
        return {}
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def others_reach(path: Path) -> bool:
    """Whether any account may walk to `path`, and run it or enter it."""
    path = path.resolve()
    return all(each.stat().st_mode & 0o001 for each in (path, *path.parents))
