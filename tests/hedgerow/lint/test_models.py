"""Models that keep nobody apart are found where they are written; the fix fixes them."""

from pathlib import Path

import pytest

from tests.hedgerow.lint.support import BASE, findings, lint, write_project
from tests.support.databases import Database
from tests.support.programs import run_program

UNSCOPED = """

class Basket(Base):
    __tablename__ = "basket"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    {column}
"""

CUSTOMER = 'Mapped[UUID] = mapped_column(ForeignKey("customer.id"))'
ORDER = 'Mapped[UUID] = mapped_column(ForeignKey("order.id"))'
COLUMNS = {
    # by table: the column, and the declaration that is most likely
    "basket": ("owner_id: Mapped[UUID]", 'Scope("owner_id")'),
    "cart": ("buyer: Mapped[UUID]", 'Scope("buyer")'),
    "trolley": (f"holder: {CUSTOMER}", 'Scope("holder")'),
    "line": (f"order_id: {ORDER}", 'Scope.through("order_id")'),
    "country": ("name: Mapped[str]", 'exempt("why every user may read it")'),
}


def line_of(source: str, start: str) -> int:
    lines = source.splitlines()
    return 1 + next(number for number, line in enumerate(lines) if line.startswith(start))


def test_the_project_as_it_stands_is_clean(tmp_path: Path) -> None:
    write_project(tmp_path)
    result = lint(tmp_path)
    assert result.stdout == "hedgerow lint: 2 tables and 2 routes, 0 findings, 0 allowed.\n"
    assert result.stderr == ""
    assert result.returncode == 0


def test_declarations_that_contradict_each_other_are_named(tmp_path: Path) -> None:
    """P53: a migration refuses them; the lint does not say before it that all is well."""
    parent = f"customer_id: {CUSTOMER}", '__rls__ = hedgerow.Scope.through("customer_id")'
    write_project(tmp_path, models=model("basket", *parent))
    result = lint(tmp_path)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == (
        "hedgerow: Table 'basket' is declared through 'customer_id', but its parent 'customer' is"
        " not scoped, so it decides nothing: declare the parent with a Scope, or leave the column"
        " out.\n"
    )


def model(table: str, column: str, *more: str) -> str:
    body = UNSCOPED.format(column=column).replace("basket", table).replace("Basket", table.title())
    return body + "".join(f"    {line}\n" for line in more)


def test_found_where_they_are_written(tmp_path: Path) -> None:
    models = "".join(model(table, column) for table, (column, _) in COLUMNS.items())
    write_project(tmp_path, models=models)
    found = {one["subject"]: one for one in findings(tmp_path)}
    assert found.keys() == COLUMNS.keys()
    for table, (_, likely) in COLUMNS.items():
        one = found[table]
        assert (one["check"], one["level"]) == ("L101", "error")
        assert one["file"] == "shop/models.py"
        assert one["line"] == line_of(BASE + models, f"class {table.title()}")
        said = f"{table.title()} (table {table!r}) does not say whose rows it holds"
        assert said in one["sentence"]
        assert one["fix"].startswith(f"give the class __rls__ = hedgerow.{likely}")


@pytest.mark.parametrize("exemption", [None, 'exempt("why")'])
def test_fixed(exemption: str | None, tmp_path: Path) -> None:
    """The first declaration that the message shows, or an exemption."""
    models = [
        model(table, column, f"__rls__ = hedgerow.{exemption or likely}")
        for table, (column, likely) in COLUMNS.items()
    ]
    write_project(tmp_path, models="".join(models))
    assert findings(tmp_path) == []


OWNED = 'Scope("owner_id")'
UNIQUE = {
    # by table: its column, and what it declares
    "tag": ("name: Mapped[str] = mapped_column(unique=True)", OWNED),
    "seen": ("name: Mapped[str] = mapped_column(unique=True)", "Scope(read='everyone')"),
    "code": ("code: Mapped[UUID] = mapped_column(unique=True)", OWNED),
    "account": ("email: Mapped[str] = mapped_column(unique=True)", "Scope.itself()"),
}


def test_a_unique_over_all_users_is_found(tmp_path: Path) -> None:
    """P32: an insert tells whether somebody else has the value; the fix leads with the owner."""
    models = "".join(
        model(table, f"{columns}\n    owner_id: Mapped[UUID]", f"__rls__ = hedgerow.{scope}")
        for table, (columns, scope) in UNIQUE.items()
    )
    write_project(tmp_path, models=models)
    [found] = findings(tmp_path)
    assert (found["check"], found["subject"]) == ("L104", "tag (name)")
    assert found["fix"] == 'make it unique for each owner, UniqueConstraint("owner_id", "name")'
    led = "__table_args__ = (UniqueConstraint('owner_id', 'name'),)"
    mended = model(
        "tag", "name: Mapped[str]\n    owner_id: Mapped[UUID]", led, "__rls__ = hedgerow.Scope()"
    )
    write_project(tmp_path, models="\n\nfrom sqlalchemy import UniqueConstraint\n" + mended)
    assert findings(tmp_path) == []


