"""What logs and traces tell of who asked: the role, a hash in the user's place, and the request."""

import io
import json
import logging

import pytest
from fastapi.testclient import TestClient
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from uvicorn.logging import AccessFormatter

import hedgerow
from app.core.config import settings
from app.core.db import new_session
from app.core.logs import configure_logging, without_addresses
from app.core.rls import row_security
from hedgerow import Identity
from hedgerow.fastapi.observation import user_hash
from hedgerow.sessions.observation import Observed, observed
from tests.app.api.support import API, signed_in
from tests.support.people import Person


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """Return what the application logs at DEBUG, as JSON lines."""
    monkeypatch.setattr(settings, "LOG_FORMAT", "json")
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    root, identities = logging.getLogger(), logging.getLogger("app.core.rls")
    monkeypatch.setattr(root, "handlers", [handler])
    monkeypatch.setattr(identities, "level", logging.DEBUG)
    monkeypatch.setattr(logging.getLogger("app"), "level", logging.INFO)
    configure_logging()
    return written


def test_a_json_line_names_request_role_and_hashed_user(
    client: TestClient, alice: Person, lines: io.StringIO
) -> None:
    response = client.get(f"{API}/items/", headers=signed_in(alice))
    line = json.loads(lines.getvalue().splitlines()[-1])
    assert line["logger"] == "app.core.rls"
    assert line["level"] == "DEBUG"
    assert line["role"] == "user"
    assert line["user_hash"] == user_hash(Identity(alice.id), settings.SECRET_KEY)
    assert line["request_id"] == response.headers["X-Request-ID"]


def test_a_request_does_not_inherit_the_user_of_the_one_before(
    client: TestClient, alice: Person, admin: Person, lines: io.StringIO
) -> None:
    """P20."""
    for person in (alice, admin, alice):
        client.get(f"{API}/items/", headers=signed_in(person))
    logged = [json.loads(line) for line in lines.getvalue().splitlines()]
    hashes = {str(p.id): user_hash(Identity(p.id), settings.SECRET_KEY) for p in (alice, admin)}
    for line in logged:
        (told,) = (hashes[id] for id in hashes if id in line["message"])
        assert line["user_hash"] == told
    assert {line["role"] for line in logged} == {"user", "read_only_admin"}


def test_a_line_names_the_tenant_where_there_is_one(alice: Person, lines: io.StringIO) -> None:
    for tenant in (None, 7):
        token = observed.set(Observed())
        with new_session() as session:
            hedgerow.bind(session, Identity(alice.id, tenant_id=tenant), row_security)
            session.connection()
        observed.reset(token)
    wide, narrow = (json.loads(line) for line in lines.getvalue().splitlines())
    assert "tenant_id" not in wide
    assert "tenant" not in wide["message"]
    assert narrow["tenant_id"] == "7"
    assert narrow["message"].endswith(f"user {alice.id} in tenant 7")


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_no_line_holds_an_address(
    monkeypatch: pytest.MonkeyPatch, lines: io.StringIO, log_format: str
) -> None:
    """Neither the server's access lines, whose path is that of a recovery, nor a traceback."""
    monkeypatch.setattr(settings, "LOG_FORMAT", log_format)
    handler = logging.StreamHandler(lines)
    handler.setFormatter(AccessFormatter('%(client_addr)s - "%(request_line)s" %(status_code)s'))
    access = logging.getLogger("uvicorn.access")
    monkeypatch.setattr(access, "handlers", [handler])
    monkeypatch.setattr(access, "propagate", False)
    monkeypatch.setattr(access, "level", logging.INFO)
    configure_logging()
    configure_logging()
    path = f"{API}/password-recovery/o%27brien%2Bx%40ex%C3%A4mple.com"
    access.info('%s - "%s %s HTTP/%s" %d', "10.0.0.7:5", "POST", path, "1.1", 200)
    try:
        raise ValueError("DETAIL:  Key (email)=(jürgen@exämple.com) already exists")
    except ValueError:
        logging.getLogger("app").exception('of "alice@example.com"\nand bob@example.com')
    written = lines.getvalue()
    assert "/password-recovery/(address) HTTP/1.1" in written
    assert "Key (email)=((address)) already exists" in written
    for part in ("brien", "mple", "rgen", "alice", "bob"):
        assert part not in written
    if log_format == "json":
        assert all(map(json.loads, written.splitlines()))


def test_a_word_of_any_length_is_read_once() -> None:
    """Each position of a path of 64 KiB tried to its end would hold the process for minutes."""
    assert without_addresses(f"/{'a' * 2**22}%4") == f"/{'a' * 2**22}%4"


def test_the_hash_depends_on_the_key(alice: Person) -> None:
    one, other = (user_hash(Identity(alice.id), key) for key in ("one", "other"))
    assert one != other
    assert len(one) == 16


@pytest.fixture(scope="module")
def exporter() -> InMemorySpanExporter:
    """Return where the spans of this process go: the provider can be set only once."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    return exporter


def request_span(exporter: InMemorySpanExporter) -> ReadableSpan:
    (span,) = (s for s in exporter.get_finished_spans() if s.kind is trace.SpanKind.SERVER)
    return span


def test_fastapis_own_span_carries_role_and_hashed_user(
    exporter: InMemorySpanExporter, client: TestClient, admin: Person
) -> None:
    exporter.clear()
    client.get(f"{API}/admin/items/", headers=signed_in(admin))
    attributes = request_span(exporter).attributes
    assert attributes is not None
    assert attributes["user.roles"] == ("read_only_admin",)
    assert attributes["user.hash"] == user_hash(Identity(admin.id), settings.SECRET_KEY)
    assert str(admin.id) not in str(dict(attributes))


def test_the_span_of_a_recovery_does_not_hold_the_address(
    exporter: InMemorySpanExporter, client: TestClient
) -> None:
    exporter.clear()
    client.post(f"{API}/password-recovery/nobody@example.com")
    attributes = request_span(exporter).attributes
    assert attributes is not None
    assert attributes["url.path"] == f"{API}/password-recovery/(address)"
    assert "example.com" not in str(dict(attributes))


def test_a_request_of_nobody_names_nobody(
    exporter: InMemorySpanExporter, client: TestClient
) -> None:
    exporter.clear()
    client.get(f"{API}/utils/health-check/")
    attributes = request_span(exporter).attributes
    assert attributes is not None
    assert not [name for name in attributes if name.startswith("user.")]
