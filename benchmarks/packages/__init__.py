"""Published packages, each used as its own documentation says, as variants of the benchmark."""

import importlib
from importlib.metadata import PackageNotFoundError, version

from benchmarks.database.variants import CannotRunError, Variant

DISTRIBUTIONS = ("rls", "fastapi-rls", "rowstile", "pgalchemy", "fastapi-tenancy")
_CANNOT_RUN = {
    "fastapi-tenancy": (
        "It is asynchronous only, and what it sends as a transaction begins is spelled for asyncpg."
        " So it cannot run beside the others, which use synchronous sessions and psycopg 3."
    )
}


def load(distribution: str) -> Variant:
    """Return a package's variant; raises CannotRunError where it cannot take part."""
    if distribution in _CANNOT_RUN:
        raise CannotRunError(_CANNOT_RUN[distribution])
    try:
        installed = version(distribution)
    except PackageNotFoundError:
        raise CannotRunError("Not installed: `scripts/bench` installs it.") from None
    module = importlib.import_module(f"benchmarks.packages.{distribution.replace('-', '_')}")
    return Variant(
        name=distribution,
        description=module.HOW,
        set_up=module.set_up,
        start=module.start,
        package=installed,
    )
