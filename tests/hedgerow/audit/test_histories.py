"""Histories by chance, and one thing that the owner does to them."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.hedgerow.audit.conftest import Stage
from tests.hedgerow.audit.support import (
    age,
    check,
    elevate,
    empty,
    faults,
    recompute,
    remove,
    rename,
    tamper,
)

STEPS = st.lists(st.sampled_from(["look", "change", "both", "retention"]), min_size=1, max_size=6)
TAMPERING = {
    "alter": "UPDATE rls.audit SET user_id = user_id || 'x', role = 'x' WHERE position = {}",
    "remove": "DELETE FROM rls.audit WHERE position = {}",
    "renumber": "UPDATE rls.audit SET position = position + 1000 WHERE position = {}",
    "unchain": "UPDATE rls.audit SET position = NULL WHERE position = {}",
    "cut off": "DELETE FROM rls.audit WHERE position >= {}",
    "behead": "DELETE FROM rls.audit WHERE position <= {}",
}


@settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(steps=STEPS, kind=st.sampled_from(sorted(TAMPERING)), data=st.data())
def test_every_history_is_whole_until_tampered_with(
    stage: Stage,
    steps: list[str],
    kind: str,
    data: st.DataObject,
) -> None:
    database, engine, overseer, owned = stage.database, stage.engine, stage.overseer, stage.owned
    empty(database)
    for step in steps:
        if step in ("look", "both"):
            elevate(engine, overseer.id, read_only=True)
        if step in ("change", "both"):
            rename(engine, overseer.id, owned.items[0])
        if step == "retention":
            newest = check(database).newest.position
            if newest == 0:
                continue
            age(database, data.draw(st.integers(0, newest)))
            remove(database)
        assert faults(database) == []
    verification = check(database)
    if not verification.entries:
        return
    anchor = verification.newest
    position = data.draw(st.integers(verification.begins_after.position + 1, anchor.position))
    tamper(database, TAMPERING[kind].format(position))
    assert faults(database) != []
    if kind == "alter":
        recompute(database)
        assert faults(database, anchor) != []
