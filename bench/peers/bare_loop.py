"""`python -m bench.peers.bare_loop FOLDER COUNT < document`: the file drop without a system.

Writes, fsyncs, renames and fsyncs the folder, one file after the other: the least that a
durable and atomic drop can be. Prints the seconds.
"""

import os
import sys
import time
from pathlib import Path


def drop(folder: Path, number: int, document: bytes) -> None:
    temporary = folder / f".bare_{number}.tmp"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    os.write(descriptor, document)
    os.fsync(descriptor)
    os.close(descriptor)
    temporary.rename(folder / f"bare_{number}.json")
    descriptor = os.open(folder, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)


def main() -> None:
    folder, count, document = Path(sys.argv[1]), int(sys.argv[2]), sys.stdin.buffer.read()
    begun = time.perf_counter()
    for number in range(count):
        drop(folder, number, document)
    print(time.perf_counter() - begun)


if __name__ == "__main__":
    main()
