"""H101: the application logs in as a role that no policy applies to."""

from collections.abc import Iterator

from hedgerow import sql
from hedgerow.checks.inspection import Inspection
from hedgerow.checks.model import Check, Finding, Level


def find(inspection: Inspection) -> Iterator[Finding]:
    """Find a login that is a superuser or has BYPASSRLS.

    The official FastAPI template connects as `postgres`, and every policy added to it since has
    looked right and enforced nothing.
    """
    login = inspection.login
    if login.rolsuper or login.rolbypassrls:
        power = "SUPERUSER" if login.rolsuper else "BYPASSRLS"
        yield Finding(
            subject=login.rolname,
            sentence=f"The application logs in as {login.rolname!r}, which is {power}:"
            " every request sees and changes every user's rows.",
            cure=f"ALTER ROLE {sql.name(login.rolname)} NOSUPERUSER NOBYPASSRLS;",
        )


CHECK = Check("H101", Level.ERROR, "Strong login", find, pitfalls=("P1",), at_start_up=True)
