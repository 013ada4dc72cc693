"""What PostgreSQL's catalogs say of row security is read in one room."""

import re

import pytest

from tests.support.databases import PROJECT

LETTER, COMMAND = """['"][rawd*]['"]""", "(SELECT|INSERT|UPDATE|DELETE|ALL)"
READS = {
    "policies": r"pg_polic(y|ies)\b",
    "a policy's command": r"polcmd",
    "a policy's command by its letter": f"{LETTER}: .?{COMMAND}|{COMMAND}.?: {LETTER}",
    "row-security switches": r"\brel(force)?rowsecurity\b",
    "granted privileges": r"\b(aclexplode|acldefault)\b",
    "effective privileges": r"\bhas_\w+_privilege\b",
    "the server's version": r"\bserver_version_(num|info)\b",
}


@pytest.mark.parametrize("read", READS)
def test_one_room_reads_it(read: str) -> None:
    engine = PROJECT / "hedgerow"
    texts = {
        source: source.read_text(encoding="utf-8")
        for source in (*engine.rglob("*.py"), *engine.rglob("*.sql"))
    }
    rooms = {
        source.relative_to(engine).parts[0]
        for source, text in texts.items()
        # What a function in the database asks, it asks by itself.
        if re.search(READS[read], text) and "CREATE OR REPLACE FUNCTION" not in text
    }
    assert rooms == {"catalogs"}
