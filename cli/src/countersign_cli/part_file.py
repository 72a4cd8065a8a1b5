"""A file that is being downloaded: beside its final name until it is whole, and resumable."""

import json
import os
from pathlib import Path
from typing import Any, BinaryIO, Self

from countersign_cli.download_records import Records


class OtherDownloadError(Exception):
    """What lies there was begun with other filters."""


class PartFile:
    """`FILE.part` holds whole records only, `FILE.part.json` says how far they go.

    What was written after the last `save` is dropped by the next `open`, so that a crash at any
    moment leaves something to go on from.
    """

    def __init__(self, target: Path, wanted: dict[str, Any], records: Records) -> None:
        self._target = target
        self._part = target.with_name(target.name + ".part")
        self._note = target.with_name(target.name + ".part.json")
        self._wanted = wanted
        self._records = records
        self._rest = b""
        self._file: BinaryIO | None = None
        self.size = 0
        self.last_seq = 0
        self.up_to_seq = 0
        self.whole = False
        self._ended = False

    def __enter__(self) -> Self:
        """Opens it where it was left.

        Raises:
            OtherDownloadError: there is one, of other filters.
        """
        if self._note.exists():
            note = json.loads(self._note.read_text())
            if note["wanted"] != self._wanted:
                raise OtherDownloadError(
                    f"{self._part} was begun with other filters; remove it, or use these again"
                )
            self.size, self.last_seq = note["size"], note["last_seq"]
            self.up_to_seq, self.whole = note["up_to_seq"], note["whole"]
        self._file = self._part.open("ab")
        self._file.truncate(self.size)
        return self

    def __exit__(self, *_exc_info: object) -> None:
        self.save()
        assert self._file is not None
        self._file.close()

    def begin(self) -> None:
        """Before each stream: without an event yet, it is the first one, and brings all."""
        assert self._file is not None
        if not self.last_seq:
            self._file.truncate(0)
            self.size = 0

    def add(self, chunk: bytes) -> None:
        """Takes bytes of the download; writes the records that are whole."""
        assert self._file is not None
        buffer = self._rest + chunk
        cut = self._records.cut(buffer)
        whole, self._rest = buffer[:cut], buffer[cut:]
        if not whole:
            return
        self._file.write(whole)
        self.size += len(whole)
        self.last_seq = self._records.last_seq(whole) or self.last_seq
        self._ended = self._records.ends(whole)

    def conclude(self, *, broken: bool) -> None:
        """Says whether a stream that ended, or was `broken` off, brought everything."""
        ended = self._ended if self._records.marks_end else not broken
        self.whole = ended and not self._rest
        self._rest = b""

    def save(self) -> None:
        """Makes what was written so far survive a crash."""
        assert self._file is not None
        self._file.flush()
        os.fsync(self._file.fileno())
        note = {
            "wanted": self._wanted,
            "size": self.size,
            "last_seq": self.last_seq,
            "up_to_seq": self.up_to_seq,
            "whole": self.whole,
        }
        fresh = self._note.with_name(self._note.name + ".new")
        fresh.write_text(json.dumps(note))
        fresh.replace(self._note)

    def finish(self) -> None:
        """Gives the whole file its name; call it after the block."""
        self._part.replace(self._target)
        self._note.unlink(missing_ok=True)
