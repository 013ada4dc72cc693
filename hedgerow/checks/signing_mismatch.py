"""H108: the application and the database sign identities with different keys, or only one does."""

from collections.abc import Iterator

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from hedgerow import sql
from hedgerow.checks.fixes import UPGRADE, remake
from hedgerow.checks.inspection import Inspection
from hedgerow.checks.model import Check
from hedgerow.checks.trial import become_new_user
from hedgerow.errors import EXPIRED_SIGNATURE, INSUFFICIENT_PRIVILEGE, INVALID_SIGNATURE
from hedgerow.findings import Finding, Level

_SECRET = "RLS_CONTEXT_SECRET"  # noqa: S105

_FUNCTIONS = text("""
    SELECT to_regprocedure('rls.role()') IS NOT NULL AS exist,
           to_regprocedure('rls.verify_identity()') IS NOT NULL AS verify
""")

_KEY_OWNERS = text("""
    SELECT pg_get_userbyid(p.proowner) AS function, pg_get_userbyid(c.relowner) AS key
    FROM pg_proc p, pg_class c
    WHERE p.oid = to_regprocedure('rls.verify_identity()')
      AND c.oid = to_regclass('rls.signing_key')
""")


def find(inspection: Inspection) -> Iterator[Finding]:
    """Try an identity as a request does: a database that refuses it refuses every request.

    A database that was migrated without the secret accepts any identity that injected SQL sets.
    """
    wanted = inspection.row_security
    if not wanted.enabled:
        return
    there = inspection.application.execute(_FUNCTIONS).one()
    if not there.exist:
        yield Finding(
            "rls",
            "Schema 'rls' is missing: requests that use a scoped table fail.",
            remake(inspection),
        )
    elif there.verify and wanted.signing is None:
        yield Finding(
            _SECRET,
            "The database expects signed identities, but the application does not sign them, so"
            " every request fails.",
            # No command: migrating without the secret would turn signing off for good.
            f"Set {_SECRET} to the secret that the database was migrated with.",
        )
    elif wanted.signing is not None and not there.verify:
        yield Finding(
            _SECRET,
            "The application signs identities (RLS_CONTEXT_SECRET), but the database does not check"
            " signatures: injected SQL can take any identity.",
            UPGRADE,
        )
    else:
        yield from _try_identity(inspection)


def _try_identity(inspection: Inspection) -> Iterator[Finding]:
    try:
        become_new_user(inspection)
        inspection.application.execute(text("SELECT rls.role()"))
    except DBAPIError as error:
        inspection.application.rollback()
        match getattr(error.orig, "sqlstate", None):
            case state if state == INVALID_SIGNATURE:
                yield Finding(
                    _SECRET,
                    f"{_SECRET} differs from the database's key, so every request fails.",
                    UPGRADE,
                )
            case state if state == EXPIRED_SIGNATURE:
                yield Finding(
                    "clock",
                    "The clocks of application and database differ by more than"
                    " RLS_CONTEXT_MAX_AGE_SECONDS, so every request fails.",
                    "timedatectl set-ntp true",
                )
            case state if state == INSUFFICIENT_PRIVILEGE:
                yield _unreadable_key(inspection)
            case _:
                raise


def _unreadable_key(inspection: Inspection) -> Finding:
    owners = inspection.application.execute(_KEY_OWNERS).one_or_none()
    if owners is None:
        fix = UPGRADE
    elif owners.function == owners.key:
        fix = f"GRANT ALL ON rls.signing_key TO {sql.name(owners.key)};"
    else:
        fix = f"ALTER FUNCTION rls.verify_identity() OWNER TO {sql.name(owners.key)};"
    return Finding(
        "rls.signing_key", "The database cannot read its signing key: every request fails.", fix
    )


CHECK = Check(
    "H108", Level.ERROR, "Signing mismatch", find, pitfalls=("P3", "P4"), at_start_up=True
)
