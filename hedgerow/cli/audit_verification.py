"""What `hedgerow audit --verify` prints."""

import json
import sys
from dataclasses import asdict

import typer
from sqlalchemy import Connection

from hedgerow.audit.anchor import Anchor
from hedgerow.audit.sentences import visible
from hedgerow.audit.verification import Verification, verify
from hedgerow.cli.formats import OutputFormat

_SHOWN_FAULTS = 50


def run(connection: Connection, anchor: Anchor | None, output: OutputFormat) -> int:
    """Verify the trail and print what was found; return the exit code, 1 where it is not whole."""
    verification = verify(connection, anchor=anchor, progress=_show_progress)
    _clear_progress()
    if output is OutputFormat.JSON:
        typer.echo(json.dumps(_document(verification), indent=2))
    else:
        _print(verification)
    return 1 if verification.faults else 0


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
    for kept in verification.retentions:
        because = f" because: {visible(kept.reason)}" if kept.reason else ""
        typer.echo(f"{kept.at:%Y-%m-%d}: removed up to position {kept.through}{because}")
    if not verification.faults:
        typer.echo(f"The audit trail is whole: {verification.entries} entries.")
        typer.echo(f"Anchor: {verification.newest}")


def _show_progress(entries: int) -> None:
    if sys.stderr.isatty():
        typer.echo(f"\r\x1b[K{entries} entries ...", err=True, nl=False)


def _clear_progress() -> None:
    if sys.stderr.isatty():
        typer.echo("\r\x1b[K", err=True, nl=False)
