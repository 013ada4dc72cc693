"""H113: a SECURITY DEFINER function looks names up in the search_path of its caller."""

from collections.abc import Iterator, Sequence

from sqlalchemy import text

from hedgerow import sql
from hedgerow.catalogs.functions import Definer
from hedgerow.checks.fixes import fix_declared
from hedgerow.checks.inspection import Inspection
from hedgerow.checks.model import Check
from hedgerow.findings import Finding, Level

_TEMPORARY = "pg_temp"
_NOWHERE = '""'


def find(inspection: Inspection) -> Iterator[Finding]:
    """Find functions with their owner's rights in which the caller decides what a name means.

    A caller makes a temporary table of the same name, and the function reads and writes that one.
    Temporary objects come first wherever `search_path` does not name `pg_temp`, at its end.
    """
    for function in inspection.definers:
        if function.looks_names_up and not _is_fixed(function):
            path = ", ".join([*_path(inspection, function), _TEMPORARY])
            fix = f"ALTER ROUTINE {function.target} SET search_path = {path};"
            yield Finding(
                subject=function.name,
                sentence=f"Function {function.name!r} looks names up in its caller's search_path:"
                f" injected SQL can make it run anything with the rights of {function.owner!r}.",
                fix=fix_declared(inspection, function) or fix,
            )


def _path(inspection: Inspection, function: Definer) -> Sequence[str]:
    """Return where the function finds its names now, or what it calls would be found no more."""
    if function.search_path is not None:
        return [one for one in _split(function.search_path) if one != _TEMPORARY]
    callers = inspection.application.scalar(text("SELECT current_schemas(false)"))
    return [
        *dict.fromkeys(["pg_catalog", *map(sql.name, callers or ()), sql.name(function.schema)])
    ]


def _split(path: str) -> list[str]:
    return [schema.strip() for schema in path.split(",")]


def _is_fixed(function: Definer) -> bool:
    if function.search_path is None:
        return False
    schemas = _split(function.search_path)
    return schemas in ([_NOWHERE], [""]) or schemas[-1] == _TEMPORARY


CHECK = Check("H113", Level.ERROR, "Mutable search_path", find, pitfalls=("P7",))
