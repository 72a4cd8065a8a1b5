"""The two reads that a console makes all day, as hot routes take them: from the request alone.

FastAPI documents them as routes.drafts declares them; the handlers there do the work here, too.
"""

from uuid import UUID

from fastapi import Request, Response

from countersign_gateway.bodies.filters import DraftFilters
from countersign_gateway.hot_routes import HotRoute
from countersign_gateway.lean_input import query
from countersign_gateway.route import behind_the_door
from countersign_gateway.routes import drafts
from countersign_gateway.services import services_of


async def _list_drafts(request: Request) -> Response:
    return await drafts.list_drafts(query(request, DraftFilters), services_of(request))


async def _get_draft(request: Request) -> Response:
    return await drafts.get_draft(UUID(request.path_params["id"]), services_of(request))


HOT_READS = (
    HotRoute("GET", "/draft-orders", behind_the_door(_list_drafts)),
    HotRoute("GET", "/draft-orders/{id}", behind_the_door(_get_draft)),
)
