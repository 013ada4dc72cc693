"""`hedgerow lint`: check models and routes without a database. One module a rule."""

from hedgerow.lint import (
    key_without_owner,
    unbound_route,
    undeclared_table,
    unique_over_all_users,
)
from hedgerow.lint.model import Rule

RULES: tuple[Rule, ...] = (
    undeclared_table.RULE,
    unbound_route.RULE,
    unique_over_all_users.RULE,
    key_without_owner.RULE,
)
"""Every rule, in the order of their numbers."""
