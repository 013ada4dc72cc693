"""H120: the server lacks fixes of row security."""

from collections.abc import Iterator, Mapping

from hedgerow.checks.inspection import Inspection, UndeterminedError
from hedgerow.checks.model import Check
from hedgerow.findings import Finding, Level

# The minor release of each major that first has the fix: PostgreSQL's release notes and CVE texts.
_FIXES: Mapping[str, Mapping[int, int]] = {
    "CVE-2023-2455": {15: 3},
    "CVE-2023-39418": {15: 4},
    "CVE-2024-10976": {15: 9},
    "CVE-2025-8713": {15: 14, 16: 10, 17: 6},
    "CVE-2026-14666": {15: 19, 16: 15, 17: 11, 18: 6},
    "CVE-2026-116311": {15: 20},
    "CVE-2026-116327": {15: 20},
    "CVE-2026-16237": {15: 20},
    "CVE-2026-120154": {15: 20, 16: 16, 17: 12, 18: 7},
}


def find(inspection: Inspection) -> Iterator[Finding]:
    """Find a minor release that is older than a fix of a hole in row security.

    Each of these let a user read, or change, rows that correct policies hid: no configuration is
    safe on such a server.
    """
    major, minor = divmod(inspection.server_version, 10_000)
    needed = {cve: minors[major] for cve, minors in _FIXES.items() if major in minors}
    if not needed:
        raise UndeterminedError(f"This version does not know the fixes of PostgreSQL {major}.")
    missing = [cve for cve, first in needed.items() if minor < first]
    if missing:
        yield Finding(
            subject=f"{major}.{minor}",
            sentence=f"PostgreSQL {major}.{minor} lacks fixes of row security"
            f" ({', '.join(missing)}): a user can read rows that policies hide.",
            fix=f"Upgrade the server to PostgreSQL {major}.{max(needed.values())} or later.",
        )


CHECK = Check("H120", Level.WARNING, "Missing security fixes", find, pitfalls=("P44",))
