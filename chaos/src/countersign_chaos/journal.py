"""An append-only log of JSON lines, and how to read it back."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any


class Journal:
    """One file; a line is on its way to the disk before `write` returns."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.open("a", encoding="utf-8", buffering=1)

    def write(self, entry: dict[str, Any]) -> None:
        """Append one line."""
        self._file.write(json.dumps(entry, ensure_ascii=False, separators=(",", ":")) + "\n")

    def close(self) -> None:
        """Write out and close."""
        self._file.close()


def read_journal(path: Path) -> Iterator[dict[str, Any]]:
    """Every line, oldest first; nothing when there is no file."""
    if not path.exists():
        return
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)
