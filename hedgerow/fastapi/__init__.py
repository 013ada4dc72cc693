"""What a FastAPI application answers where the database refuses, why, and as whom it works."""

from hedgerow.fastapi.errors import install_error_handlers
from hedgerow.fastapi.observation import IdentityFilter, IdentityObserver, user_hash
from hedgerow.fastapi.refusals import explain_refusals

__all__ = [
    "IdentityFilter",
    "IdentityObserver",
    "explain_refusals",
    "install_error_handlers",
    "user_hash",
]
