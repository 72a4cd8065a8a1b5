"""The three names that one export's file can have, and how to read them back.

    final       sales_order_….json                               what the ERP picks up
    temporary   .<final>.<export id>.<fence>.<place>.<suffix>     whole or half written; once it is
                                                                 on record as staged, the token
    withdrawn   .<final>.<export id>.<fence>.<place>.withdrawn    a token that was taken back

`fence` tells whose file it is. `place` tells which folder it was written to, so that an
unmounted share is not mistaken for a folder from which the token was taken. `suffix` is "tmp"
unless the connection's settings say otherwise; the name on record keeps the one that it was
written under, whatever the settings become. Names are names,
never paths: a slash, a NUL or a leading dot in a final name is refused.
"""

import re
from dataclasses import dataclass, replace
from typing import Self
from uuid import UUID

# Longest name that common file systems take, in bytes.
_MAX_BYTES = 255
_FINAL = re.compile(r"[A-Za-z0-9_\-][A-Za-z0-9_.\-]{0,149}")
_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_OURS = re.compile(
    rf"\.(?P<final>{_FINAL.pattern})\.(?P<export>{_UUID})\.(?P<fence>[1-9][0-9]{{0,18}})"
    r"\.(?P<place>[0-9a-z]{1,32})\.(?P<suffix>[A-Za-z0-9_\-]{1,16})"
)
UNKNOWN_PLACE = "0"
SUFFIX = "tmp"
# Not for temporary names: what other names of ours end in.
RESERVED_SUFFIXES = frozenset({"withdrawn", "done", "taken"})


@dataclass(frozen=True, slots=True)
class DropName:
    """A temporary or withdrawn name, taken apart; `str()` puts it together."""

    final: str
    export_id: UUID
    fence: int
    place: str = UNKNOWN_PLACE
    withdrawn: bool = False
    suffix: str = SUFFIX

    def __str__(self) -> str:
        kind = "withdrawn" if self.withdrawn else self.suffix
        return f".{self.final}.{self.export_id}.{self.fence}.{self.place}.{kind}"

    def at(self, place: str) -> Self:
        """The same name in the folder that `place` identifies."""
        return replace(self, place=place)

    def taken_back(self) -> Self:
        """The name that this token gets when it is withdrawn."""
        return replace(self, withdrawn=True, suffix=SUFFIX)

    def ending_in(self, suffix: str) -> Self:
        """The same name with another suffix."""
        return replace(self, suffix=suffix)


def temporary_name(final: str, export_id: UUID, fence: int) -> DropName:
    """Name to write `final`'s bytes under.

    Raises:
        ValueError: `final` is not a plain file name of ours, or the result is too long.
    """
    if not _FINAL.fullmatch(final):
        raise ValueError(f"not a file name that an export may have: {final!r}")
    name = DropName(final, export_id, fence)
    if len(str(name.at("z" * 32).taken_back()).encode()) > _MAX_BYTES:
        raise ValueError(f"too long for a file name: {final!r}")
    return name


def parse_drop_name(name: str) -> DropName | None:
    """The parts of a temporary or withdrawn name; None when it is not one of ours."""
    match = _OURS.fullmatch(name)
    if match is None or match["suffix"] in RESERVED_SUFFIXES - {"withdrawn"}:
        return None
    withdrawn = match["suffix"] == "withdrawn"
    return DropName(
        final=match["final"],
        export_id=UUID(match["export"]),
        fence=int(match["fence"]),
        place=match["place"],
        withdrawn=withdrawn,
        suffix=SUFFIX if withdrawn else match["suffix"],
    )
