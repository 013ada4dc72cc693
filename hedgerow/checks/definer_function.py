"""H112: a function that the login may call runs as a role that policies do not apply to."""

from collections.abc import Iterator

from hedgerow.checks.inspection import Inspection
from hedgerow.checks.model import Check
from hedgerow.findings import Finding, Level


def find(inspection: Inspection) -> Iterator[Finding]:
    """Find SECURITY DEFINER functions whose owner no policy applies to.

    EXECUTE is granted to PUBLIC by default: a helper that migrations made for one trigger is
    callable by every request, and returns whatever row it is asked for. What tells of shares is
    left out where it is as the models declare it.
    """
    for function in inspection.definers:
        declared = inspection.share_functions.get(function.name)
        yield Finding(
            subject=function.name,
            sentence=f"Function {function.name!r} runs with the rights of {function.owner!r}:"
            " through it a request reaches every user's rows, unless it checks for itself.",
            fix=f"ALTER ROUTINE {function.target} SECURITY INVOKER;"
            if declared is None
            else " ".join(f"{statement};" for statement in declared.create_statements()),
        )


CHECK = Check("H112", Level.ERROR, "SECURITY DEFINER bypasses RLS", find, pitfalls=("P7",))
