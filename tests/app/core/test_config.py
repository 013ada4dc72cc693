"""Settings: what is refused before anything starts, and in which words."""

import secrets
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import ValidationError

from app.core import deployment
from app.core.config import Settings
from app.core.strength import KEY, PASSWORD
from tests.support.databases import clean_environment
from tests.support.processes import run_command

URL = "postgresql://owner:hush-and-be-quiet@db.example.com:5432/app"
DEPLOYED = {
    "ENVIRONMENT": "production",
    "SECRET_KEY": "a key of one's own, as long as it has to be",
    "DATABASE_URL": URL,
    "RLS_APP_PASSWORD": "one of its own",
    "RLS_MAINTENANCE_ADMIN_PASSWORD": "another of its own",
    "RLS_CONTEXT_SECRET": "a secret of one's own, 32 characters or more",
    "FIRST_SUPERUSER_PASSWORD": "first of its own",
    "FIRST_USER_PASSWORD": "second of its own",
}
SECRETS = [name for name in DEPLOYED if name.endswith(("PASSWORD", "SECRET_KEY"))]

Read = Callable[..., Settings]


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Read:
    """Return a function that reads settings from this environment only."""
    monkeypatch.chdir(tmp_path)

    def read_settings(**environment: str) -> Settings:
        for name in {*Settings.model_fields} - {*environment}:
            monkeypatch.delenv(name, raising=False)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        return Settings()

    return read_settings


def complaint(read: Read, **environment: str) -> str:
    with pytest.raises(ValidationError) as refusal:
        read(**environment)
    return str(refusal.value)


def test_nothing_needs_to_be_set_locally(read: Read) -> None:
    settings = read()
    assert settings.ENVIRONMENT == "local"
    assert settings.owner_url is None
    assert settings.database_configured is False
    assert settings.RLS_ENABLED is True
    assert settings.RLS_FORCE is False
    assert (settings.RLS_APP_USER, settings.RLS_MAINTENANCE_ADMIN) == (
        "rls_app_user",
        "rls_maintenance_admin",
    )
    assert (settings.FIRST_USER, settings.FIRST_SUPERUSER) == (
        "user@example.com",
        "admin@example.com",
    )


def test_every_setting_is_documented() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_a_deployment_with_secrets_of_its_own_is_accepted(read: Read) -> None:
    settings = read(**DEPLOYED)
    assert settings.ENVIRONMENT == "production"
    assert settings.API_DOCS_ENABLED is False
    assert settings.environment_to_confirm is None


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        ({"DATABASE_URL": "postgresql://owner:hush@localhost/app"}, "local"),
        ({"DATABASE_URL": "postgresql://owner:hush@127.8.8.8/app?sslmode=prefer"}, "local"),
        ({"DATABASE_URL": "postgresql://owner:hush@[::1]/app"}, "local"),
        ({"DATABASE_URL": "postgresql:///app"}, "local"),
        ({"DATABASE_URL": "postgresql://owner@/app?host=/run/postgresql"}, "local"),
        ({"POSTGRES_SERVER": "localhost"}, "local"),
        ({"FASTAPI_ENV": "development", "DATABASE_URL": URL}, "local"),
        ({"ENVIRONMENT": "local", "DATABASE_URL": URL}, "local"),
        ({"ENVIRONMENT": "local", "FASTAPI_ENV": "development"}, "local"),
        ({"DATABASE_URL": URL}, "production"),
        ({"DATABASE_URL": "postgresql://owner:hush@localhost@db/app"}, "production"),
        ({"DATABASE_URL": "postgresql:///app?host=db.example.com"}, "production"),
        ({"DATABASE_URL": "postgresql:///app?host=/tmp&host=db.example.com"}, "production"),
        ({"DATABASE_URL": "postgresql://localhost/app?hostaddr=10.0.0.7"}, "production"),
        ({"DATABASE_URL": "postgresql://localhost/app?service=production"}, "production"),
        ({"DATABASE_URL": "postgresql://localhost/app?sslmode=verify-full"}, "production"),
        ({"DATABASE_URL": "postgresql:///app", "PGHOST": "db.example.com"}, "production"),
        ({"POSTGRES_SERVER": "db"}, "production"),
        ({"POSTGRES_SERVER": "10.0.0.7"}, "production"),
        (
            {
                "POSTGRES_SERVER": "localhost",
                "DATABASE_POOLER_URL": "postgresql://pooler.example.com:6432/app",
            },
            "production",
        ),
        ({"FASTAPI_ENV": "production", "POSTGRES_SERVER": "localhost"}, "production"),
        (
            {
                "FASTAPI_ENV": "production",
                "ENVIRONMENT": "staging",
                "POSTGRES_SERVER": "localhost",
            },
            "staging",
        ),
    ],
)
def test_the_environment_is_as_said_or_as_the_addresses_tell(
    read: Read, monkeypatch: pytest.MonkeyPatch, named: dict[str, str], expected: str
) -> None:
    monkeypatch.setattr(deployment, "_secrets", lambda _: [])
    settings = read(RLS_CONTEXT_SECRET=DEPLOYED["RLS_CONTEXT_SECRET"], **named)
    assert expected == settings.ENVIRONMENT
    assert settings.API_DOCS_ENABLED is (expected == "local")


