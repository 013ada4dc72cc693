"""`hedgerow audit list`: read the audit trail."""

import json
from datetime import datetime
from typing import Annotated
from uuid import UUID

import typer

from hedgerow.audit.sentences import sentence
from hedgerow.audit.trail import Event, Filters, as_json, select_entries
from hedgerow.cli.audit.trail import connect_as_owner, load_audited_project
from hedgerow.cli.formats import OutputFormat
from hedgerow.cli.times import moment
from hedgerow.config.project import Project
from hedgerow.sessions.lookup import find_user, require_user


def command(
    since: Annotated[
        datetime | None,
        typer.Option(parser=moment, metavar="TIME", help="Not before: 2h, 7d or a date."),
    ] = None,
    until: Annotated[
        datetime | None, typer.Option(parser=moment, metavar="TIME", help="Before: 2h or a date.")
    ] = None,
    user: Annotated[
        str | None, typer.Option(help="Who acted: the address they sign in with, or their id.")
    ] = None,
    event: Annotated[Event | None, typer.Option(help="What happened.")] = None,
    table: Annotated[
        str | None, typer.Option(help="The table changed, as `name` or `schema.name`.")
    ] = None,
    owner: Annotated[
        str | None, typer.Option(help="The owner of the changed row: their address, or their id.")
    ] = None,
    tenant: Annotated[
        str | None, typer.Option(help="The tenant acted in, or of the changed row: its id.")
    ] = None,
    request_id: Annotated[str | None, typer.Option(help="The id of the request.")] = None,
    login: Annotated[str | None, typer.Option(help="The database login that acted.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many entries at most.")] = 100,
    output: Annotated[
        OutputFormat,
        typer.Option("--format", help="Text for people, JSON Lines for programs."),
    ] = OutputFormat.TEXT,
) -> None:
    """List what admins and the maintenance role did, newest first.

    Times are UTC unless they say otherwise.

    Examples:
      hedgerow audit list --since 7d
      hedgerow audit list --user admin@example.com --event change --table item
      hedgerow audit list --since 24h --format json
    """
    project = load_audited_project()
    with connect_as_owner(project) as connection:
        filters = Filters(
            since=since,
            until=until,
            user_id=_user_id(project, user),
            event=event,
            table=table,
            owner=_user_id(project, owner),
            tenant=tenant,
            request_id=request_id,
            login=login,
        )
        rows = connection.execute(select_entries(filters, limit=limit)).mappings()
        for entry in map(as_json, rows):
            typer.echo(json.dumps(entry) if output is OutputFormat.JSON else sentence(entry))


def _user_id(project: Project, name: str | None) -> str | None:
    """Return a user's id as the trail spells it; of a deleted user, only the id is known."""
    if name is None:
        return None
    id_type = project.row_security.id_type
    try:
        if id_type != "text":
            return str(UUID(name) if id_type == "uuid" else int(name))
    except ValueError:
        pass  # no id, so an address
    if id_type != "text":
        return str(require_user(project, name))
    return str(find_user(project, name) or name)
