"""Settings: read once from the environment and from `.env`, checked before anything starts."""

import sys
from typing import Annotated, Any, Final, Literal, Self

from pydantic import (
    AfterValidator,
    AnyUrl,
    BeforeValidator,
    Field,
    ValidationError,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from app.core.text import Email, Password

DEFAULT_SECRET: Final = "changethis"  # noqa: S105
"""The default of every secret; refused outside ENVIRONMENT=local."""

_DRIVER: Final = "postgresql+psycopg"
_POSTGRES_SCHEMES: Final = {"postgres", "postgresql", _DRIVER}
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


RoleName = Annotated[str, AfterValidator(_check_role_name)]


class Settings(BaseSettings):
    """Every setting of the application; outside ENVIRONMENT=local each secret must be changed.

    Raises pydantic's ValidationError, whose lines name the setting and the fix and never show a
    value: a value may be a password.
    """

    model_config = SettingsConfigDict(
        env_file=".env", env_ignore_empty=True, extra="ignore", hide_input_in_errors=True
    )

    PROJECT_NAME: str = Field(
        default="Hedgerow", description="The name in the API documentation and in e-mails."
    )
    API_V1_STR: str = Field(default="/api/v1", description="The path that every route begins with.")
    ENVIRONMENT: Literal["local", "staging", "production"] = Field(
        default="local",
        description=f"The environment. Only `local` accepts the secret `{DEFAULT_SECRET}`, starts "
        "an embedded PostgreSQL and serves the private routes.",
    )
    LOG_FORMAT: Literal["text", "json"] = Field(
        default="text",
        description="The log's format: text lines, or JSON lines that also hold the request's id, "
        "the role and a hash of the user.",
    )
    SECRET_KEY: str = Field(
        default=DEFAULT_SECRET, repr=False, min_length=1, description="Signs every token."
    )
    ACCESS_TOKEN_EXPIRE_MINUTES: int = Field(
        default=60 * 24 * 8, gt=0, description="How long a sign-in lasts, in minutes."
    )
    FRONTEND_HOST: str = Field(
        default="http://localhost:5173",
        description="The address of the front end: allowed by CORS, and linked to in e-mails.",
    )
    BACKEND_CORS_ORIGINS: Annotated[list[AnyUrl], NoDecode, BeforeValidator(_split_origins)] = (
        Field(default=[], description="Further origins that CORS allows, separated by commas.")
    )

    DATABASE_URL: (
        Annotated[str, BeforeValidator(str), AfterValidator(_check_database_url)] | None
    ) = Field(
        default=None,
        repr=False,
        description="The database's URL for the owner: "
        "postgresql://user:password@host:5432/database. Takes precedence over POSTGRES_*.",
    )
    DATABASE_POOLER_URL: (
        Annotated[str, BeforeValidator(str), AfterValidator(_check_database_url)] | None
    ) = Field(
        default=None,
        repr=False,
        description="The URL of a pooler that requests connect to, such as PgBouncer in "
        "transaction mode. Prepared statements are not used there. Migrations connect to the "
        "database itself.",
    )
    POSTGRES_SERVER: str | None = Field(
        default=None,
        description="The database host. If neither this nor DATABASE_URL is given, "
        "ENVIRONMENT=local runs its own PostgreSQL.",
    )
    POSTGRES_PORT: int = Field(default=5432, ge=1, le=65535, description="The database port.")
    POSTGRES_USER: str = Field(
        default="postgres",
        min_length=1,
        description="The role that owns schema and tables: used by migrations, never by a request.",
    )
    POSTGRES_PASSWORD: str = Field(
        default=DEFAULT_SECRET, repr=False, description="The password of POSTGRES_USER."
    )
    POSTGRES_DB: str = Field(default="app", min_length=1, description="The database's name.")

    RLS_ENABLED: bool = Field(
        default=True,
        description="Whether row security is on. Without it, only the application checks "
        "ownership. Takes effect with the next `alembic upgrade head`.",
    )
    RLS_FORCE: bool = Field(
        default=False,
        description="Whether row security applies to the tables' owner too, and the maintenance "
        "role loses BYPASSRLS. Takes effect with the next `alembic upgrade head`.",
    )
    RLS_APP_USER: RoleName = Field(
        default="rls_app_user", description="The role that every request connects as."
    )
    RLS_APP_PASSWORD: str = Field(
        default=DEFAULT_SECRET, repr=False, description="The password of RLS_APP_USER."
    )
    RLS_MAINTENANCE_ADMIN: RoleName = Field(
        default="rls_maintenance_admin",
        description="The role for bulk maintenance and reports.",
    )
    RLS_MAINTENANCE_ADMIN_PASSWORD: str = Field(
        default=DEFAULT_SECRET, repr=False, description="The password of RLS_MAINTENANCE_ADMIN."
    )
    RLS_ADMIN_ROLE: RoleName = Field(
        default="rls_admin", description="The database role of an admin's transactions."
    )
    RLS_READ_ONLY_ADMIN_ROLE: RoleName = Field(
        default="rls_read_only_admin",
        description="The database role of a read-only admin's transactions.",
    )

    RLS_CONTEXT_SECRET: str | None = Field(
        default=None,
        min_length=16,
        repr=False,
        description="Signs each identity, so that injected SQL cannot become another user. At "
        "least 16 bytes; required outside ENVIRONMENT=local. A new value takes effect with the "
        "next `alembic upgrade head`: run it before the application starts with the value.",
    )
    RLS_CONTEXT_MAX_AGE_SECONDS: int = Field(
        default=300,
        gt=0,
        description="How many seconds a signature's time may differ from the database's clock. "
        "Must be more than the clocks of application and database differ.",
    )
    RLS_CONTEXT_ROTATION_SECONDS: int = Field(
        default=86_400,
        ge=0,
        description="How many seconds the previous RLS_CONTEXT_SECRET is accepted after a change.",
    )

    RLS_ADMIN_REASON_REQUIRED: bool = Field(
        default=False,
        description="Whether an admin must give a reason: in a request with the header "
        "X-Admin-Reason. It is kept in the audit trail.",
    )

    FIRST_SUPERUSER: Email = Field(
        default="admin@example.com", description="The first superuser, created if missing."
    )
    FIRST_SUPERUSER_PASSWORD: Password = Field(
        default=DEFAULT_SECRET, repr=False, description="The password of FIRST_SUPERUSER."
    )
    FIRST_USER: Email = Field(
        default="user@example.com", description="The first ordinary user, created if missing."
    )
    FIRST_USER_PASSWORD: Password = Field(
        default=DEFAULT_SECRET, repr=False, description="The password of FIRST_USER."
    )

    SMTP_HOST: str | None = Field(default=None, description="The mail server's host.")
    SMTP_PORT: int = Field(default=587, ge=1, le=65535, description="The mail server's port.")
    SMTP_TLS: bool = Field(default=True, description="Whether to upgrade to TLS (STARTTLS).")
    SMTP_SSL: bool = Field(
        default=False, description="Whether to use TLS from the start, instead of STARTTLS."
    )
    SMTP_USER: str | None = Field(default=None, description="The mail server's user.")
    SMTP_PASSWORD: str | None = Field(
        default=None, repr=False, description="The password of SMTP_USER."
    )
    EMAILS_FROM_EMAIL: Email | None = Field(
        default=None, description="The sender of every e-mail. Without it, no e-mail is sent."
    )
    EMAILS_FROM_NAME: str | None = Field(
        default=None, description="The sender's name; PROJECT_NAME if not given."
    )
    EMAIL_RESET_TOKEN_EXPIRE_HOURS: int = Field(
        default=48, gt=0, description="How long the link in a recovery e-mail works, in hours."
    )

    @property
    def all_cors_origins(self) -> list[str]:
        """Every origin that CORS allows, without a trailing slash."""
        origins = [*map(str, self.BACKEND_CORS_ORIGINS), self.FRONTEND_HOST]
        return [origin.rstrip("/") for origin in origins]

    @property
    def emails_enabled(self) -> bool:
        """Whether a mail server and a sender are configured."""
        return bool(self.SMTP_HOST and self.EMAILS_FROM_EMAIL)

    @property
    def database_configured(self) -> bool:
        """Whether a PostgreSQL server is configured; if not, the embedded one is run."""
        return bool(self.DATABASE_URL or self.POSTGRES_SERVER)

    @property
    def owner_url(self) -> URL | None:
        """The address at which the owner of schema and tables connects, if one is configured."""
        if self.DATABASE_URL:
            return make_url(self.DATABASE_URL).set(drivername=_DRIVER)
        if self.POSTGRES_SERVER:
            return URL.create(
                _DRIVER,
                username=self.POSTGRES_USER,
                password=self.POSTGRES_PASSWORD,
                host=self.POSTGRES_SERVER,
                port=self.POSTGRES_PORT,
                database=self.POSTGRES_DB,
            )
        return None

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        problems = [*self._problems_of_roles()]
        if self.ENVIRONMENT != "local":
            problems += [*self._problems_of_deployment()]
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def _problems_of_roles(self) -> list[str]:
        owner = self.owner_url.username if self.owner_url else self.POSTGRES_USER
        names_by_role: dict[str | None, list[str]] = {owner: ["the database's owner"]}
        for name in (
            "RLS_APP_USER",
            "RLS_MAINTENANCE_ADMIN",
            "RLS_ADMIN_ROLE",
            "RLS_READ_ONLY_ADMIN_ROLE",
        ):
            names_by_role.setdefault(getattr(self, name), []).append(name)
        return [
            f"{' and '.join(names)} must be different roles, but all are {role!r}"
            for role, names in names_by_role.items()
            if len(names) > 1
        ]

    def _problems_of_deployment(self) -> list[str]:
        problems = []
        if not self.database_configured:
            problems.append(
                f"ENVIRONMENT={self.ENVIRONMENT} needs a database: "
                "set DATABASE_URL, or POSTGRES_SERVER and the other POSTGRES_* settings"
            )
        if self.RLS_CONTEXT_SECRET is None:
            problems.append(
                f"ENVIRONMENT={self.ENVIRONMENT} needs signed identities: set RLS_CONTEXT_SECRET"
            )
        unchanged = [name for name, secret in self._secrets() if secret == DEFAULT_SECRET]
        if unchanged:
            problems.append(
                f'{", ".join(unchanged)}: "{DEFAULT_SECRET}" is not a secret; '
                f"set another value for ENVIRONMENT={self.ENVIRONMENT}"
            )
        return problems

    def _secrets(self) -> list[tuple[str, object]]:
        names = [
            "SECRET_KEY",
            "RLS_APP_PASSWORD",
            "RLS_MAINTENANCE_ADMIN_PASSWORD",
            "FIRST_SUPERUSER_PASSWORD",
            "FIRST_USER_PASSWORD",
            "SMTP_PASSWORD",
        ]
        secrets: list[tuple[str, object]] = [(name, getattr(self, name)) for name in names]
        if self.DATABASE_URL:
            url = make_url(self.DATABASE_URL)
            secrets.append(("DATABASE_URL", url.password or url.query.get("password")))
        else:
            secrets.append(("POSTGRES_PASSWORD", self.POSTGRES_PASSWORD))
        return secrets


def _load() -> Settings:
    """Read the settings, or end the program with a line for each that is wrong."""
    try:
        return Settings()
    except ValidationError as error:
        lines = (
            f"{'.'.join(map(str, entry['loc'])) or 'Settings'}:"
            f" {entry['msg'].removeprefix('Value error, ')}"
            for entry in error.errors(include_input=False, include_url=False)
        )
        sys.exit("\n".join(lines))


settings = _load()
