"""What the archive has of an org's seals, held against those on record."""

from collections.abc import Iterable

from countersign_audit.seal_check import SealFlaw
from countersign_audit.seals import Seal, seal_hash


class ArchivedSeals:
    """Numbers and hashes of the archived seals. Each one ought to be on record as it is there."""

    def __init__(self, names: Iterable[tuple[int, bytes]], *, compared: bool = True) -> None:
        """`compared` is False when the archive could not be asked."""
        self.compared = compared
        self._left: dict[int, set[bytes]] = {}
        for number, digest in names:
            self._left.setdefault(number, set()).add(digest)
        self.found = 0

    def take(self, seal: Seal) -> SealFlaw | None:
        """Compares a seal that is on record; one that the archive lacks may yet come there."""
        kept = self._left.pop(seal.number, set())
        self.found += bool(kept)
        if not kept or kept == {seal_hash(seal)}:
            return None
        problem = f"{seal.name} is another one than the archive has"
        return SealFlaw(seal.number, seal.last[0], problem)

    def left_over(self, last_seq: int) -> SealFlaw | None:
        """The first that nobody took: the archive has it, and it is not on record.

        `last_seq` is how far the seals on record go.
        """
        if not self._left:
            return None
        number = min(self._left)
        problem = f"seal {number} is in the archive, but not on record"
        return SealFlaw(number, last_seq + 1, problem)
