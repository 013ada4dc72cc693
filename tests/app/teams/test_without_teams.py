"""Where no model belongs to a team, there is nothing of teams."""

import sys

import pytest
from sqlmodel import SQLModel

from app.main import app as application


def _subclasses(model: type[SQLModel]) -> set[str]:
    return {model.__name__}.union(*map(_subclasses, model.__subclasses__()))


def test_the_plain_application_has_neither_module_nor_table_nor_route() -> None:
    if (teams := sys.modules.get("app.teams.models")) and len(
        _subclasses(teams.TenantScopedBase)
    ) > 1:
        pytest.skip("This project has teams.")
    assert not [name for name in sys.modules if name.startswith("app.teams")]
    assert not SQLModel.metadata.tables.keys() & {"team", "membership", "invitation"}
    assert not [path for path in application.openapi()["paths"] if "teams" in path]
