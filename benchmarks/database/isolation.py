"""That a variant keeps users apart: a fast answer counts only where it is a right one."""

from sqlalchemy import text

from benchmarks.database.measure import Contestant
from benchmarks.database.operations import WrongRowsError

_SEES = text("SELECT count(*) FROM item WHERE id = :id")
_CHANGES = text("UPDATE item SET title = title WHERE id = :id")
_REMOVES = text("DELETE FROM item WHERE id = :id")


def check_isolation(contestant: Contestant) -> None:
    """Raise WrongRowsError where somebody else's row is seen, changed or removed.

    The floor and the admins are passed over: without a WHERE by hand, they reach every row.
    """
    if contestant.variant.hand_written or contestant.variant.everybody:
        return
    foreign = {"id": contestant.data.foreign[0]["id"]}
    with contestant.runner.transaction() as session:
        reached = session.execute(_SEES, foreign).scalar_one()
        for statement in (_CHANGES, _REMOVES):
            result = session.execute(statement, foreign)
            reached += result.rowcount  # type: ignore[attr-defined]
    if reached:
        raise WrongRowsError("another user's row is seen, changed or removed")
