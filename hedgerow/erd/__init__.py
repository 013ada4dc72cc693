"""`hedgerow erd`: a diagram of the mapped tables, and of which are scoped by user.

paracelsus (PyPI) draws neither row security nor schemas, and writes names that Mermaid misreads.
"""

from hedgerow.erd.page import page
from hedgerow.erd.read import read_diagram

__all__ = ["page", "read_diagram"]
