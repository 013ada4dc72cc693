"""H116: a default of a role or the database gives sessions what they did not ask for."""

from collections.abc import Iterator

from hedgerow.catalogs.settings import DefaultSetting, default_settings
from hedgerow.checks.inspection import Inspection
from hedgerow.checks.model import Check
from hedgerow.findings import Finding, Level
from hedgerow.provisioning.role_settings import DECISIVE, is_foreign


def find(inspection: Inspection) -> Iterator[Finding]:
    """Find `ALTER ROLE ... SET` and `ALTER DATABASE ... SET` that no upgrade has made.

    With a default for `app.user_id`, a request that forgot its identity is not refused: it is that
    user. With one for `role`, every request begins as an admin. Each login may give itself others.
    """
    login = inspection.login.rolname
    roles = {login, *inspection.row_security.roles.names}
    for setting in default_settings(inspection.application, roles):
        consequence, level = _judge(setting, login)
        yield Finding(
            subject=f"{setting.whose} {setting.name}",
            sentence=f"{setting.whose} has a default for {setting.name!r}: {consequence}.",
            fix=f"{setting.reset_statement()};",
            level=level,
        )


def _judge(setting: DefaultSetting, login: str) -> tuple[str, Level | None]:
    """Return what follows from a setting, and how bad that is, if less than an error."""
    if setting.name in DECISIVE and setting.role in (None, login):
        return (
            "a request without an identity is taken for a user, or policies and triggers do not"
            " decide as they should",
            None,
        )
    if setting.role is not None and is_foreign(setting):
        return (
            "SQL that the role itself ran can have made it, and it is there in every session",
            Level.WARNING,
        )
    return "sessions begin with it, so its value should be meant", Level.NOTE


CHECK = Check(
    "H116",
    Level.ERROR,
    "Setting by default",
    find,
    pitfalls=("P10", "P16", "P58"),
    at_start_up=True,
)
