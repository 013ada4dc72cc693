"""What a FastAPI application answers where the database refuses, and why it did."""

from hedgerow.fastapi.errors import install_error_handlers
from hedgerow.fastapi.refusals import explain_refusals

__all__ = ["explain_refusals", "install_error_handlers"]
