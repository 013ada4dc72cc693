"""What settings must be to each other, and what a deployment asks of them."""

from typing import TYPE_CHECKING

from sqlalchemy.engine import make_url

from app.core.strength import ANY, DEFAULT_SECRET, KEY, MAKE_ONE, PASSWORD, Strength

if TYPE_CHECKING:
    from app.core.config import Settings


def problems_of_roles(settings: "Settings") -> list[str]:
    """Return what is wrong where two roles would be one."""
    owner = settings.owner_url.username if settings.owner_url else settings.POSTGRES_USER
    names_by_role: dict[str | None, list[str]] = {owner: ["the database's owner"]}
    for name in (
        "RLS_APP_USER",
        "RLS_MAINTENANCE_ADMIN",
        "RLS_ADMIN_ROLE",
        "RLS_READ_ONLY_ADMIN_ROLE",
        "RLS_SIGN_IN_ROLE",
        "RLS_ANONYMOUS_ROLE",
        "RLS_SERVICE_ROLE",
    ):
        names_by_role.setdefault(getattr(settings, name), []).append(name)
    return [
        f"{' and '.join(names)} must be different roles, but all are {role!r}"
        for role, names in names_by_role.items()
        if len(names) > 1
    ]


def problems_of_deployment(settings: "Settings", *, assumed: str | None) -> list[str]:
    """Return what a deployment lacks; `assumed` says why it is one where nobody said so."""
    here = f"ENVIRONMENT={settings.ENVIRONMENT}"
    problems = []
    if not settings.database_configured:
        problems.append(
            f"{here} needs a database: "
            "set DATABASE_URL, or POSTGRES_SERVER and the other POSTGRES_* settings"
        )
    if settings.RLS_CONTEXT_SECRET is None:
        problems.append(f"{here} needs signed identities: set RLS_CONTEXT_SECRET")
    secrets = _secrets(settings)
    unchanged = [name for name, secret, _ in secrets if secret == DEFAULT_SECRET]
    if unchanged:
        problems.append(
            f'{", ".join(unchanged)}: "{DEFAULT_SECRET}" is not a secret; '
            f"set another value for {here}"
        )
    weak: dict[Strength, list[str]] = {}
    for name, secret, strength in secrets:
        if secret != DEFAULT_SECRET and not strength.is_met_by(secret):
            weak.setdefault(strength, []).append(name)
    problems += [
        f"{', '.join(names)}: too weak for {here}, which asks for {strength}"
        for strength, names in weak.items()
    ]
    if unchanged or weak or settings.RLS_CONTEXT_SECRET is None:
        problems.append(f"a random secret: {MAKE_ONE}")
    if problems and assumed:
        problems.insert(
            0,
            f"this is {here}, because ENVIRONMENT is not set and {assumed}; "
            "set ENVIRONMENT=local if this database is for development",
        )
    return problems


def _secrets(settings: "Settings") -> list[tuple[str, str, Strength]]:
    """Return each secret that is given: its setting, its value, and what is asked of it."""
    if settings.DATABASE_URL:
        url = make_url(settings.DATABASE_URL)
        owner = ("DATABASE_URL", url.password or url.query.get("password"), PASSWORD)
    else:
        owner = ("POSTGRES_PASSWORD", settings.POSTGRES_PASSWORD, PASSWORD)
    strengths = {
        "SECRET_KEY": KEY,
        "RLS_CONTEXT_SECRET": KEY,
        "RLS_APP_PASSWORD": PASSWORD,
        "RLS_MAINTENANCE_ADMIN_PASSWORD": PASSWORD,
        "FIRST_SUPERUSER_PASSWORD": PASSWORD,
        "FIRST_USER_PASSWORD": PASSWORD,
        # The mail server's to choose.
        "SMTP_PASSWORD": ANY,
    }
    secrets = [(name, getattr(settings, name), strength) for name, strength in strengths.items()]
    return [
        (name, str(secret), strength)
        for name, secret, strength in [*secrets, owner]
        if secret is not None
    ]
