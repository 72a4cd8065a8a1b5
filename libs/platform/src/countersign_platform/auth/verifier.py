"""From a bearer token to an identity, or UNAUTHENTICATED."""

import time
from collections.abc import Callable, Collection
from typing import Any
from uuid import UUID

import jwt
import structlog

from countersign_core.errors import CountersignError, Unavailable
from countersign_core.reasons import Reason
from countersign_core.roles import SERVICE_ROLES, parse_roles
from countersign_platform.auth.identity import Identity
from countersign_platform.auth.jwks import JwksSource, KeySet
from countersign_platform.auth.verification_key import VerificationKey
from countersign_platform.settings import ServiceSettings

DEFAULT_ALGORITHMS = ("EdDSA", "ES256", "RS256")
LEEWAY_SECONDS = 10
MAX_TOKEN_CHARACTERS = 8192
MAX_NAME_CHARACTERS = 200

_log = structlog.get_logger(__name__)


class TokenVerifier:
    """Verifies tokens; remembers what it verified until the token expires or the keys change."""

    def __init__(
        self,
        jwks: JwksSource,
        issuer: str,
        audience: str,
        algorithms: Collection[str] = DEFAULT_ALGORITHMS,
        *,
        cache_size: int = 4096,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._jwks = jwks
        self._issuer = issuer
        self._audience = audience
        self._algorithms = frozenset(algorithms) & frozenset(DEFAULT_ALGORITHMS)
        self._cache_size = cache_size
        self._wall_clock = wall_clock
        self._cache: dict[str, tuple[float, Identity]] = {}
        self._cached_under: KeySet | None = None

    @classmethod
    def from_settings(cls, settings: ServiceSettings) -> "TokenVerifier":
        """With the key set, issuer, audience and algorithms of a process."""
        return cls(
            JwksSource(settings.jwks),
            issuer=settings.jwt_issuer,
            audience=settings.jwt_audience,
            algorithms=settings.jwt_algorithms,
        )

    async def ready(self) -> bool:
        """Whether there are keys to verify with; reads them when there are none yet."""
        try:
            await self._jwks.keys()
        except Unavailable:
            return False
        return True

    async def verify(self, token: str) -> Identity:
        """The identity that `token` speaks for.

        Raises:
            CountersignError: UNAUTHENTICATED; the message says what a caller can mend.
            Unavailable: the key set cannot be read.
        """
        keys = await self._jwks.keys()
        if keys is not self._cached_under:
            self._cache.clear()
            self._cached_under = keys
        cached = self._cache.get(token)
        if cached is not None and self._wall_clock() < cached[0]:
            return cached[1]
        return await self._verify_afresh(token)

    async def _verify_afresh(self, token: str) -> Identity:
        key = await self._key_for(token)
        claims = self._checked_claims(token, key)
        identity = _identity(claims)
        self._remember(token, float(claims["exp"]), identity)
        return identity

    async def _key_for(self, token: str) -> VerificationKey:
        if len(token) > MAX_TOKEN_CHARACTERS:
            raise _refusal("The token is too long")
        try:
            header = jwt.get_unverified_header(token)
        except (jwt.PyJWTError, RecursionError) as error:  # deeply nested JSON
            raise _refusal("The token is malformed") from error
        kid = header.get("kid")
        if not isinstance(kid, str) or not kid:
            raise _refusal("The token names no key (kid)")
        key = await self._jwks.find(kid)
        if key is None:
            raise _refusal("The token's key is not known")
        if header.get("alg") != key.algorithm or key.algorithm not in self._algorithms:
            raise _refusal("The token's algorithm is not the one of its key")
        return key

    def _checked_claims(self, token: str, key: VerificationKey) -> dict[str, Any]:
        try:
            return jwt.decode(
                token,
                key.key,
                algorithms=[key.algorithm],
                issuer=self._issuer,
                audience=self._audience,
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "iss", "aud", "sub"]},
            )
        except jwt.ExpiredSignatureError as error:
            raise _refusal("The token has expired") from error
        except jwt.InvalidSignatureError as error:
            raise _refusal("The token's signature does not verify") from error
        except jwt.PyJWTError as error:
            raise _refusal(f"The token was refused: {error}") from error

    def _remember(self, token: str, expires_at: float, identity: Identity) -> None:
        while len(self._cache) >= self._cache_size:
            del self._cache[next(iter(self._cache))]
        self._cache[token] = (expires_at, identity)


def _identity(claims: dict[str, Any]) -> Identity:
    subject = _name("subject", claims["sub"])
    roles = parse_roles(_names(claims.get("roles", [])))
    org_id = _org_id(claims.get("org_id"))
    if org_id is not None:
        roles -= SERVICE_ROLES  # these act for every org, so nobody of one org can hold them
    elif not roles or not roles <= SERVICE_ROLES:
        raise _refusal("The token carries no org_id")
    slug = claims.get("org_slug") or (str(org_id) if org_id else subject)
    return Identity(subject, roles, org_id, _name("org_slug", slug))


def _name(claim: str, value: Any) -> str:
    """A name that can stand in a log line, a document and a database column."""
    if not isinstance(value, str) or not value.isprintable():
        raise _refusal(f"The token's {claim} is not a printable name")
    if not 0 < len(value) <= MAX_NAME_CHARACTERS:
        raise _refusal(f"The token's {claim} is empty or too long")
    return value


def _names(claim: Any) -> list[str]:
    if not isinstance(claim, list) or not all(isinstance(name, str) for name in claim):
        raise _refusal("The token's roles are not a list of names")
    return claim


def _org_id(claim: Any) -> UUID | None:
    if claim is None:
        return None
    try:
        return UUID(claim)
    except (ValueError, TypeError, AttributeError) as error:
        raise _refusal("The token's org_id is not a UUID") from error


def _refusal(message: str) -> CountersignError:
    return CountersignError(Reason.UNAUTHENTICATED, message)
