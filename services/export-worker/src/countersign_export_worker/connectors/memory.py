"""A dropzone in memory: the twin that tests use where a disk adds nothing.

Behaves as the folder does; connectors.conformance holds both to it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from countersign_export_worker.errors import NameTaken, TokenGone, TransientDeliveryError
from countersign_export_worker.file_names import DropName, parse_drop_name
from countersign_export_worker.ports import AckFile, CheckReport, CheckStep, Whereabouts


@dataclass
class MemoryConnector:
    """ErpConnectorPort over a dict of names and bytes; `place` is the folder's identity."""

    files: dict[str, bytes] = field(default_factory=dict)
    acks: list[AckFile] = field(default_factory=list)
    filed: dict[str, bool] = field(default_factory=dict)
    place: str = "1"
    is_direct: bool = False
    patience_seconds: float = 0.0

    async def stage(self, name: DropName, document: bytes) -> DropName:
        """See ErpConnectorPort."""
        token = name.at(self.place)
        self.files[str(token)] = document
        return token

    async def publish(self, staged: DropName) -> None:
        """See ErpConnectorPort."""
        self._require_token(staged)
        if staged.final in self.files:
            raise NameTaken(staged.final)
        self.files[staged.final] = self.files.pop(str(staged))

    async def withdraw(self, staged: DropName) -> None:
        """See ErpConnectorPort."""
        self._require_token(staged)
        self.files[str(staged.taken_back())] = self.files.pop(str(staged))

    async def trace(self, staged: DropName) -> Whereabouts:
        """See ErpConnectorPort."""
        if str(staged) in self.files:
            return Whereabouts.STAGED
        if str(staged.taken_back()) in self.files:
            return Whereabouts.WITHDRAWN
        if staged.final in self.files:
            return Whereabouts.PUBLISHED
        self._require_place(staged)
        return Whereabouts.GONE

    async def discard(self, name: DropName) -> None:
        """See ErpConnectorPort."""
        self.files.pop(str(name), None)

    async def list_leftovers(self) -> Sequence[DropName]:
        """See ErpConnectorPort."""
        found = (parse_drop_name(name) for name in self.files)
        return [name for name in found if name is not None]

    async def test_connection(self) -> CheckReport:
        """See ErpConnectorPort."""
        return CheckReport(
            ok=True, steps=(CheckStep("connect", ok=True, detail="", duration_ms=0),)
        )

    async def poll_acks(self) -> Sequence[AckFile]:
        """See ErpConnectorPort."""
        return [ack for ack in self.acks if ack.name not in self.filed]

    async def file_ack(self, ack: AckFile, *, understood: bool) -> None:
        """See ErpConnectorPort."""
        self.filed[ack.name] = understood

    async def aclose(self) -> None:
        """Nothing to let go of."""

    def _require_token(self, staged: DropName) -> None:
        if str(staged) not in self.files:
            self._require_place(staged)
            raise TokenGone(str(staged))

    def _require_place(self, staged: DropName) -> None:
        if staged.place != self.place:
            raise TransientDeliveryError("FOLDER_CHANGED", "Not the folder it was staged in.")
