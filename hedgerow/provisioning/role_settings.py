"""Take back what sessions of the project's roles begin with, and no upgrade has made.

PostgreSQL lets each role change its own defaults: one injected `ALTER ROLE CURRENT_USER SET ...` is
there in every later session, and no RESET ALL takes it back (P58).
"""

import logging
from typing import Final

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from hedgerow import sql
from hedgerow.catalogs.settings import DefaultSetting, default_settings
from hedgerow.config.identity import (
    CONTEXT_SETTINGS,
    ROLE_SETTING,
    SIGNATURE_SETTING,
    USER_ID_SETTING,
)
from hedgerow.config.row_security import RowSecurity
from hedgerow.errors import INSUFFICIENT_PRIVILEGE

logger = logging.getLogger("hedgerow.roles")

DECISIVE: Final = frozenset(
    {
        USER_ID_SETTING,
        ROLE_SETTING,
        *CONTEXT_SETTINGS,
        SIGNATURE_SETTING,
        "role",
        "row_security",
        "session_replication_role",
        "event_triggers",
    }
)
"""Settings that say who asks, or whether policies and triggers are asked at all."""

LIMITS: Final = frozenset(
    {
        "statement_timeout",
        "lock_timeout",
        "transaction_timeout",
        "idle_in_transaction_session_timeout",
        "idle_session_timeout",
    }
)
"""Settings that an administrator gives a role; they stay."""


def is_foreign(setting: DefaultSetting) -> bool:
    """Return whether a setting of one of the project's roles is none that belongs there.

    What only a superuser could make, such as `log_statement`, is an administrator's.
    """
    return setting.name in DECISIVE or not (setting.for_superusers or setting.name in LIMITS)


def reset_settings(connection: Connection, row_security: RowSecurity) -> None:
    """Take back the foreign settings of the project's roles, with a warning for each.

    What this role may not take back stays; the warning holds the SQL for who may.
    """
    for setting in default_settings(connection, row_security.roles.names):
        if setting.role is None or not is_foreign(setting):
            continue
        statement = setting.reset_statement()
        try:
            with connection.begin_nested():
                connection.execute(sql.Statement(statement))
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) != INSUFFICIENT_PRIVILEGE:
                raise
            logger.warning(
                "%s begins its sessions with a setting of %s that the owner may not take back:"
                " an administrator runs: %s;",
                setting.whose,
                setting.name,
                statement,
            )
        else:
            logger.warning(
                "%s began its sessions with a setting of %s, which has been taken back.",
                setting.whose,
                setting.name,
            )
