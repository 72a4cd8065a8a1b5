"""Puts the routes together."""

import asyncio
from collections.abc import Sequence

from fastapi import FastAPI
from starlette.middleware import Middleware

from countersign_gateway import docs_ui
from countersign_gateway.console import mount_console
from countersign_gateway.hot_routes import HotRoutes, lean_routes
from countersign_gateway.middleware import Edge
from countersign_gateway.openapi import openapi_document, operation_id
from countersign_gateway.refusals import HANDLERS
from countersign_gateway.routes import (
    audit,
    connections,
    console,
    drafts,
    events,
    exports,
    health,
    policy,
    pushes,
    seals,
)
from countersign_gateway.routes.hot_reads import HOT_READS
from countersign_gateway.services import Services
from countersign_gateway.settings import GatewaySettings
from countersign_platform.auth.verifier import TokenVerifier

# The first match wins: hot routes first, fixed paths before those with a parameter.
_ROUTERS = (
    pushes.lean,
    pushes.batches,
    events.router,
    exports.router,
    drafts.router,
    connections.router,
    audit.router,
    seals.router,
    policy.router,
    health.router,
    docs_ui.router,
)


def build_app(
    settings: GatewaySettings,
    services: Services,
    verifier: TokenVerifier,
    ready: health.Ready,
    drain: asyncio.Event,
) -> HotRoutes:
    """The ASGI app; `drain` ends the event streams when it is set."""
    app = describe_app(middleware=[Middleware(Edge, trusted_proxies=settings.trusted_proxies)])
    app.state.services = services
    app.state.verifier = verifier
    app.state.ready = ready
    app.state.drain = drain
    app.state.max_draft_bytes = settings.max_draft_bytes
    if settings.console_folder is not None:
        app.include_router(console.console_router(settings))
        mount_console(app, settings.console_folder, settings.console_oidc_authority)
    hot = (*lean_routes(pushes.lean.routes), *HOT_READS)
    return HotRoutes(app, hot, settings.trusted_proxies)


def describe_app(middleware: Sequence[Middleware] = ()) -> FastAPI:
    """The routes and their OpenAPI document, with nothing behind them."""
    app = FastAPI(
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        exception_handlers=HANDLERS,
        middleware=middleware,
        generate_unique_id_function=operation_id,
        separate_input_output_schemas=False,
        # The platform makes spans and metrics; FastAPI's own would count everything twice.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    for router in _ROUTERS:
        app.include_router(router)
    app.openapi = lambda: openapi_document(app)  # type: ignore[method-assign]
    return app
