"""The allowlist in `pyproject.toml`, which `hedgerow check` and `hedgerow lint` share."""

from pathlib import Path

from hedgerow.checks import CHECKS
from hedgerow.config.project import find_settings
from hedgerow.findings import Allowlist, read_allowlist
from hedgerow.lint import RULES


def allowlist_at(directory: Path) -> Allowlist:
    """Return what the project at or above `directory` allows; raises ConfigurationError."""
    file, settings = find_settings(directory)
    numbers = [check.number for check in CHECKS] + [rule.number for rule in RULES]
    return read_allowlist(file, settings.get("allow", []), numbers)
