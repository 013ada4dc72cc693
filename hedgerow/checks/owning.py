"""The owner's connection, for the checks that cannot do without."""

from sqlalchemy import Connection

from hedgerow.checks.inspection import Inspection
from hedgerow.checks.model import UndeterminedError


def owner_connection(inspection: Inspection) -> Connection:
    """Return the connection as the tables' owner; raises UndeterminedError where there is none."""
    if inspection.owner is None:
        raise UndeterminedError("Only the owner can tell, and nobody is logged in as the owner.")
    return inspection.owner
