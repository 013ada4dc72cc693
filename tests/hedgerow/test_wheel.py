"""What is installed with `pip install hedgerow`."""

from hatchling.builders.wheel import WheelBuilder

from tests.support.databases import PROJECT


def test_the_sql_files_are_in_the_wheel() -> None:
    packed = {
        file.distribution_path for file in WheelBuilder(str(PROJECT)).recurse_included_files()
    }
    statements = {
        file.relative_to(PROJECT).as_posix() for file in (PROJECT / "hedgerow").rglob("*.sql")
    }
    assert "hedgerow/audit/sql/chain.sql" in statements
    assert statements <= packed
