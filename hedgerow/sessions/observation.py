"""The current identity, for logs and traces."""

from contextvars import ContextVar
from dataclasses import dataclass

from hedgerow.config.identity import Identity


@dataclass(slots=True)
class Observed:
    """The identity of the newest transaction of one request, or of one job.

    A holder that is filled in, because a context variable that is set in a thread of FastAPI's pool
    is not seen outside of it (P20). It decides nothing: it is only told.
    """

    identity: Identity | None = None


observed: ContextVar[Observed | None] = ContextVar("hedgerow_observed", default=None)


def note(identity: Identity | None) -> None:
    """Note that a transaction runs as `identity`."""
    if (holder := observed.get()) is not None and identity is not None:
        holder.identity = identity
