"""Times as a command line has them: `7d` and `2h`, or a date."""

import re
from datetime import UTC, datetime, timedelta

import typer

_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def duration(written: str) -> timedelta:
    """Read `30m`, `2h`, `7d` or `4w`; raises typer.BadParameter for anything else."""
    found = re.fullmatch(r"([0-9]{1,6})([mhdw])", written)
    if found is None:
        raise typer.BadParameter(f"{written!r} is not a length of time: write 30m, 2h, 7d or 4w.")
    number, unit = found.groups()
    return timedelta(**{_UNITS[unit]: int(number)})


def moment(written: str) -> datetime:
    """Read how long ago, as `duration` does, or a date, or a date and time; UTC where none is said.

    Raises typer.BadParameter for anything else.
    """
    try:
        at = datetime.fromisoformat(written)
    except ValueError:
        try:
            return datetime.now(UTC) - duration(written)
        except (typer.BadParameter, OverflowError):
            raise typer.BadParameter(
                f"{written!r} is not a time: write 2h or 7d for that long ago, or a date such as"
                " 2026-07-01 or 2026-07-01T12:30+02:00."
            ) from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
