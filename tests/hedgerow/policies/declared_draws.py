"""Random schemas for Hypothesis: tables that are declared in some way, with rows of three users."""

from hypothesis import strategies as st

from hedgerow.policies.options import RowCommand
from tests.hedgerow.policies.declared_model import ALL, SERVICES, USERS, Model, Row


@st.composite
def schemas(draw: st.DrawFn) -> list[Model]:
    """Draw two to four tables, each declared in some way, with rows of three users."""
    models: list[Model] = []
    for position in range(draw(st.integers(2, 4))):
        earlier = list(models)
        indexes = st.integers(0, position - 1) if position else st.nothing()
        parents = draw(st.lists(indexes, max_size=2)) if position else []
        model = Model(
            f"t{position}",
            earlier,
            parents=tuple(parents),
            everyone=draw(st.booleans()) and draw(st.booleans()),
            shared=not parents and draw(st.booleans()),
            commands=draw(st.sampled_from([ALL, ALL, ALL, frozenset({"SELECT", "INSERT"})])),
            reference=draw(st.none() | indexes) if position else None,
            public=draw_public(draw, [earlier[parent] for parent in parents]),
            services=draw(st.dictionaries(st.sampled_from(SERVICES[:2]), COMMANDS, max_size=2)),
            ranked=draw(st.booleans()),
        )
        _let_services_read(model)
        ready = all(earlier[parent].rows for parent in parents)
        for id in range(draw(st.integers(1, 5)) if ready else 0):
            model.rows.append(draw_row(draw, model, id))
        if model.shared:
            pairs = st.tuples(st.sampled_from(model.rows), st.sampled_from(USERS), st.booleans())
            drawn = draw(
                st.lists(pairs, max_size=4, unique_by=lambda share: (share[0].id, share[1]))
            )
            model.shares = [(row.id, user, may) for row, user, may in drawn]
        models.append(model)
    return models


COMMANDS: st.SearchStrategy[frozenset[RowCommand]] = st.sampled_from(
    [ALL, frozenset({"SELECT"}), frozenset({"INSERT"}), frozenset({"SELECT", "DELETE"})]
)


def draw_public(draw: st.DrawFn, parents: list[Model]) -> bool | str:
    """Draw what a table may say of it: children of what is not public cannot be."""
    choices: list[bool | str] = [False, False, True, "shown"]
    if parents:
        choices = [False, all(parent.public for parent in parents)]
    return draw(st.sampled_from(choices))


def _let_services_read(model: Model) -> None:
    """Have each service that writes a key read what it refers to, without which it would fail."""
    if model.reference is not None:
        referred = model.earlier[model.reference]
        for name, commands in model.services.items():
            if "INSERT" in commands:
                already = referred.services.get(name, frozenset())
                referred.services[name] = already | {"SELECT"}
                _let_services_read(referred)


def draw_row(draw: st.DrawFn, model: Model, id: int) -> Row:
    row = Row(id, shown=draw(st.booleans()), rank=draw(st.integers(0, 1)))
    if not model.parents:
        row.owner = draw(st.sampled_from(USERS))
    for key, parent in model.parent_keys():
        row.parents[key] = draw(st.sampled_from(parent.rows)).id
    if model.reference is not None and model.earlier[model.reference].rows:
        row.reference = draw(st.none() | st.sampled_from(model.earlier[model.reference].rows).map(
            lambda row: row.id))  # fmt: skip
    return row
