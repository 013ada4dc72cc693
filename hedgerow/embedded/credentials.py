"""The password file: made once, readable by its owner alone."""

from __future__ import annotations

import secrets
from pathlib import Path

from hedgerow.embedded.errors import EmbeddedServerError

SUPERUSER = "postgres"


def read_password(path: Path, data: Path) -> str:
    """The password of the cluster in `data`; raises `EmbeddedServerError` where it is lost."""
    try:
        password = path.read_text(encoding="utf-8", errors="replace").strip()
    except FileNotFoundError:
        password = ""
    if not password:
        raise EmbeddedServerError(
            f"The password file {path} of the embedded PostgreSQL is missing or empty: put it "
            f"back, or move {data} away to begin with an empty database."
        )
    return password


def new_password(path: Path) -> str:
    """Write a fresh random password to `path`, mode 0600, and return it."""
    password = secrets.token_urlsafe(32)
    aside = path.with_suffix(".new")
    aside.unlink(missing_ok=True)
    # Renamed when complete, so that a full disk leaves no half of a password.
    aside.touch(mode=0o600, exist_ok=False)
    aside.write_text(password + "\n", encoding="utf-8")
    aside.replace(path)
    return password
