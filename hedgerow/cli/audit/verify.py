"""`hedgerow audit verify`: find entries of the audit trail that were altered or removed."""

import json
import sys
from dataclasses import asdict
from typing import Annotated

import typer

from hedgerow.audit.anchor import Anchor
from hedgerow.audit.sentences import visible
from hedgerow.audit.verification import Verification, verify
from hedgerow.cli.audit.trail import connect_as_owner, load_audited_project
from hedgerow.cli.formats import OutputFormat

_SHOWN_FAULTS = 50


def command(
    anchor: Annotated[
        str | None,
        typer.Option(metavar="POSITION:HASH", help="What an earlier verification printed."),
    ] = None,
    output: Annotated[
        OutputFormat, typer.Option("--format", help="Text for people, JSON for programs.")
    ] = OutputFormat.TEXT,
) -> None:
    """Verify that no entry of the audit trail was altered or removed.

    Exits with 1 if somebody did. Store the anchor that it prints outside of the database, and give
    it to the next verification: without it, a chain that the owner computed anew looks whole.

    Examples:
      hedgerow audit verify
      hedgerow audit verify --anchor "$(cat /mnt/elsewhere/anchor)"
      hedgerow audit verify --format json
    """
    noted = Anchor.parse(anchor) if anchor is not None else None
    with connect_as_owner(load_audited_project()) as connection:
        verification = verify(connection, anchor=noted, progress=_show_progress)
    _clear_progress()
    if output is OutputFormat.JSON:
        typer.echo(json.dumps(_document(verification), indent=2))
    else:
        _print(verification)
    sys.exit(1 if verification.faults else 0)


def _document(verification: Verification) -> dict[str, object]:
    return {
        "entries": verification.entries,
        "anchor": None if verification.faults else str(verification.newest),
        "retentions": [
            {**asdict(retention), "at": retention.at.isoformat()}
            for retention in verification.retentions
        ],
        "faults": [
            {"position": fault.position, "id": fault.id, "sentence": fault.sentence}
            for fault in verification.faults
        ],
    }


def _print(verification: Verification) -> None:
    for fault in verification.faults[:_SHOWN_FAULTS]:
        typer.echo(fault.sentence)
    if (more := len(verification.faults) - _SHOWN_FAULTS) > 0:
        typer.echo(f"... and {more} more; --format json shows all.")
    for retention in verification.retentions:
        because = f" because: {visible(retention.reason)}" if retention.reason else ""
        typer.echo(f"{retention.at:%Y-%m-%d}: removed up to position {retention.through}{because}")
    if not verification.faults:
        typer.echo(f"The audit trail is whole: {verification.entries} entries.")
        typer.echo(f"Anchor: {verification.newest}")


def _show_progress(entries: int) -> None:
    if sys.stderr.isatty():
        typer.echo(f"\r\x1b[K{entries} entries ...", err=True, nl=False)


def _clear_progress() -> None:
    if sys.stderr.isatty():
        typer.echo("\r\x1b[K", err=True, nl=False)
