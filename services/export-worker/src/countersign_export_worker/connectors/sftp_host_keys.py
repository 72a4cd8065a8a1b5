"""The host keys that a connection trusts: one, or two while the server changes its key.

Nothing else is trusted, ever: no known_hosts file, no certificate authority, no first use.
"""

from collections.abc import Sequence

import asyncssh

from countersign_export_worker.connectors.dropzone_options import bad_config
from countersign_export_worker.errors import PermanentDeliveryError

# How a key can prove itself, by the name in its public line. SHA-1 ("ssh-rsa") is not a way.
_SIGNATURES = {
    "ssh-ed25519": ("ssh-ed25519",),
    "ecdsa-sha2-nistp256": ("ecdsa-sha2-nistp256",),
    "ecdsa-sha2-nistp384": ("ecdsa-sha2-nistp384",),
    "ecdsa-sha2-nistp521": ("ecdsa-sha2-nistp521",),
    "ssh-rsa": ("rsa-sha2-512", "rsa-sha2-256"),
}
_MOST_KEYS = 2


class PinnedHostKeys:
    """The pinned keys, and what was presented instead of them."""

    def __init__(self, lines: Sequence[str]) -> None:
        """`lines`: "ssh-ed25519 AAAA… comment", as in a .pub file.

        Raises:
            PermanentDeliveryError: BAD_CONFIG for a line that is not a key of a known kind.
        """
        self._keys = tuple(_imported(line) for line in lines)
        if not 1 <= len(self._keys) <= _MOST_KEYS:
            raise bad_config("one host key is needed, or two while it changes")

    @property
    def known_hosts(self) -> tuple[tuple[asyncssh.SSHKey, ...], tuple[()], tuple[()]]:
        """As asyncssh takes it: trusted keys, authorities, revoked keys."""
        return self._keys, (), ()

    @property
    def algorithms(self) -> list[str]:
        """What to ask the server for, the pinned kinds first.

        The other kinds follow, so that a server whose key is of another kind now presents it
        and can be named, in place of a failed negotiation.
        """
        pinned = [key.get_algorithm() for key in self._keys]
        kinds = sorted(_SIGNATURES, key=lambda kind: kind not in pinned)
        return [way for kind in kinds for way in _SIGNATURES[kind]]

    def mismatch(self, server: str, presented: asyncssh.SSHKey) -> PermanentDeliveryError:
        """The error for a key that is not pinned; its message has every fingerprint."""
        pinned = " or ".join(key.get_fingerprint() for key in self._keys)
        return PermanentDeliveryError(
            "HOST_KEY_MISMATCH",
            f"{server} presents the host key {presented.get_fingerprint()}"
            f" ({presented.get_algorithm()}), not {pinned}.",
        )


def _imported(line: str) -> asyncssh.SSHKey:
    try:
        key = asyncssh.import_public_key(line)
    except (ValueError, asyncssh.Error) as error:
        raise bad_config(f"this is not a host key: {line[:80]!r}") from error
    if key.get_algorithm() not in _SIGNATURES:
        raise bad_config(f"host keys of the kind {key.get_algorithm()} are not supported")
    return key
