"""`hedgerow audit`: read the audit trail, verify it, and remove what is old."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer
from sqlalchemy import Connection, NullPool, create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from hedgerow.audit import functions
from hedgerow.audit.anchor import Anchor
from hedgerow.audit.retention import remove_older_than
from hedgerow.audit.sentences import sentence
from hedgerow.audit.trail import Event, Filters, as_json, select_entries
from hedgerow.cli import audit_verification
from hedgerow.cli.formats import OutputFormat
from hedgerow.cli.times import duration, moment
from hedgerow.config.project import Project, load_project
from hedgerow.connect import connect, first_line
from hedgerow.errors import ConfigurationError, DatabaseNotReadyError, IdentityError

_HELP = """List what admins did, newest first; or verify that nobody altered the record of it.

Works as the owner. Times are UTC where they do not say otherwise. With --verify it exits with 1
where an entry was altered or removed; keep the anchor that it prints outside of the database, and
give it to the next verification.

Examples:

  hedgerow audit --since 7d

  hedgerow audit --user admin@example.com --event change --table item --format json

  hedgerow audit --verify

  hedgerow audit --verify --anchor "$(cat /mnt/elsewhere/anchor)"

  hedgerow audit --remove-older-than 365d --reason "kept for one year"
"""

_UPGRADE = "run `alembic upgrade head`"


def register(commands: typer.Typer) -> None:
    """Add the command to the command line."""
    commands.command("audit", help=_HELP)(_audit)


def _audit(
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
        str | None, typer.Option(help="Whose row was changed: their address, or their id.")
    ] = None,
    request_id: Annotated[str | None, typer.Option(help="In which request.")] = None,
    login: Annotated[str | None, typer.Option(help="As which login of the database.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many entries at most.")] = 100,
    output: Annotated[
        OutputFormat, typer.Option("--format", help="For people; for programs, an entry a line.")
    ] = OutputFormat.TEXT,
    verifying: Annotated[
        bool, typer.Option("--verify", help="Verify the whole chain instead.")
    ] = False,
    anchor: Annotated[
        str | None,
        typer.Option(metavar="POSITION:HASH", help="What a former verification printed."),
    ] = None,
    older_than: Annotated[
        timedelta | None,
        typer.Option(
            "--remove-older-than",
            parser=duration,
            metavar="TIME",
            help="Remove old entries instead: 365d.",
        ),
    ] = None,
    reason: Annotated[
        str | None, typer.Option(help="Why they are removed: the trail records it.")
    ] = None,
) -> None:
    given = (since, until, user, event, table, owner, request_id, login)
    filtered = any(value is not None for value in given)
    if (filtered or older_than is not None) and verifying:
        raise typer.BadParameter("--verify is for the whole trail, and stands alone.")
    if filtered and older_than is not None:
        raise typer.BadParameter("Only the beginning can be removed: leave out what filters.")
    if anchor is not None and not verifying:
        raise typer.BadParameter("--anchor is for --verify.")
    if (reason is None) is not (older_than is None):
        raise typer.BadParameter("--remove-older-than and --reason go together.")
    noted = Anchor.parse(anchor) if anchor is not None else None
    project = load_project(Path.cwd())
    if project.row_security.audit is None:
        raise ConfigurationError(
            "This project keeps no audit trail: declare one with RowSecurity(audit=Audit())."
        )
    with _connect(project) as connection:
        if verifying:
            sys.exit(audit_verification.run(connection, noted, output))
        elif older_than is not None and reason is not None:
            _remove(connection, older_than, reason, output)
        else:
            filters = Filters(
                since=since,
                until=until,
                user_id=_user_id(project, connection, user),
                event=event,
                table=table,
                owner=_user_id(project, connection, owner),
                request_id=request_id,
                login=login,
            )
            _list(connection, filters, limit, output)


@contextmanager
def _connect(project: Project) -> Iterator[Connection]:
    """Yield the owner's connection, in no transaction, to a database that has an audit trail."""
    engine = create_engine(project.owner_url(), poolclass=NullPool)
    with connect(engine, f"If it is a new database, {_UPGRADE}.") as connection:
        try:
            with connection.begin():
                migrated = functions.exist(connection)
            if not migrated:
                raise DatabaseNotReadyError(f"This database has no audit trail: {_UPGRADE}.")
            yield connection
        except DBAPIError as error:
            raise DatabaseNotReadyError(
                f"Cannot work on the audit trail: {first_line(error)}. This needs the owner of the"
                f" tables, in a database that is up to date: {_UPGRADE}."
            ) from None


def _user_id(project: Project, connection: Connection, name: str | None) -> str | None:
    """Return the id of a user as the trail spells it; one who is gone has nothing but an id."""
    if name is None:
        return None
    id_type = project.row_security.id_type
    try:
        if id_type != "text":
            return str(UUID(name) if id_type == "uuid" else int(name))
    except ValueError:
        pass  # no id, so an address
    with Session(connection) as session:
        found = project.find_user(session, name)
    if found is None and id_type != "text":
        raise IdentityError(
            f"There is no user {name!r}: give the address they sign in with, or their id."
        )
    return name if found is None else str(found)


def _list(connection: Connection, filters: Filters, limit: int, output: OutputFormat) -> None:
    rows = connection.execute(select_entries(filters, limit=limit)).mappings()
    for entry in map(as_json, rows):
        typer.echo(json.dumps(entry) if output is OutputFormat.JSON else sentence(entry))


def _remove(
    connection: Connection, older_than: timedelta, reason: str, output: OutputFormat
) -> None:
    removal = remove_older_than(connection, older_than, reason=reason)
    if output is OutputFormat.JSON:
        removed = {"rows": removal.rows, "through": removal.through} if removal else {"rows": 0}
        typer.echo(json.dumps(removed))
    elif removal is None:
        typer.echo("No entry is that old: nothing was removed.")
    else:
        typer.echo(f"Removed {removal.rows} entries, up to position {removal.through}.")
