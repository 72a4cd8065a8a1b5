"""One draft and its exports as a plain model: what each call must answer and leave behind."""

from dataclasses import dataclass, field

LIVE = {"PENDING", "SENT", "ACKED"}


@dataclass
class Export:
    """What the model knows of one export. `leased`: a lease is out, run out or not."""

    id: str
    status: str = "PENDING"
    fence: int = 0
    attempt: int = 0
    leased: bool = False
    ran_out: bool = False
    due: bool = True
    staged_fence: int | None = None
    held: bool = False
    error: tuple[str, int] | None = None
    was_sent: bool = False
    answered: bool = False

    def holds(self, fence: int) -> bool:
        """Whether the lease with this fence is the current one."""
        return self.status == "PENDING" and self.fence == fence and self.leased

    def finish(self, status: str) -> None:
        """PENDING no more."""
        self.status, self.leased, self.held = status, False, False

    def put_off(self, code: str) -> None:
        """Given back until later."""
        self.leased, self.due, self.error = False, False, (code, self.attempt)

    def was_put_off_so(self, fence: int, code: str) -> bool:
        """Whether this very report is on record already."""
        return (
            self.status == "PENDING"
            and self.fence == fence
            and not self.leased
            and self.error == (code, self.attempt)
        )


@dataclass
class Model:
    """One draft: where it stands, its exports, the keys that were used, what is on record."""

    draft: str = "APPROVED"
    exports: list[Export] = field(default_factory=list)
    keys: dict[tuple[str, str], Export] = field(default_factory=dict)
    acts: list[str] = field(default_factory=list)

    @property
    def last(self) -> Export:
        """The newest export."""
        return self.exports[-1]

    def ask(self, operation: str, key: str | None) -> str:
        """What a push or a retry answers: NEW, a replay, or the reason of the refusal."""
        if key is not None and (operation, key) in self.keys:
            return "REPLAY"
        if self.draft == {"push": "APPROVED", "retry": "ERROR"}[operation]:
            return "NEW"
        if self.exports and self.last.status in LIVE:
            if operation == "push":
                return "EXPORT_EXISTS"
            if self.last.status != "PENDING":
                return "EXPORT_ALREADY_SUCCEEDED"
            return "OUTCOME_UNKNOWN" if self.last.held else "EXPORT_EXISTS"
        return "WRONG_STATE"

    def begin(self, operation: str, key: str | None, export_id: str) -> None:
        """A new export."""
        self.draft = "PUSHING"
        self.exports.append(Export(export_id))
        if key is not None:
            self.keys[operation, key] = self.last
        self.acts.append("DRAFT_PUSHED" if operation == "push" else "DRAFT_PUSH_RETRIED")

    def deliver(self, export: Export, act: str = "DRAFT_PUSH_SUCCEEDED") -> None:
        """PENDING → SENT."""
        export.finish("SENT")
        export.was_sent = True
        self.draft = "PUSHED"
        self.acts.append(act)

    def fail(self, export: Export, act: str = "DRAFT_PUSH_FAILED") -> None:
        """→ FAILED."""
        export.finish("FAILED")
        self.draft = "ERROR"
        self.acts.append(act)
