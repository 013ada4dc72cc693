"""H131: requests may execute what ends other sessions, or reaches files and large objects."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from hedgerow import sql
from hedgerow.catalogs.server_functions import (
    CONNECTIONS,
    LARGE_OBJECTS,
    SESSIONS,
    ServerFunction,
    large_objects,
    names,
    server_functions,
)
from hedgerow.checks.fixes import UPGRADE
from hedgerow.checks.inspection import Inspection
from hedgerow.checks.model import Check
from hedgerow.findings import Finding, Level
from hedgerow.provisioning.role_settings import DECISIVE
from hedgerow.provisioning.server_functions import revoke_statement

_SIGNAL = "pg_signal_backend"


@dataclass(frozen=True)
class _Kind:
    """What functions reach, and what follows; `level` where that is less bad than an error."""

    name: str
    consequence: str
    level: Level | None = Level.WARNING


_FILES = _Kind(
    "files", "injected SQL reads or writes the server's files, in which all rows are", None
)
_OTHERS = _Kind("server", "the server withholds that from everybody else")
_KINDS = {
    **dict.fromkeys(names(SESSIONS), _Kind("sessions", "injected SQL ends other users' requests")),
    **dict.fromkeys(
        names(LARGE_OBJECTS),
        _Kind("large objects", "SQL of one user stores what that of another reads, past policies"),
    ),
    **dict.fromkeys(
        CONNECTIONS, _Kind("other databases", "injected SQL connects to any database, from here")
    ),
    **dict.fromkeys(
        (
            "pg_read_file",
            "pg_read_binary_file",
            "lo_import",
            "lo_export",
            "pg_file_write",
            "pg_file_rename",
            "pg_file_unlink",
            "dblink_connect_u",
        ),
        _FILES,
    ),
}


def find(inspection: Inspection) -> Iterator[Finding]:
    """Find EXECUTE on functions of the server that reach past the policies.

    PostgreSQL lets every role end sessions of its own, and all requests are sessions of one role. A
    large object belongs to the role as well: whoever injects SQL reads what another has stored.
    """
    if inspection.login.rolsuper:
        return  # H101 reports it
    if _SIGNAL in inspection.reach:
        yield Finding(
            f"sessions {_SIGNAL}",
            f"{inspection.login.rolname!r} may become {_SIGNAL!r}: injected SQL ends the sessions"
            " of every role but superusers.",
            UPGRADE,
            level=Level.WARNING,
        )
    # What a predefined role is for stands at the check of the membership (H107, H119).
    roles = ["public", *(role for role in inspection.reach if not role.startswith("pg_"))]
    granted: defaultdict[tuple[str, _Kind], list[ServerFunction]] = defaultdict(list)
    for function in server_functions(inspection.application, roles):
        if function.is_parameter:
            yield _parameter(function)
        else:
            granted[function.role, _KINDS.get(function.name, _OTHERS)].append(function)
    for (role, kind), functions in granted.items():
        told = ", ".join(dict.fromkeys(function.name for function in functions))
        consequence = kind.consequence
        if functions[0].name in names(LARGE_OBJECTS):
            count = large_objects(inspection.application, roles)
            consequence += f"; {count} are there now"
        yield Finding(
            f"{kind.name} {role}",
            f"{role!r} may execute {told}: {consequence}.",
            f"{revoke_statement(functions, role)};",
            level=kind.level,
        )


def _parameter(parameter: ServerFunction) -> Finding:
    return Finding(
        f"parameter {parameter.name} {parameter.role}",
        f"{parameter.role!r} may set {parameter.name}, which is a superuser's: injected SQL"
        " switches off what asks triggers and policies, or what is logged.",
        f"REVOKE ALL ON PARAMETER {parameter.target} FROM {sql.role_name(parameter.role)};",
        level=None if parameter.name in DECISIVE else Level.WARNING,
    )


CHECK = Check(
    "H131",
    Level.ERROR,
    "Functions past the policies",
    find,
    pitfalls=("P60",),
    at_start_up=True,
)
