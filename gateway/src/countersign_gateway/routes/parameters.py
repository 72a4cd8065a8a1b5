"""Parameters that many routes share."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Header, Path, Request

from countersign_gateway.headers import expected_version_from
from countersign_gateway.services import Services, services_of

_IF_MATCH = '`"<version>"`: the version you saw (the ETag of an earlier answer).'

DraftId = Annotated[UUID, Path(alias="id", description="The draft order.")]
ExportId = Annotated[UUID, Path(alias="id", description="The export.")]
ConnectionId = Annotated[UUID, Path(alias="id", description="The ERP connection.")]
ContentVersion = Annotated[
    int, Path(ge=1, le=2**63 - 1, description="content_version of a draft order or an approval.")
]
LineNo = Annotated[int, Path(ge=1, le=2**31 - 1, description="The line.")]


async def _services(request: Request) -> Services:
    return services_of(request)


async def _expected_version(
    request: Request,
    if_match: Annotated[  # noqa: ARG001 — documents the header; every occurrence is read below
        str | None, Header(alias="If-Match", description=_IF_MATCH, examples=['"3"'])
    ] = None,
) -> int | None:
    return expected_version_from(request.headers.getlist("if-match"))


Backends = Annotated[Services, Depends(_services)]
ExpectedVersion = Annotated[int | None, Depends(_expected_version)]
