"""FastAPI: the answers where the database refuses, and the identity in logs and traces."""

from hedgerow.fastapi.errors import install_error_handlers
from hedgerow.fastapi.observation import IdentityFilter, IdentityObserver, user_hash
from hedgerow.fastapi.refusals import explain_refusals
from hedgerow.fastapi.safe_methods import SAFE_METHODS

__all__ = [
    "SAFE_METHODS",
    "IdentityFilter",
    "IdentityObserver",
    "explain_refusals",
    "install_error_handlers",
    "user_hash",
]
