"""CPU time and resident memory of processes, from /proc.

CPU time per request is the figure that a noisy machine hurts least: what others run makes us
wait, but is not counted as ours.
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
# Fields of /proc/<pid>/stat after the command, which may itself contain spaces.
_PARENT, _UTIME, _STIME, _CHILD_UTIME, _CHILD_STIME = 1, 11, 12, 13, 14


@dataclass(frozen=True, slots=True)
class Usage:
    """CPU seconds since the start of the process, and resident bytes now."""

    cpu_seconds: float
    resident_bytes: int

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            self.cpu_seconds + other.cpu_seconds, self.resident_bytes + other.resident_bytes
        )


NOTHING = Usage(0.0, 0)


def usage_of(pid: int) -> Usage:
    """Of one process and the children that it has waited for; nothing when it is gone."""
    try:
        fields = _fields(pid)
        resident = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return NOTHING
    ticks = sum(int(fields[each]) for each in (_UTIME, _STIME, _CHILD_UTIME, _CHILD_STIME))
    return Usage(ticks / _TICKS, resident * _PAGE)


def tree_usage(pid: int) -> Usage:
    """Of a process and all of its descendants that live."""
    return sum((usage_of(each) for each in tree(pid)), NOTHING)


def tree(root: int) -> list[int]:
    """The process and its descendants."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            pid = int(entry.name)
            try:
                children.setdefault(int(_fields(pid)[_PARENT]), []).append(pid)
            except (FileNotFoundError, ProcessLookupError):
                continue
    found, rest = [], [root]
    while rest:
        pid = rest.pop()
        found.append(pid)
        rest += children.get(pid, [])
    return found


class CpuMeter:
    """CPU seconds that each named process tree used since the meter was made."""

    def __init__(self, roots: Mapping[str, int | Iterable[int]]) -> None:
        """`roots`: process ids by name; several under one name are added up."""
        self._roots = {
            name: [pids] if isinstance(pids, int) else list(pids) for name, pids in roots.items()
        }
        self._begin = self._read()

    def seconds(self) -> dict[str, float]:
        """By name, since the meter was made."""
        now = self._read()
        return {name: now[name].cpu_seconds - self._begin[name].cpu_seconds for name in now}

    def resident_mib(self) -> dict[str, float]:
        """By name, now."""
        return {name: usage.resident_bytes / 2**20 for name, usage in self._read().items()}

    def _read(self) -> dict[str, Usage]:
        return {
            name: sum((tree_usage(pid) for pid in pids), NOTHING)
            for name, pids in self._roots.items()
        }


def _fields(pid: int) -> list[str]:
    stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    return stat.rpartition(")")[2].split()
