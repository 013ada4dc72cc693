"""`hedgerow erd`: a picture of the mapped tables, and of what keeps their rows apart."""

from hedgerow.erd.page import page
from hedgerow.erd.read import read_diagram

__all__ = ["page", "read_diagram"]
