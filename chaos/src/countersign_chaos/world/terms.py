"""How the stack under test is set up, where that differs from an installation's defaults."""

from dataclasses import dataclass, field

# Shorter than the defaults: so that leases (on an export, on a look for answers) run out, what the
# dead left is swept, and idle connectors are closed, many times in one run. How often answers
# are looked for and how long a retry waits at most, each connection says for itself.
SETTINGS = {
    "COUNTERSIGN_LEASE_SECONDS": "5",
    "COUNTERSIGN_ACK_POLL_LEASE_SECONDS": "5",
    "COUNTERSIGN_SWEEP_INTERVAL_SECONDS": "5",
    "COUNTERSIGN_CONNECTOR_IDLE_SECONDS": "3",
    "COUNTERSIGN_OPERATION_TIMEOUT_SECONDS": "10",
    "COUNTERSIGN_LOG_LEVEL": "INFO",
}

MODULES = {
    "approval": "countersign_approval",
    "push": "countersign_push",
    "audit": "countersign_audit",
    "worker": "countersign_chaos.world.mortal_worker",
    "gateway": "countersign_gateway",
}

# Whom each kind of process talks to.
TALKS_TO = {
    "gateway": ("approval", "push", "audit"),
    "approval": ("audit", "postgres"),
    "push": ("audit", "postgres", "rabbit", "redis"),
    "audit": ("postgres",),
    "worker": ("push", "rabbit"),
    "client": ("gateway", "approval", "push"),
    # The address of an SFTP server belongs to its connection, so all workers share these.
    "workers": ("sshd", "poor_sshd"),
}


@dataclass(frozen=True, slots=True)
class Terms:
    """How many of each, and what replaces a program in a build for tests."""

    replicas: dict[str, int] = field(
        default_factory=lambda: {"audit": 2, "approval": 2, "push": 2, "worker": 3, "gateway": 2}
    )
    settings: dict[str, str] = field(default_factory=dict)
    modules: dict[str, str] = field(default_factory=dict)
    # Statements that the owner of the database runs before anything starts.
    sql: tuple[str, ...] = ()

    def names(self) -> list[str]:
        """Every process, in the order to start them."""
        return [f"{kind}-{n}" for kind, count in self.replicas.items() for n in range(1, count + 1)]

    def module(self, kind: str) -> str:
        """The program of a process."""
        return self.modules.get(kind, MODULES[kind])

    def talks_to(self, kind: str) -> list[str]:
        """Every server and replica that a process of this kind talks to."""
        return [
            name
            for other in TALKS_TO[kind]
            for name in (
                [f"{other}-{n}" for n in range(1, self.replicas.get(other, 0) + 1)] or [other]
            )
        ]
