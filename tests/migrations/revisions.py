"""Revision files: those that autogenerate writes are judged, others are written as by a person."""

import ast
import re
import textwrap
from pathlib import Path

_BY_HAND = """
import sqlalchemy as sa
from alembic import op

revision = '{}'
down_revision = {!r}

def upgrade():
{}

def downgrade():
{}
"""


def write_by_hand(versions: Path, upgrade: str, downgrade: str) -> None:
    """Add a revision on top of the others in `versions`, with these bodies."""
    sources = [path.read_text(encoding="utf-8") for path in versions.glob("*.py")]
    found = [re.findall(r"^(?:down_)?revision = (?:'(\w+)'|None)$", s, re.M) for s in sources]
    heads = {revision for revision, _ in found} - {down for _, down in found}
    name = f"hand{len(sources)}"
    bodies = (textwrap.indent(textwrap.dedent(b).strip(), "    ") for b in (upgrade, downgrade))
    source = _BY_HAND.format(name, next(iter(heads), None), *bodies)
    (versions / f"{name}.py").write_text(source, encoding="utf-8")


def assert_literal(revision: Path) -> None:
    """Assert that a revision means the same for ever: it imports no model and reads no registry."""
    tree = ast.parse(revision.read_text(encoding="utf-8"))
    imported = {
        alias.name if isinstance(node, ast.Import) else f"{node.module}.{alias.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    assert imported <= {
        "sqlalchemy",
        "sqlalchemy.dialects.postgresql",
        "sqlmodel.sql.sqltypes",
        "alembic.op",
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and is_row_security(node):
            for argument in (*node.args, *(keyword.value for keyword in node.keywords)):
                ast.literal_eval(argument)


def is_row_security(call: ast.Call) -> bool:
    """Tell whether a call in a revision is one of the engine's operations."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    return name.endswith("_rls") or "_rls_" in name or name.startswith(("grant_", "revoke_"))
