"""H112: a function that the login may call runs as a role that policies do not apply to."""

from collections.abc import Iterator

from hedgerow.catalogs.functions import Definer
from hedgerow.checks.fixes import fix_declared
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
        yield Finding(
            subject=function.name,
            sentence=f"Function {function.name!r} runs with the rights of {function.owner!r}:"
            " through it a request reaches every user's rows, unless it checks for itself.",
            fix=_fix(inspection, function),
        )


def _fix(inspection: Inspection, function: Definer) -> str:
    if (fix := fix_declared(inspection, function)) is not None:
        return fix
    policy = inspection.used_by_policies.get(function.name)
    if policy is None:
        return f"ALTER ROUTINE {function.target} SECURITY INVOKER;"
    # With its caller's rights it asks policies that ask it again, until the stack is full; without
    # EXECUTE the policy fails.
    return (
        f"Leave it SECURITY DEFINER, for policy {policy} calls it: have it tell of rls.user_id()"
        " alone, whatever its arguments, and allow it in pyproject.toml with that reason; or"
        " declare the memberships (Scope.members()), whose functions are known."
    )


CHECK = Check("H112", Level.ERROR, "SECURITY DEFINER bypasses RLS", find, pitfalls=("P7",))
