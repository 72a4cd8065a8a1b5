"""Where the one-machine stack keeps what it needs: one folder, nothing outside it."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HOME_VARIABLE = "COUNTERSIGN_HOME"
DEFAULT_HOME = ".countersign"


@dataclass(frozen=True, slots=True)
class Layout:
    """The stack's folder and the places in it."""

    home: Path

    @property
    def keys(self) -> Path:
        """Signing key, JWKS, service tokens, key ring. Readable by the owner alone."""
        return self.home / "keys"

    @property
    def postgres(self) -> Path:
        """Data of the embedded PostgreSQL."""
        return self.home / "postgres"

    @property
    def dropzone(self) -> Path:
        """Where the demo's ERP picks files up."""
        return self.home / "dropzone"

    @property
    def audit_keys(self) -> Path:
        """The key that signs checkpoints, and the set of its and older keys' public halves."""
        return self.keys / "audit"

    @property
    def archive(self) -> Path:
        """The documents that were delivered and the checkpoints that were made, as they were."""
        return self.home / "archive"

    @property
    def logs(self) -> Path:
        """One file per process."""
        return self.home / "logs"

    @property
    def state_file(self) -> Path:
        """Addresses of the running (or last) stack."""
        return self.home / "stack.json"

    @property
    def lock_file(self) -> Path:
        """Held while a stack runs in this folder."""
        return self.home / "lock"

    def create(self) -> None:
        """Make all folders; the keys' folder is private."""
        for folder in (self.home, self.dropzone, self.logs):
            folder.mkdir(parents=True, exist_ok=True)
        self.keys.mkdir(mode=0o700, exist_ok=True)

    def write_state(self, state: dict[str, Any]) -> None:
        """Record the addresses for the other commands."""
        self.state_file.write_text(json.dumps(state, indent=2) + "\n")

    def read_state(self) -> dict[str, Any] | None:
        """What was recorded, or None when no stack ran here."""
        if not self.state_file.exists():
            return None
        state: dict[str, Any] = json.loads(self.state_file.read_text())
        return state


def default_layout() -> Layout:
    """The folder named by COUNTERSIGN_HOME, or .countersign in the current one."""
    return Layout(Path(os.environ.get(HOME_VARIABLE, DEFAULT_HOME)).resolve())
