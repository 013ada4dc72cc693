"""`hedgerow lint`: check models and routes without a database. One module a rule."""

from hedgerow.lint import owner_without_scope, unbound_route, user_key_without_scope
from hedgerow.lint.model import Rule

RULES: tuple[Rule, ...] = (
    owner_without_scope.RULE,
    user_key_without_scope.RULE,
    unbound_route.RULE,
)
"""Every rule, in the order of their numbers."""
