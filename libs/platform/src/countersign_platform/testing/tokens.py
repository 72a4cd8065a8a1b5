"""Tokens that the services under test accept."""

from pathlib import Path
from uuid import UUID

from countersign_core.roles import Role
from countersign_platform.auth.minting import create_signing_key, mint_token

_LIFETIME_SECONDS = 3600.0


class TestTokens:
    """A signing key in `folder`, its key set, and tokens signed with it."""

    # The name begins with Test; pytest shall not collect it.
    __test__ = False

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = create_signing_key(folder)

    @property
    def jwks(self) -> str:
        """Path of the key set, as the setting `jwks` wants it."""
        return str(self._key.jwks_file)

    def user(
        self,
        org_id: UUID,
        *roles: Role,
        subject: str = "olga",
        org_slug: str | None = None,
        lifetime_seconds: float = _LIFETIME_SECONDS,
    ) -> str:
        """A person's token; OPERATOR unless roles are given."""
        return mint_token(
            self._key,
            subject=subject,
            roles=roles or (Role.OPERATOR,),
            org_id=org_id,
            org_slug=org_slug,
            lifetime_seconds=lifetime_seconds,
        )

    def service(self, role: Role, *, subject: str | None = None) -> str:
        """A service's token, WORKER or RELAY, without an org."""
        return mint_token(
            self._key,
            subject=subject or role.lower(),
            roles=(role,),
            lifetime_seconds=_LIFETIME_SECONDS,
        )

    def service_file(self, role: Role) -> Path:
        """A file with a service's token, as the setting `service_token_file` wants it."""
        path = self._folder / f"{role.lower()}.token"
        path.write_text(self.service(role))
        return path
