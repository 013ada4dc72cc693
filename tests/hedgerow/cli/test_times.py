"""Times as a person writes them."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
import typer

from hedgerow.cli.times import duration, moment


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("30m", timedelta(minutes=30)),
        ("2h", timedelta(hours=2)),
        ("365d", timedelta(days=365)),
        ("4w", timedelta(weeks=4)),
    ],
)
def test_a_length_of_time(written: str, meant: timedelta) -> None:
    assert duration(written) == meant
    ago = moment(written)
    assert timedelta(0) <= datetime.now(UTC) - ago - meant < timedelta(minutes=1)


@pytest.mark.parametrize("written", ["", "7", "d", "-7d", "7 d", "7D", "1y", "1234567d", "७d"])
def test_what_is_no_length_of_time(written: str) -> None:
    with pytest.raises(typer.BadParameter, match="is not a length of time"):
        duration(written)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2026-07-01", datetime(2026, 7, 1, tzinfo=UTC)),
        ("2026-07-01T12:30", datetime(2026, 7, 1, 12, 30, tzinfo=UTC)),
        (
            "2026-07-01T12:30+02:00",
            datetime(2026, 7, 1, 12, 30, tzinfo=timezone(timedelta(hours=2))),
        ),
    ],
)
def test_a_date_is_in_utc_unless_it_says_otherwise(written: str, meant: datetime) -> None:
    assert moment(written) == meant


@pytest.mark.parametrize("written", ["", "yesterday", "2026-13-01", "999999w"])
def test_what_is_no_time(written: str) -> None:
    """More weeks than there have been years are none either."""
    with pytest.raises(typer.BadParameter, match="is not a time"):
        moment(written)
