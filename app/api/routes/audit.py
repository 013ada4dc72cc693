"""The audit trail, for superusers."""

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import AfterValidator
from sqlmodel import SQLModel

from app.api.deps import ReadOnlyAdminSessionDep
from app.api.errors import SIGNED_IN
from app.api.paging import Limit, Skip
from app.core.text import ShortText
from hedgerow.audit import Event, Filters, as_json, count_entries, select_entries

router = APIRouter(prefix="/admin/audit", tags=["admin"], responses=SIGNED_IN)


class AuditEntry(SQLModel):
    """One entry of the audit trail; hashes are hex, `row_key` and `changes` objects or null."""

    id: int
    position: int | None
    at: datetime
    event: str
    elevation: int | None
    user_id: str | None
    role: str
    login: str
    reason: str | None
    method: str | None
    path: str | None
    request_id: str | None
    transaction: str
    table_name: str | None
    row_key: Any
    owner: str | None
    command: str | None
    columns: list[str] | None
    changes: Any
    previous: str | None
    hash: str | None
    tenant: str | None


class AuditEntries(SQLModel):
    """One page of entries, and the number of all that fit the filters."""

    data: list[AuditEntry]
    count: int


def _in_utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


Moment = Annotated[
    datetime, AfterValidator(_in_utc), Query(description="UTC where it names no time zone.")
]


def get_filters(
    since: Moment | None = None,
    until: Moment | None = None,
    user_id: UUID | None = None,
    role: ShortText | None = None,
    event: Event | None = None,
    elevation: Annotated[int | None, Query(ge=1, le=2**63 - 1)] = None,
    table: ShortText | None = None,
    owner: UUID | None = None,
    tenant: ShortText | None = None,
    request_id: ShortText | None = None,
    login: ShortText | None = None,
) -> Filters:
    """Return the filters of the request."""
    return Filters(
        since=since,
        until=until,
        user_id=None if user_id is None else str(user_id),
        role=role,
        event=event,
        elevation=elevation,
        table=table,
        owner=None if owner is None else str(owner),
        tenant=tenant,
        request_id=request_id,
        login=login,
    )


@router.get("/")
def read_audit_trail(
    session: ReadOnlyAdminSessionDep,
    filters: Annotated[Filters, Depends(get_filters)],
    skip: Skip = 0,
    limit: Limit = 100,
) -> AuditEntries:
    """List the audit trail, newest first; this request's own entry comes first."""
    rows = session.execute(select_entries(filters, limit=limit, skip=skip)).mappings()
    return AuditEntries(
        data=[AuditEntry.model_validate(as_json(row)) for row in rows],
        count=session.scalar(count_entries(filters)) or 0,
    )
