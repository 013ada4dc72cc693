"""H130: the application's login can run DDL."""

from collections.abc import Iterator

from hedgerow.checks.fixes import UPGRADE
from hedgerow.checks.inspection import Inspection
from hedgerow.checks.model import Check
from hedgerow.findings import Finding, Level
from hedgerow.provisioning import ddl_guard


def find(inspection: Inspection) -> Iterator[Finding]:
    """Find a database whose event trigger against DDL is missing, off or altered.

    `DROP OWNED BY CURRENT_USER` needs no privilege, and drops each policy that names the login
    alone. A temporary table stands in a table's place for whoever uses the connection next.
    """
    login = inspection.login.rolname
    if inspection.login.rolsuper:
        return  # H101 reports it
    guard = ddl_guard.inspect(inspection.application, inspection.row_security, inspection.reach)
    consequence = (
        f"nothing refuses DDL to {login!r}, such as DROP OWNED BY, which drops its policies"
    )
    if not guard.refuses:
        yield Finding(
            ddl_guard.FUNCTION,
            f"Function {ddl_guard.FUNCTION} is missing or altered: {consequence}.",
            UPGRADE,
        )
    elif not guard.fires:
        yield Finding(
            ddl_guard.TRIGGER,
            f"The event trigger {ddl_guard.TRIGGER} is missing, off or altered: {consequence}.",
            UPGRADE
            if guard.owner_may
            else "The tables' owner may not create it: have a superuser run, in this database,"
            f" `{ddl_guard.create_statement()};`.",
            level=None if guard.owner_may else Level.WARNING,
        )
    if guard.temporary:
        holders = " and ".join(map(repr, guard.temporary))
        yield Finding(
            f"TEMPORARY {' '.join(guard.temporary)}",
            f"{holders} may make temporary tables: one that injected SQL names like a table takes"
            " its place for the next user of the connection.",
            f"{ddl_guard.revoke_temporary_statement(guard.database, guard.temporary)};",
            level=Level.WARNING,
        )


CHECK = Check("H130", Level.ERROR, "DDL not refused", find, pitfalls=("P57",), at_start_up=True)
