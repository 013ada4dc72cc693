"""Where a developer works: say in the log why row security refused a request."""

import logging
from collections.abc import Mapping

from fastapi import FastAPI
from sqlalchemy import Table
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hedgerow.config.identity import Identity
from hedgerow.config.project import Project
from hedgerow.errors import HedgerowError
from hedgerow.fastapi import recorder
from hedgerow.fastapi.recorder import Record
from hedgerow.fastapi.statements import Statement
from hedgerow.policies.references import reference_checks
from hedgerow.policies.registry import scope_of
from hedgerow.policies.scope import Scope as TableScope
from hedgerow.why import conditions, explain_for_identity
from hedgerow.why.question import Question
from hedgerow.why.sentences import summary


def explain_refusals(app: FastAPI, project: Project) -> None:
    """Log at INFO, on `row_security.logger`, what row security had to do with 404, 403 and 409.

    For a 404: what `hedgerow why` says of the row that the path names, in the scoped table that the
    request reached last. For a 403 that PostgreSQL caused: the policies that decide on such a
    write. For a 409: the key that refers to a row which is hidden, or does not exist. It happens
    once the response is sent, so it neither delays nor changes one.

    Install it only where the developer is the one who reads the log: it looks as the owner, and
    names rows of other users. Where it is not installed it costs nothing.
    """
    recorder.listen()
    app.add_middleware(_ExplainRefusals, project=project)


class _ExplainRefusals:
    def __init__(self, app: ASGIApp, project: Project) -> None:
        self._app = app
        self._project = project

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 0

        async def notice_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        token = recorder.current.set(record := Record())
        try:
            await self._app(scope, receive, notice_status)
        finally:
            recorder.current.reset(token)
        if status in (403, 404, 409) and record.identity is not None:
            where = f"{scope['method']} {scope['path']}: {status}"
            path = {name: str(value) for name, value in scope.get("path_params", {}).items()}
            await run_in_threadpool(_explain, self._project, where, status, record, path)


def _explain(
    project: Project, where: str, status: int, record: Record, path: Mapping[str, str]
) -> None:
    logger = logging.getLogger(project.row_security.logger)
    reason = None
    try:
        if status == 404 and record.identity and record.asked:
            reason = _why_hidden(project, record.identity, record.asked, path)
        elif status == 403 and record.identity and record.refused:
            reason = _why_refused(project, record.identity, record.refused)
        elif status == 409 and record.identity and record.refused:
            reason = _which_key(record.identity, record.refused, record.constraint)
    except HedgerowError as error:
        reason = f"cannot tell why: {error}"
    if reason is not None:
        logger.info("%s: %s", where, reason)


def _why_hidden(
    project: Project, identity: Identity, asked: Statement, path: Mapping[str, str]
) -> str | None:
    key = _key_in(path, asked.table, identity)
    if key is None:
        return None
    question = Question(asked.table, key, asked.command)
    [answer] = explain_for_identity(project, question, identity).answers
    return summary(answer, question)


def _key_in(path: Mapping[str, str], table: Table, identity: Identity) -> Mapping[str, str] | None:
    """Return the key that a path names: its last value, or each of several columns by its name.

    Where a membership is asked for, who asks and in which tenant need not be in the path.
    """
    columns = table.primary_key.columns.keys()
    if len(columns) == 1:
        return {columns[0]: list(path.values())[-1]} if path else None
    known = dict(path)
    scope = scope_of(table)
    if isinstance(scope, TableScope) and scope.member_rows is not None:
        known.setdefault(scope.member_rows.user, str(identity.user_id))
        if identity.tenant_id is not None:
            known.setdefault(scope.member_rows.tenant, str(identity.tenant_id))
    return {column: known[column] for column in columns} if set(columns) <= known.keys() else None


def _why_refused(project: Project, identity: Identity, refused: Statement) -> str:
    question = Question(refused.table, {}, refused.command)
    rules = "; ".join(conditions(project, question, identity)) or "no policy allows any"
    return f"{identity} may not {refused.command} on {refused.table.fullname}: {rules}"


def _which_key(identity: Identity, refused: Statement, constraint: str | None) -> str | None:
    """Return which checked key the refused write has; None where another constraint refused it."""
    scope = scope_of(refused.table)
    if not isinstance(scope, TableScope):
        return None
    for check in reference_checks(refused.table, scope).values():
        if check.constraint == constraint:
            return (
                f"{identity} may not {refused.command} on {refused.table.fullname}: the key"
                f" {', '.join(check.columns)} refers to a row of {check.parent} that this user"
                " cannot see, or that does not exist"
            )
    return None
