"""How a report is written: for people, for programs, and for code scanning."""

from hedgerow.checks.model import Check


def page(check: Check) -> str:
    """Return where the documentation of `check` is, from the root of Hedgerow's repository."""
    return f"docs/reference/checks/{check.number}.md"