def test_a_unique_key_is_found(tmp_path: Path) -> None:
    """P32: PostgreSQL checks that it is unique before the key's writer has to see the parent."""
    shelf = model("shelf", "owner_id: Mapped[UUID]", "__rls__ = hedgerow.Scope()").replace(
        "id: Mapped[UUID]", "id: Mapped[int]", 1
    )
    key = "shelf_id: Mapped[int] = mapped_column(ForeignKey('shelf.id'), unique=True)"
    label = model("label", f"owner_id: Mapped[UUID]\n    {key}", "__rls__ = hedgerow.Scope()")
    write_project(tmp_path, models=shelf + label)
    found = {(one["check"], one["subject"]) for one in findings(tmp_path)}
    assert found == {("L104", "label (shelf_id)"), ("L105", "label (shelf_id)")}


def test_a_key_that_does_not_carry_the_owner_is_found(tmp_path: Path) -> None:
    """P51: it is checked, but a composite one would need no look at the parent."""
    note = model(
        "note", f"order_id: {ORDER}\n    writer: Mapped[UUID]", "__rls__ = hedgerow.Scope('writer')"
    )
    write_project(tmp_path, models=note)
    [found] = findings(tmp_path)
    assert (found["check"], found["subject"]) == ("L105", "note (order_id)")
    assert 'UniqueConstraint("buyer", "id")' in found["fix"]
    assert (
        'ForeignKeyConstraint(["writer", "order_id"], ["order.buyer", "order.id"])' in found["fix"]
    )
    write_project(tmp_path, models=note.replace("Scope('writer')", "Scope.through('order_id')"))
    assert findings(tmp_path) == []


def test_a_person_gets_file_line_and_fix(tmp_path: Path) -> None:
    basket = UNSCOPED.format(column="owner_id: Mapped[UUID]")
    write_project(tmp_path, models=basket)
    lines = lint(tmp_path).stdout.splitlines()
    line = line_of(BASE + basket, "class Basket")
    assert lines[0].startswith(f"shop/models.py:{line}: L101 error: Basket (table 'basket') does")
    assert lines[1].startswith('  Fix: give the class __rls__ = hedgerow.Scope("owner_id")')
    assert lines[2] == "hedgerow lint: 3 tables and 2 routes, 1 findings, 0 allowed."


def test_a_table_that_no_class_is_mapped_to(tmp_path: Path) -> None:
    """A table of links between users and something: its rows tell who has what."""
    table = '\n\nTable("likes", Base.metadata, Column("who", ForeignKey("customer.id")))\n'
    write_project(tmp_path, models=table)
    [found] = findings(tmp_path)
    assert (found["check"], found["subject"], found["file"]) == ("L101", "likes", None)
    assert found["fix"].startswith("call hedgerow.declare(table, …)")


def test_text_that_only_looks_like_a_model_is_no_model(tmp_path: Path) -> None:
    """A mixin, a comment and a string; and an owner's column that a base class brings is one."""
    models = '''

class Owned:
    owner_id: Mapped[UUID]


# class Comment(Base): owner_id: Mapped[UUID]
TEXT = """
class Text(Base):
    owner_id: Mapped[UUID]
"""
'''
    write_project(tmp_path, models=models)
    assert findings(tmp_path) == []
    models += '\n\nclass Note(Owned, Base):\n    __tablename__ = "note"\n'
    models += "    id: Mapped[UUID] = mapped_column(primary_key=True)\n"
    write_project(tmp_path, models=models)
    assert [found["subject"] for found in findings(tmp_path)] == ["note"]


ALLOW = 'allow = [{check = "L101", subject = "basket", reason = "It is shared by a family."}]\n'


def test_what_is_allowed_is_counted_and_an_entry_of_no_use_is_told(tmp_path: Path) -> None:
    write_project(tmp_path, models=UNSCOPED.format(column="owner_id: Mapped[UUID]"), settings=ALLOW)
    result = lint(tmp_path)
    assert "0 findings, 1 allowed" in result.stdout
    assert result.returncode == 0
    write_project(tmp_path, settings=ALLOW)
    assert "allow = L101 basket: nothing is found there any more" in lint(tmp_path).stdout


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        (ALLOW.replace("It is shared by a family.", " "), "has an empty value"),
        (ALLOW.replace("L101", "L999"), "allow names 'L999', which is not a check"),
    ],
)
def test_an_allowlist_that_says_nothing(settings: str, complaint: str, tmp_path: Path) -> None:
    write_project(tmp_path, settings=settings)
    result = lint(tmp_path)
    assert result.returncode == 1
    [line] = result.stderr.splitlines()
    assert complaint in line


def test_the_allowlist_is_shared_with_the_checks_of_a_database(
    database: Database, tmp_path: Path
) -> None:
    project = '[tool.hedgerow]\nproject = "app.core.project:project"\n'
    (tmp_path / "pyproject.toml").write_text(project + ALLOW)
    result = run_program(
        "hedgerow",
        "check",
        "--format",
        "json",
        folder=tmp_path,
        environment=database.environment(),
    )
    assert result.stderr == ""
    assert result.returncode == 0