def test_a_production_env_of_the_official_template_does_not_start_as_local(read: Read) -> None:
    """It says nothing of ENVIRONMENT, and its passwords may be those of the example."""
    words = complaint(
        read,
        SECRET_KEY="changethis",
        FIRST_SUPERUSER_PASSWORD="changethis",
        DATABASE_URL="postgresql://postgres:changethis@db:5432/app",
    )
    assert "ENVIRONMENT is not set and DATABASE_URL leads to another machine" in words
    assert "set ENVIRONMENT=local if this database is for development" in words
    for name in (*SECRETS, "DATABASE_URL", "RLS_CONTEXT_SECRET"):
        assert name in words


@pytest.mark.parametrize(
    ("environment", "fastapi"), [("production", "development"), ("local", "production")]
)
def test_two_names_of_the_environment_must_agree(
    read: Read, environment: str, fastapi: str
) -> None:
    words = complaint(read, **{**DEPLOYED, "ENVIRONMENT": environment, "FASTAPI_ENV": fastapi})
    assert f"ENVIRONMENT={environment} and FASTAPI_ENV={fastapi} contradict each other" in words


def test_a_local_environment_that_may_be_a_mistake_is_told(read: Read) -> None:
    assert read().environment_to_confirm is None
    assert (
        read(FASTAPI_ENV="development", POSTGRES_SERVER="localhost").environment_to_confirm is None
    )
    remote = read(ENVIRONMENT="local", DATABASE_URL=URL).environment_to_confirm
    assert remote is not None
    assert "ENVIRONMENT is local, but DATABASE_URL leads to another machine" in remote
    assumed = read(POSTGRES_SERVER="localhost").environment_to_confirm
    assert assumed is not None
    assert "ENVIRONMENT is not set" in assumed
    for sentence in (remote, assumed):
        assert "Set ENVIRONMENT=production if others reach this application" in sentence
        assert "hush" not in sentence


@pytest.mark.parametrize(
    ("name", "value", "least"),
    [
        ("SECRET_KEY", "a", "32 characters or more, 8 of them different"),
        ("SECRET_KEY", "hush" * 10, "32 characters or more, 8 of them different"),
        ("SECRET_KEY", "Your-Secret_key goes here, all of it", "no published example"),
        (
            "SECRET_KEY",
            "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7",
            "no published example",
        ),
        ("RLS_CONTEXT_SECRET", "sixteen hushes, or more", "32 characters or more"),
        ("RLS_APP_PASSWORD", "hush-hush", "12 characters or more, 5 of them different"),
        ("RLS_MAINTENANCE_ADMIN_PASSWORD", "hushhushhushhush", "5 of them different"),
        ("FIRST_SUPERUSER_PASSWORD", "changethis-hush", "no published example"),
        ("FIRST_USER_PASSWORD", "hush1234", "12 characters or more"),
        ("DATABASE_URL", "postgresql://owner:hush@db.example.com/app", "12 characters or more"),
    ],
)
def test_a_weak_secret_is_refused_outside_local(
    read: Read, name: str, value: str, least: str
) -> None:
    words = complaint(read, **{**DEPLOYED, name: value})
    assert f"{name}: too weak for ENVIRONMENT=production, which asks for" in words
    assert least in words
    assert "python -c 'import secrets; print(secrets.token_urlsafe(32))'" in words
    assert "hush" not in words


def test_what_the_named_commands_make_is_strong_enough() -> None:
    """Also the shortest that other commands make: `openssl rand -hex 16`."""
    made = [secrets.token_urlsafe(32), secrets.token_hex(16)]
    assert all(KEY.is_met_by(one) and PASSWORD.is_met_by(one) for one in made)


@pytest.mark.parametrize("environment", ["staging", "production"])
@pytest.mark.parametrize("name", SECRETS)
def test_changethis_is_refused_outside_local(read: Read, name: str, environment: str) -> None:
    words = complaint(read, **{**DEPLOYED, "ENVIRONMENT": environment, name: "changethis"})
    assert f'{name}: "changethis" is not a secret' in words
    assert f"set another value for ENVIRONMENT={environment}" in words


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://owner:changethis@db.example.com/app",
        "postgresql://owner@db.example.com/app?password=changethis",
    ],
)
def test_changethis_in_an_address_is_refused_too(read: Read, url: str) -> None:
    assert 'DATABASE_URL: "changethis" is not a secret' in complaint(
        read, **{**DEPLOYED, "DATABASE_URL": url}
    )


