"""What the picture is written as; Mermaid's grammar is met, whatever the names are."""

import re

from hypothesis import given
from hypothesis import strategies as st

from hedgerow.erd import page, read_diagram
from hedgerow.erd.mermaid import mermaid, quoted, word
from hedgerow.erd.model import Column, Diagram, Entity, Link, Protection
from tests.hedgerow.erd.shop import Base

# Words and characters that Mermaid's grammar, or Markdown's, gives a meaning.
ODD = st.sampled_from(
    (
        *("pk", "UK", "one", "to", "class", "direction TB", "%%c", "#35;", "1st", "}", "{", "[x]"),
        *('a"b', "a%b", "a\\b", "größe", "a~b~c", "order item", "sales.User", "a\nb", "a|b", "`t`"),
    )
)
NAMES = ODD | st.text(min_size=1)
WORD = r"[A-Za-z_][A-Za-z0-9_]*"
TEXT = r'"(?:[^"\n#%\\;|{}\[\]]|#\d+;)*"'
LINES = "|".join(
    (
        r"erDiagram",
        rf"    t_{WORD}\[{TEXT}\] \{{",
        rf"        {WORD}(\(\d+\))?(\[\])* {WORD}( [PFU]K(, [PFU]K)*)?( {TEXT})?",
        r"    \}",
        rf"    t_{WORD} (\|\||\|o)--(o\||o\{{) t_{WORD} : {TEXT}",
        r"    classDef undeclared stroke:#c62828,stroke-width:3px",
        rf"    class t_{WORD} undeclared",
    )
)


@st.composite
def diagrams(draw: st.DrawFn) -> Diagram:
    columns = st.builds(
        Column,
        name=NAMES,
        type=NAMES,
        nullable=st.booleans(),
        primary_key=st.booleans(),
        unique=st.booleans(),
        refers_to=st.lists(NAMES, max_size=1).map(tuple),
    )
    entities = st.builds(
        Entity,
        name=NAMES,
        mapped_class=NAMES,
        protection=st.sampled_from(Protection),
        why=NAMES,
        columns=st.lists(columns, max_size=2).map(tuple),
    )
    tables = draw(st.lists(entities, min_size=1, max_size=3, unique_by=lambda table: table.name))
    ends = st.sampled_from([table.name for table in tables])
    links = st.builds(
        Link,
        parent=ends,
        child=ends,
        columns=st.lists(NAMES, min_size=1, max_size=2).map(tuple),
        optional=st.booleans(),
        single=st.booleans(),
        relationships=st.lists(NAMES, max_size=2).map(tuple),
    )
    return Diagram(tuple(tables), tuple(draw(st.lists(links, max_size=2))))


@given(diagrams())
def test_every_line_is_mermaids_whatever_the_names_are(diagram: Diagram) -> None:
    """P41: reserved words, mixed case, spaces and schemas, and all of Unicode."""
    lines = mermaid(diagram).split("\n")
    assert [line for line in lines if not re.fullmatch(LINES, line)] == []
    assert [line for line in lines if re.search(r"(?i)direction\s+(TB|BT|LR|RL)", line)] == []
    keys = [line.split("[")[0] for line in lines if line.startswith("    t_") and "[" in line]
    assert len(set(keys)) == len(keys) == len(diagram.entities)


@given(diagrams())
def test_a_table_of_the_page_has_a_row_for_each(diagram: Diagram) -> None:
    rows = [line for line in page(diagram).split("\n") if line.startswith("| ")]
    columns = sum(len(entity.columns) for entity in diagram.entities)
    assert len(rows) == 2 + len(diagram.entities) + 2 + columns
    cells = {len(re.split(r"(?<!\\)\|", row)) - 2 for row in rows}
    assert cells <= {4, 6}


@given(NAMES)
def test_a_word_is_none_of_mermaids_marks(name: str) -> None:
    assert re.fullmatch(WORD, word(name))
    assert word(name).lower() not in {"pk", "fk", "uk"}


def test_plain_names_stand_as_they_are_and_others_as_entity_codes() -> None:
    assert quoted("Item.owner, User.items") == "Item.owner, User.items"
    assert quoted('say "hi"') == "say #34;hi#34;"


def test_the_picture_of_the_shop() -> None:
    lines = mermaid(read_diagram(Base.metadata)).split("\n")
    assert lines[:5] == [
        "erDiagram",
        '    t_account["account (exempt)"] {',
        "        INTEGER id PK",
        "        VARCHAR email UK",
        "    }",
    ]
    assert '        INTEGER gift_to FK "null"' in lines
    assert "        NUMERIC total" in lines
    assert "        INTEGER account_id PK, FK" in lines
    assert [line for line in lines if "--" in line] == [
        '    t_account ||--o{ t_order : "buyer (Order.buyer_account)"',
        '    t_account |o--o{ t_order : "gift_to"',
        '    t_account ||--o| t_profile : "account_id (Account.profile, Profile.account)"',
        '    t_label |o--o| t_label : "parent_id"',
        '    t_label ||--o{ t_order_label : "label_id (Label.orders, Order.labels)"',
        '    t_order ||--o{ t_order_label : "region, number (Label.orders, Order.labels)"',
    ]
    assert lines[-3:] == [
        "    classDef undeclared stroke:#c62828,stroke-width:3px",
        "    class t_label undeclared",
        "    class t_order_label undeclared",
    ]


def test_the_page_says_why_and_nothing_of_it_is_markup() -> None:
    text = page(read_diagram(Base.metadata))
    assert "| `account` | `Account` | exempt | Signing in \\| must \\*find\\* it. |" in text
    assert "| `order_label` |  | undeclared | does not say whose rows it holds |" in text
    assert "| `order` | `buyer` | `INTEGER` |  | FK | `account.id` |" in text
    assert text == page(read_diagram(Base.metadata))


def test_tables_whose_names_become_the_same_word_stay_two() -> None:
    names = ("a b", "a_b", "a-b")
    entities = tuple(Entity(name, None, Protection.SCOPED, "by owner_id", ()) for name in names)
    link = Link("a b", "a_b", ("a_id",), optional=False, single=False, relationships=())
    lines = mermaid(Diagram(entities, (link,))).split("\n")
    headers = [line for line in lines if line.endswith("{")]
    assert headers == [
        '    t_a_b["a b (scoped)"] {',
        '    t_a_b_2["a_b (scoped)"] {',
        '    t_a_b_3["a-b (scoped)"] {',
    ]
    assert lines[-1] == '    t_a_b ||--o{ t_a_b_2 : "a_id"'
