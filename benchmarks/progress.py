"""Tell a person on stderr what a long run does."""

import sys
import time

_started = time.monotonic()


def tell(message: str) -> None:
    """Print one line with the minutes and seconds since the run began."""
    minutes, seconds = divmod(int(time.monotonic() - _started), 60)
    print(f"[{minutes:02}:{seconds:02}] {message}", file=sys.stderr, flush=True)