def test_every_offending_setting_is_named_at_once(read: Read) -> None:
    words = complaint(read, ENVIRONMENT="production", POSTGRES_SERVER="db.example.com")
    for name in (*SECRETS, "POSTGRES_PASSWORD", "RLS_CONTEXT_SECRET"):
        assert name in words


def test_a_database_is_needed_outside_local(read: Read) -> None:
    without = {name: value for name, value in DEPLOYED.items() if name != "DATABASE_URL"}
    words = complaint(read, **without)
    assert "set DATABASE_URL, or POSTGRES_SERVER and the other POSTGRES_* settings" in words


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("DATABASE_URL", "mysql://owner:hush@db/app", "only PostgreSQL is supported"),
        ("DATABASE_URL", "hush", "is not a database address"),
        ("DATABASE_URL", "postgresql://owner:hush@db:x/app", "is not a database address"),
        ("DATABASE_URL", "postgresql:///app?host=a:1&host=hush&port=1,2", "is not a database"),
        ("RLS_APP_USER", "postgres", "must be different roles"),
        ("RLS_APP_USER", "rls_maintenance_admin", "must be different roles"),
        ("RLS_APP_USER", "pg_read_all_data", "reserves the role name"),
        ("RLS_ADMIN_ROLE", "public", "reserves the role name"),
        ("RLS_APP_USER", "x" * 64, "has 1 to 63 bytes"),
        ("FIRST_USER_PASSWORD", "hush", "at least 8 characters"),
        ("FIRST_USER", "nobody", "valid email address"),
        ("RLS_CONTEXT_SECRET", "hush", "at least 16"),
        ("ENVIRONMENT", "prod", "'local', 'staging' or 'production'"),
        ("POSTGRES_PORT", "0", "greater than or equal to 1"),
    ],
)
def test_a_wrong_value_is_told_without_repeating_a_secret(
    read: Read, name: str, value: str, sentence: str
) -> None:
    words = complaint(read, **{name: value})
    assert sentence in words
    assert "hush" not in words


def test_the_address_may_come_in_parts_and_the_whole_goes_before_them(read: Read) -> None:
    parts = {
        "ENVIRONMENT": "local",
        "POSTGRES_SERVER": "db.example.com",
        "POSTGRES_PORT": "5433",
        "POSTGRES_USER": "owner",
        "POSTGRES_PASSWORD": "p@ss:w/rd",
        "POSTGRES_DB": "hedge",
    }
    url = read(**parts).owner_url
    assert url is not None
    assert (url.host, url.port, url.username, url.password, url.database) == (
        "db.example.com", 5433, "owner", "p@ss:w/rd", "hedge",
    )  # fmt: skip
    whole = read(**parts, DATABASE_URL="postgres://other:hush@elsewhere/app").owner_url
    assert whole is not None
    assert (whole.drivername, whole.host) == ("postgresql+psycopg", "elsewhere")


def test_secrets_are_not_shown_by_repr(read: Read) -> None:
    shown = repr(read(**DEPLOYED))
    for name in (*SECRETS, "RLS_CONTEXT_SECRET"):
        assert DEPLOYED[name] not in shown
    assert "hush" not in shown


@pytest.mark.parametrize(
    "written", ["http://a.example, http://b.example/", '["http://a.example","http://b.example"]']
)
def test_origins_are_read_in_both_spellings(read: Read, written: str) -> None:
    settings = read(BACKEND_CORS_ORIGINS=written, FRONTEND_HOST="http://c.example/")
    assert settings.all_cors_origins == ["http://a.example", "http://b.example", "http://c.example"]


def test_outside_local_cors_allows_nobody_who_is_not_given(read: Read) -> None:
    assert read().all_cors_origins == ["http://localhost:5173"]
    assert read(**DEPLOYED).all_cors_origins == []
    given = read(**DEPLOYED, FRONTEND_HOST="https://shop.example.com/")
    assert given.all_cors_origins == ["https://shop.example.com"]


def test_the_application_does_not_even_import_with_changethis(tmp_path: Path) -> None:
    result = run_command(
        [sys.executable, "-c", "import app.main"],
        folder=tmp_path,
        environment=clean_environment(ENVIRONMENT="", DATABASE_URL=URL),
    )
    assert result.returncode == 1
    (line,) = (line for line in result.stderr.splitlines() if "is not a secret" in line)
    for name in SECRETS:
        assert name in line
    assert "hush" not in result.stderr
