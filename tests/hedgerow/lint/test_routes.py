"""Routes that use a scoped class through a session that nobody bound are pointed at."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.hedgerow.lint.support import PYPROJECT, findings, lint, write_project
from tests.support.databases import PROJECT

ROUTE = """

@router.get("/{number}")
{define} route_{number}(session: Session = Depends({session})) -> None:
    {body}
"""

UNBOUND = {
    "directly": "session.get(Order, 1)",
    "by its module": "session.get(models.Order, 1)",
    "in a lambda": "run = lambda: session.get(Order, 1)",
    "in a comprehension": "[column for column in (Order.id, Order.buyer)]",
    "imported on the spot": "from shop.models import Order as O; session.get(O, 1)",
    "two calls away": "orders.find(session)",
    "through an object's method": "orders.Repository(session).find()",
    "by its table": "session.execute(Order.__table__.select())",
}
SAFE = {
    "another class": "session.get(Customer, 1)",
    "a comment": "pass  # session.get(Order, 1)",
    "a string": "'Order'",
    "a session of its own": "with orders_of(1) as own: own.get(Order, 1)",
    "an attribute of that name": "session.Order",
}


def write(
    folder: Path, bodies: Iterable[str], *, session: str = "get_db", define: str = "def"
) -> None:
    """Write the project with a route for each of the bodies."""
    routes = [
        ROUTE.format(number=number, body=body, session=session, define=define)
        for number, body in enumerate(bodies)
    ]
    write_project(folder, routes="from shop.orders import orders_of\n" + "".join(routes))


@pytest.mark.parametrize("define", ["def", "async def"])
def test_unbound_routes_are_found_and_fixed(define: str, tmp_path: Path) -> None:
    write(tmp_path, UNBOUND.values(), define=define)
    found = findings(tmp_path)
    subjects = {one["subject"] for one in found}
    assert subjects == {f"GET /shop/{number}" for number in range(len(UNBOUND))}
    for one in found:
        assert (one["check"], one["level"], one["file"]) == ("L103", "warning", "shop/main.py")
        assert "uses 'order' through a session without an identity" in one["sentence"]
        assert "take RLSSessionDep instead of SessionDep" in one["fix"]
    write(tmp_path, UNBOUND.values(), define=define, session="get_user_session")
    assert findings(tmp_path) == []


def test_what_is_no_finding(tmp_path: Path) -> None:
    write(tmp_path, SAFE.values())
    assert findings(tmp_path) == []


def test_a_websocket_and_a_dependency_of_a_router(tmp_path: Path) -> None:
    """What a whole router depends on counts for each of its routes."""
    socket = """

@app.websocket("/ws")
async def follow(session: Session = Depends(get_db)) -> None:
    session.get(Order, 1)


bound = APIRouter(dependencies=[Depends(get_user_session)])


@bound.get("/bound")
def bound_route(session: Session = Depends(get_db)) -> None:
    session.get(Order, 1)


app.include_router(bound)
"""
    write_project(tmp_path, routes=socket)
    [found] = findings(tmp_path)
    assert found["subject"] == "WEBSOCKET /ws"


def test_routes_are_looked_at_where_an_application_is_named(tmp_path: Path) -> None:
    write(tmp_path, ["session.get(Order, 1)"])
    settings = [line for line in PYPROJECT.splitlines() if not line.startswith("application")]
    (tmp_path / "pyproject.toml").write_text("\n".join(settings))
    result = lint(tmp_path)
    assert result.returncode == 0
    assert "Routes were not checked: name the FastAPI" in result.stdout


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("shop.main:nothing", "cannot import 'shop.main:nothing'"),
        ("shop.main", "is not written as"),
        ("shop.main:router", "is of type APIRouter: name a FastAPI"),
    ],
)
def test_an_application_that_is_none(name: str, complaint: str, tmp_path: Path) -> None:
    write_project(tmp_path)
    (tmp_path / "pyproject.toml").write_text(PYPROJECT.replace("shop.main:app", name))
    result = lint(tmp_path)
    assert result.returncode == 1
    [line] = result.stderr.splitlines()
    assert complaint in line


def test_this_template_is_clean() -> None:
    result = lint(PROJECT)
    assert "0 findings, 0 allowed" in result.stdout, result.stdout + result.stderr
    assert result.returncode == 0


def test_help_has_examples() -> None:
    result = lint(PROJECT, "--help")
    assert result.returncode == 0
    assert "hedgerow lint --format json" in result.stdout
