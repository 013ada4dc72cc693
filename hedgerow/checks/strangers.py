"""Be somebody who does not exist, to try what policies do without touching anybody's rows."""

from secrets import randbelow
from uuid import uuid4

from hedgerow.checks.inspection import Inspection
from hedgerow.config.identity import Identity, UserId
from hedgerow.sessions.begin import set_locally


def nobodys_id(inspection: Inspection) -> UserId:
    """Return a user's key of the project's type that no user has."""
    match inspection.row_security.id_type:
        case "uuid":
            return uuid4()
        case "bigint":
            return -1 - randbelow(2**62)
        case "text":
            return f"hedgerow check {uuid4()}"


def become_stranger(inspection: Inspection) -> None:
    """Make the application's transaction an ordinary user's who owns nothing, until rolled back.

    Raises a SQLAlchemy DBAPIError where the server refuses.
    """
    identity = Identity(nobodys_id(inspection))
    set_locally(inspection.application, inspection.row_security.settings_for(identity))
