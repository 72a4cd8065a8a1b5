"""The API: `uvicorn app:app --workers 2`."""

from typing import Annotated
from uuid import UUID

import redis
from database import get_session
from fastapi import Depends, FastAPI, Header, HTTPException, Response
from models import AuditLog, Draft, ErpConnection, ErpExport
from pydantic import BaseModel
from security import CurrentUser
from settings import settings
from sqlalchemy import select
from sqlalchemy.orm import Session
from tasks import deliver_export

app = FastAPI(title="Draft orders")
cache = redis.Redis.from_url(settings().redis_url, decode_responses=True)

_KEY_SECONDS = 24 * 3600
DatabaseSession = Annotated[Session, Depends(get_session)]


class PushReply(BaseModel):
    """What a push answers."""

    erp_export_id: UUID
    status: str


@app.get("/healthz")
def health() -> dict[str, str]:
    """For whoever waits for the start."""
    return {"status": "ok"}


@app.post("/draft-orders/{draft_id}/push")
def push_draft(  # noqa: PLR0917
    draft_id: UUID,
    user: CurrentUser,
    session: DatabaseSession,
    response: Response,
    idempotency_key: Annotated[str | None, Header(max_length=255)] = None,
    x_request_id: Annotated[str | None, Header()] = None,
) -> PushReply:
    """Push an approved draft: one export, handed to the worker."""
    key = f"idempotency:{user.org_id}:{draft_id}:{idempotency_key}" if idempotency_key else None
    if key and (known := cache.get(key)):
        response.status_code = 202
        response.headers["Idempotent-Replayed"] = "true"
        return PushReply.model_validate_json(known)
    draft = session.scalar(
        select(Draft).where(Draft.org_id == user.org_id, Draft.id == draft_id).with_for_update()
    )
    if draft is None:
        raise HTTPException(404, "No such draft order")
    if draft.status != "APPROVED":
        raise HTTPException(409, f"Draft must be APPROVED to push (current: {draft.status})")
    connection = session.scalar(
        select(ErpConnection).where(ErpConnection.org_id == user.org_id, ErpConnection.active)
    )
    if connection is None:
        raise HTTPException(400, "No active ERP connection")
    export = ErpExport(
        org_id=user.org_id,
        draft_id=draft.id,
        connection_id=connection.id,
        status="PENDING",
        created_by=user.sub,
    )
    session.add(export)
    draft.status = "PUSHING"
    draft.version += 1
    session.flush()
    session.add(
        AuditLog(
            org_id=user.org_id,
            actor=user.sub,
            action="DRAFT_PUSHED",
            entity_id=draft.id,
            before={"status": "APPROVED"},
            after={"status": "PUSHING", "erp_export_id": str(export.id)},
            request_id=x_request_id,
        )
    )
    session.commit()
    reply = PushReply(erp_export_id=export.id, status="PUSHING")
    if key:
        cache.set(key, reply.model_dump_json(), ex=_KEY_SECONDS)
    deliver_export.delay(str(export.id))
    return reply
