"""Published packages, each used as its own documentation says, as variants of the benchmark."""

import importlib
from importlib.metadata import PackageNotFoundError, version

from benchmarks.database.variants import CannotRunError, Variant

DISTRIBUTIONS = ("rls", "fastapi-rls", "rowstile", "pgalchemy", "fastapi-tenancy")


def load(distribution: str) -> Variant:
    """Return the variant that measures a package.

    Raises CannotRunError where the package is not installed, or cannot take part and says why.
    """
    try:
        installed = version(distribution)
    except PackageNotFoundError:
        raise CannotRunError(
            "Not installed: scripts/bench installs it, apart from .venv."
        ) from None
    module = importlib.import_module(f"benchmarks.packages.{distribution.replace('-', '_')}")
    if (reason := getattr(module, "CANNOT_RUN", None)) is not None:
        raise CannotRunError(reason)
    return Variant(
        name=distribution,
        description=module.HOW,
        database=distribution.replace("-", "_"),
        set_up=module.set_up,
        start=module.start,
        package=installed,
    )
