"""Which environment this is: as the settings say, or as the database's address does.

A database is one for development where it is on this machine, and reached without TLS.
"""

import ipaddress
from typing import TYPE_CHECKING, Final, Literal

from psycopg.pq import Conninfo
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.engine import URL, make_url

if TYPE_CHECKING:
    from app.core.config import Settings

_WITH_TLS: Final = {"require", "verify-ca", "verify-full"}


def contradictions(settings: "Settings") -> list[str]:
    """Return what ENVIRONMENT and FASTAPI_ENV say against each other."""
    development = settings.FASTAPI_ENV == "development"
    if None in (settings.ENVIRONMENT, settings.FASTAPI_ENV):
        return []
    if development == (settings.ENVIRONMENT == "local"):
        return []
    return [
        f"ENVIRONMENT={settings.ENVIRONMENT} and FASTAPI_ENV={settings.FASTAPI_ENV} contradict "
        "each other: remove one (`fastapi dev` sets FASTAPI_ENV=development where it is "
        "not set, `fastapi run` does not)"
    ]


def assumed_environment(
    settings: "Settings",
) -> tuple[Literal["local", "production"], str | None]:
    """Return the environment that nobody named, and why, where the reason is an address."""
    if settings.FASTAPI_ENV is not None:
        return "local" if settings.FASTAPI_ENV == "development" else "production", None
    if remote := _remote_address(settings):
        return "production", remote
    database = "the database is on this machine" if settings.database_configured else None
    return "local", database


def sentence_to_confirm(settings: "Settings", *, assumed: str | None) -> str | None:
    """Return a sentence where `local` may not be what is meant; `assumed` says what it rests on."""
    if settings.ENVIRONMENT != "local":
        return None
    if remote := _remote_address(settings):
        return (
            f"ENVIRONMENT is local, but {remote}. The database's roles and the first users "
            "have passwords that everybody knows, unless you set others, and anybody may "
            "create accounts. Set ENVIRONMENT=production if others reach this application."
        )
    if assumed:
        return (
            f"ENVIRONMENT is not set, and taken as local, because {assumed}. Set "
            "ENVIRONMENT=production if others reach this application."
        )
    return None


def _remote_address(settings: "Settings") -> str | None:
    """Return the setting whose address is not one for development, and why."""
    owner = "DATABASE_URL" if settings.DATABASE_URL else "POSTGRES_SERVER"
    pooler = settings.DATABASE_POOLER_URL
    for setting, url in ((owner, settings.owner_url), ("DATABASE_POOLER_URL", pooler)):
        if url is not None and (reason := why_not_local(make_url(url))):
            return f"{setting} {reason}"
    return None


def why_not_local(url: URL) -> str | None:
    """Return what makes this the address of a deployment; None where it is one of this machine.

    Judged as libpq will read it, with its PG* variables: loopback addresses and Unix sockets are
    of this machine. TLS on them speaks of a tunnel, since nobody encrypts what does not leave.
    The trap: a tunnel without TLS looks like a server that runs here.
    """
    options = _options(url)
    if options.get("service"):
        return "names a connection service"
    # hostaddr is where libpq connects; host is then the name that a certificate must bear.
    hosts = options.get("hostaddr") or options.get("host") or ""
    if not all(map(_is_here, hosts.split(","))):
        return "leads to another machine"
    if options.get("sslmode") in _WITH_TLS or options.get("sslrootcert"):
        return "asks for TLS"
    return None


def _options(url: URL) -> dict[str, str]:
    """Return what libpq gets, and what it takes from the environment where that says nothing."""
    defaults = {
        option.keyword.decode(): option.val.decode()
        for option in Conninfo.get_defaults()
        if option.val is not None
    }
    _, given = PGDialect_psycopg().create_connect_args(url)  # type: ignore[no-untyped-call]
    return defaults | {name: str(value) for name, value in given.items()}


def _is_here(host: str) -> bool:
    # Without a host, and with a path or an abstract name, libpq takes a Unix socket.
    if host in ("", "localhost") or host.startswith(("/", "@")):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
