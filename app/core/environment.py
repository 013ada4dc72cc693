"""Whether a database is one for development: on this machine, and reached without TLS."""

import ipaddress
from typing import Final

from psycopg.pq import Conninfo
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.engine import URL

_WITH_TLS: Final = {"require", "verify-ca", "verify-full"}


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
