"""The kinds of values that settings have, each checked by itself; messages never repeat a value."""

from importlib.util import find_spec
from typing import Annotated, Any, Final

import limits
from pydantic import AfterValidator, AnyUrl, BeforeValidator
from pydantic_settings import NoDecode
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from app.core.environment import why_not_local

DRIVER: Final = "postgresql+psycopg"
"""What addresses of the database begin with, once SQLAlchemy reads them."""
_POSTGRES_SCHEMES: Final = {"postgres", "postgresql", DRIVER}
_RESERVED_ROLES: Final = {"public", "none", "current_role", "current_user", "session_user"}


def _split_origins(value: Any) -> Any:
    if isinstance(value, str) and not value.startswith("["):
        return [origin.strip() for origin in value.split(",") if origin.strip()]
    if isinstance(value, str):
        return [origin.strip(" \"'") for origin in value.strip("[]").split(",") if origin.strip()]
    return value


def _check_database_url(value: str) -> str:
    # The messages do not repeat the value: it holds a password.
    try:
        url = make_url(value)
        why_not_local(url)  # reads what the query says of hosts
    except (ArgumentError, ValueError):
        raise ValueError(
            "is not a database address; write it as postgresql://user:password@host:5432/database"
        ) from None
    if url.drivername not in _POSTGRES_SCHEMES:
        raise ValueError(
            f"begins with {url.drivername}://, but only PostgreSQL is supported: "
            "write it as postgresql://user:password@host:5432/database"
        )
    return value


def _check_role_name(name: str) -> str:
    if not 1 <= len(name.encode()) <= 63:
        raise ValueError("a role name has 1 to 63 bytes: PostgreSQL cuts off a longer one")
    if "\x00" in name:
        raise ValueError("a role name must not contain a NUL character")
    if name.startswith("pg_") or name.lower() in _RESERVED_ROLES:
        raise ValueError(f"PostgreSQL reserves the role name {name!r}: choose another")
    return name


def _check_rate(text: str) -> str:
    try:
        (_,) = limits.parse_many(text)
    except ValueError:
        raise ValueError('is not a rate; write it as "10 per 15 minutes"') from None
    return text


def _check_redis_url(value: str) -> str:
    # The messages do not repeat the value: it holds a password.
    if not value.startswith(("redis://", "rediss://", "unix://")):
        raise ValueError("is not the address of a Redis; write it as redis://:password@host:6379/0")
    if find_spec("redis") is None:
        raise ValueError(
            "needs a package that is not installed: pip install -r requirements-redis.txt"
        )
    return value


Origins = Annotated[list[AnyUrl], NoDecode, BeforeValidator(_split_origins)]
"""Origins separated by commas, or as a list in JSON."""

DatabaseUrl = Annotated[str, BeforeValidator(str), AfterValidator(_check_database_url)]

RoleName = Annotated[str, AfterValidator(_check_role_name)]

Rate = Annotated[str, AfterValidator(_check_rate)]
"""So many in a time, such as "10 per 15 minutes"."""

RedisUrl = Annotated[str, AfterValidator(_check_redis_url)]
