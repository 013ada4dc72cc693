"""`hedgerow check`: is this database safe? One module a rule."""

from hedgerow.checks import inherited_admin, owning_login, strong_login, table_state
from hedgerow.checks.model import Check

CHECKS: tuple[Check, ...] = (
    strong_login.CHECK,
    owning_login.CHECK,
    inherited_admin.CHECK,
    table_state.CHECK,
)
"""Every check, in the order of their numbers."""
