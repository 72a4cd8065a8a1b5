"""The names beside a token's own that only the SFTP transport uses; all are hidden.

<token>.taken   a token that was published but for its final name (see sftp_token)
<token>.done    the done-file, until the document has its final name
"""

from countersign_export_worker.file_names import DropName, parse_drop_name

_TAKEN = ".taken"
_DONE = ".done"


def taken_name(token: DropName) -> str:
    """Where a token is between its two renames."""
    return f"{token}{_TAKEN}"


def done_token(token: DropName) -> str:
    """The token of the done-file."""
    return f"{token}{_DONE}"


def token_of(name: str) -> DropName | None:
    """The token that a file belongs to; None when it is not one of ours."""
    return parse_drop_name(name.removesuffix(_TAKEN).removesuffix(_DONE))
