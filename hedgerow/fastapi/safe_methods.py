"""Which requests only read, as HTTP has it (RFC 9110, section 9.2.1)."""

from typing import Final

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
"""The methods whose requests only read: begin their transactions on a `read_only` engine."""
