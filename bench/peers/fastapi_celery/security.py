"""Who calls: the bearer token of each request, verified."""

from typing import Annotated
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from fastapi import Depends, HTTPException, status
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel
from settings import settings

bearer = HTTPBearer()
_key = load_pem_public_key(settings().public_key.encode())


class User(BaseModel):
    """The claims that matter."""

    sub: str
    org_id: UUID
    roles: list[str]


async def get_current_user(
    credentials: Annotated[HTTPAuthorizationCredentials, Depends(bearer)],
) -> User:
    """401 unless the token verifies, 403 unless its roles may push."""
    try:
        claims = jwt.decode(
            credentials.credentials,
            _key,
            algorithms=["EdDSA"],
            issuer=settings().issuer,
            audience=settings().audience,
        )
    except jwt.InvalidTokenError:
        raise HTTPException(status.HTTP_401_UNAUTHORIZED, "Invalid token") from None
    user = User.model_validate(claims)
    if not {"OPERATOR", "ADMIN"} & set(user.roles):
        raise HTTPException(status.HTTP_403_FORBIDDEN, "Not allowed")
    return user


CurrentUser = Annotated[User, Depends(get_current_user)]
