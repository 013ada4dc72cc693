"""What a FastAPI application answers where the database refuses, why, and as whom it works."""

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
