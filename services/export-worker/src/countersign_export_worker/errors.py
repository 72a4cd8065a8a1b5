"""What can go wrong while delivering, by what must happen next.

    DeliveryError               the dropzone said no: `code` for machines, `message` for people
    ├── TransientDeliveryError  the same again may work later: put off, by the database's clock
    │   └── NameTaken           somebody else's file stands under our final name: held
    ├── PermanentDeliveryError  the same again will not work: ends the export
    └── OutcomeUncertain        it may have been delivered, and nobody can take it back: held
    TokenGone                   the staged file is not there: someone renamed it. No failure
    WorkError                   push said no
    ├── LeaseLost               the export is another worker's, or finished: stop, touch nothing
    ├── WorkUnavailable         push is away, or its reply was lost: it may or may not be on record
    └── WorkRefused             push refuses: a defect, or an administrator was faster

Codes: BAD_DOCUMENT, BAD_CONFIG, BAD_FILE_NAME, UNKNOWN_CONNECTOR, DISK_FULL, FILE_TOO_LARGE,
PERMISSION_DENIED, PATH_MISSING, PATH_NOT_A_FOLDER, NAME_TAKEN, NAME_TOO_LONG, FOLDER_CHANGED,
UNREACHABLE, TIMEOUT, CONNECTION_LOST, CONNECTION_PAUSED, AUTHENTICATION_FAILED,
HOST_KEY_MISMATCH, TLS_FAILED, ADDRESS_REFUSED, REDIRECTED, REJECTED_BY_ERP, ERP_BUSY, IO_ERROR,
WITHDRAWN, CANCELLED, OUTCOME_UNKNOWN, INTERNAL.
"""

from countersign_core.reasons import Reason


class DeliveryError(Exception):
    """A step at the dropzone failed."""

    def __init__(self, code: str, message: str) -> None:
        """`code` is upper-case with underscores; `message` one sentence without secrets."""
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class TransientDeliveryError(DeliveryError):
    """Worth trying again."""

    def __init__(self, code: str, message: str, *, retry_after_seconds: float = 0.0) -> None:
        """`retry_after_seconds`: the other side asked to be left alone for that long."""
        super().__init__(code, message)
        self.retry_after_seconds = retry_after_seconds


class NameTaken(TransientDeliveryError):
    """The final name is taken by a file that is not our token. A person must look."""

    def __init__(self, name: str) -> None:
        super().__init__("NAME_TAKEN", f"A file named {name} that is not ours is in the way.")


class PermanentDeliveryError(DeliveryError):
    """Not worth trying again."""


OUTCOME_UNKNOWN = "OUTCOME_UNKNOWN"


class OutcomeUncertain(DeliveryError):
    """The document may have reached the ERP. Never sent again by itself; a person decides."""

    def __init__(self, message: str) -> None:
        super().__init__(OUTCOME_UNKNOWN, message)


class TokenGone(Exception):
    """The staged file is not under its temporary name."""


class WorkError(Exception):
    """Push did not do what it was asked."""


class LeaseLost(WorkError):
    """The lease is not the current one."""


class WorkUnavailable(WorkError):
    """Nobody knows whether the call was carried out."""


class WorkRefused(WorkError):
    """The call was refused and will be refused again."""

    def __init__(self, reason: Reason, message: str, **metadata: str) -> None:
        """As in CountersignError."""
        super().__init__(f"{reason}: {message}")
        self.reason = reason
        self.metadata = metadata
