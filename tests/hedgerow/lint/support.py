"""A small project that is no template of ours, written to a folder and looked at from there."""

import json
import subprocess
from pathlib import Path
from typing import Any

from tests.support.databases import clean_environment
from tests.support.programs import run_program

PYPROJECT = """
[tool.hedgerow]
project = "shop.declared:project"
application = "shop.main:app"
"""

BASE = """
from uuid import UUID

from fastapi import APIRouter, Depends, FastAPI
from sqlalchemy import Column, ForeignKey, Table, create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

import hedgerow
from hedgerow import Identity, RowSecurity

row_security = RowSecurity()


class Base(DeclarativeBase):
    pass


class Customer(Base):
    __tablename__ = "customer"
    __rls__ = hedgerow.exempt("signing in finds every account")
    id: Mapped[UUID] = mapped_column(primary_key=True)


class Order(Base):
    __tablename__ = "order"
    __rls__ = hedgerow.Scope("buyer")
    id: Mapped[UUID] = mapped_column(primary_key=True)
    buyer: Mapped[UUID] = mapped_column(ForeignKey("customer.id"))
"""

DECLARED = """
from sqlalchemy import make_url
from hedgerow import Project
from shop.models import Base, row_security

def no_address():
    raise RuntimeError("lint needs no database")

project = Project(row_security, Base.metadata, no_address, no_address, lambda session, name: None)
"""

MAIN = """
from collections.abc import Iterator
from shop.models import *
from shop import models, orders
import hedgerow

app = FastAPI()
router = APIRouter()


def get_db() -> Iterator[Session]:
    with Session(create_engine("postgresql+psycopg://nobody@127.0.0.1:1/none")) as session:
        yield session


def get_user_session(session: Session = Depends(get_db)) -> Session:
    hedgerow.bind(session, Identity("somebody"), row_security)
    return session


@router.get("/checked")
def checked(session: Session = Depends(get_user_session)) -> None:
    session.get(Order, 1)


@router.get("/health")
def health(session: Session = Depends(get_db)) -> None:
    session.get(Customer, 1)
"""

ORDERS = """
from contextlib import contextmanager

from sqlalchemy import select

import hedgerow
from shop.models import Identity, Order, Session, row_security


def find(session: Session) -> object:
    return session.scalar(_newest())


def _newest() -> object:
    return select(Order)


class Repository:
    def __init__(self, session: Session) -> None:
        self.session = session

    def find(self) -> object:
        return self.session.get(Order, 1)


@contextmanager
def orders_of(user):
    with Session() as session:
        hedgerow.bind(session, Identity(user), row_security)
        yield session
"""

INCLUDE = "\n\napp.include_router(router, prefix='/shop')\n"


def write_project(folder: Path, *, models: str = "", routes: str = "", settings: str = "") -> None:
    """Write the project with more models, routes and settings than it has."""
    package = folder / "shop"
    package.mkdir(exist_ok=True)
    (package / "__init__.py").touch()
    (folder / "pyproject.toml").write_text(PYPROJECT + settings)
    (package / "models.py").write_text(BASE + models)
    (package / "declared.py").write_text(DECLARED)
    (package / "orders.py").write_text(ORDERS)
    (package / "main.py").write_text(MAIN + routes + INCLUDE)


def lint(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command that stands beside this Python."""
    return run_program(
        "hedgerow",
        "lint",
        *arguments,
        folder=folder,
        environment=clean_environment(PYTHONDONTWRITEBYTECODE="1"),
    )


def findings(folder: Path) -> list[dict[str, Any]]:
    """Return what is found, as JSON tells it; the exit code must agree."""
    result = lint(folder, "--format", "json")
    assert result.stderr == ""
    found: list[dict[str, Any]] = json.loads(result.stdout)["findings"]
    assert result.returncode == (1 if found else 0)
    return found
