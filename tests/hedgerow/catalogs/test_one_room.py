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
    sources = [*engine.rglob("*.py"), *engine.rglob("*.sql")]
    rooms = {
        source.relative_to(engine).parts[0]
        for source in sources
        if re.search(READS[read], source.read_text(encoding="utf-8"))
    }
    assert rooms == {"catalogs"}
