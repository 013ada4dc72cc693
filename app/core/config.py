"""Settings: read once from the environment and from `.env`, checked before anything starts."""

import sys
from typing import Literal, Self

from pydantic import Field, PrivateAttr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy.engine import URL, make_url

from app.core.deployment import problems_of_deployment, problems_of_roles
from app.core.environment import assumed_environment, contradictions, sentence_to_confirm
from app.core.setting_kinds import DRIVER, DatabaseUrl, Origins, Rate, RedisUrl, RoleName
from app.core.strength import DEFAULT_SECRET
from app.core.text import Email, Password


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
    ENVIRONMENT: Literal["local", "staging", "production"] | None = Field(
        default=None,
        description="The environment: `local`, `staging` or `production`. Only `local` accepts "
        f"weak secrets such as `{DEFAULT_SECRET}`, starts an embedded PostgreSQL and serves the "
        "private routes. If neither this nor FASTAPI_ENV is given, it is `local` for the embedded "
        "PostgreSQL and for a database on a loopback address or a Unix socket without TLS, and "
        "`production` for every other.",
    )
    FASTAPI_ENV: Literal["development", "production"] | None = Field(
        default=None,
        description="FastAPI's own name for it, which `fastapi dev` sets to `development`: that is "
        "ENVIRONMENT=local. ENVIRONMENT must not say something else.",
    )
    API_DOCS_ENABLED: bool | None = Field(
        default=None,
        description="Whether `/docs`, `/redoc` and the OpenAPI document are served. If not given: "
        "where ENVIRONMENT is `local`.",
    )
    MAX_BODY_SIZE: int = Field(
        default=2**20,
        ge=0,
        description="The largest body of a request, in bytes; a larger one is refused with 413, "
        "and not read.",
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
    THROTTLE_GUESSES: Rate = Field(
        default="10 per 15 minutes",
        description="How many wrong passwords one client address may give for one account.",
    )
    THROTTLE_ACCOUNT: Rate = Field(
        default="100 per hour",
        description="How many wrong passwords all client addresses together may give for one "
        "account, without those from which it has signed in before.",
    )
    THROTTLE_ADDRESS: Rate = Field(
        default="100 per 15 minutes",
        description="How many wrong passwords for whatever accounts, sign-ups, requests for a "
        "recovery e-mail, and invitations to a team one client address may make, each.",
    )
    THROTTLE_EMAILS: Rate = Field(
        default="5 per hour",
        description="How many sign-ups, requests for a recovery e-mail, and invitations to a team "
        "there may be for one e-mail address, each.",
    )
    REDIS_URL: RedisUrl | None = Field(
        default=None,
        repr=False,
        description="The Redis in which several processes count together what THROTTLE_* limit. "
        "Without it, each process counts for itself. Needs requirements-redis.txt.",
    )
    FRONTEND_HOST: str = Field(
        default="http://localhost:5173",
        description="The address of the front end: linked to in e-mails, and allowed by CORS. "
        "Outside ENVIRONMENT=local CORS allows it only where it is given.",
    )
    BACKEND_CORS_ORIGINS: Origins = Field(
        default=[], description="Further origins that CORS allows, separated by commas."
    )

    DATABASE_URL: DatabaseUrl | None = Field(
        default=None,
        repr=False,
        description="The database's URL for the owner: "
        "postgresql://user:password@host:5432/database. Takes precedence over POSTGRES_*.",
    )
    DATABASE_POOLER_URL: DatabaseUrl | None = Field(
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
        default=DEFAULT_SECRET,
        repr=False,
        description="The password of RLS_APP_USER. The embedded PostgreSQL has a random one in "
        "the place of the default.",
    )
    RLS_MAINTENANCE_ADMIN: RoleName = Field(
        default="rls_maintenance_admin",
        description="The role for bulk maintenance and reports.",
    )
    RLS_MAINTENANCE_ADMIN_PASSWORD: str = Field(
        default=DEFAULT_SECRET,
        repr=False,
        description="The password of RLS_MAINTENANCE_ADMIN. The embedded PostgreSQL has a random "
        "one in the place of the default.",
    )
    RLS_ADMIN_ROLE: RoleName = Field(
        default="rls_admin", description="The database role of an admin's transactions."
    )
    RLS_READ_ONLY_ADMIN_ROLE: RoleName = Field(
        default="rls_read_only_admin",
        description="The database role of a read-only admin's transactions.",
    )
    RLS_SIGN_IN_ROLE: RoleName = Field(
        default="rls_sign_in",
        description="The database role of who signs in or signs up, before the user is known.",
    )
    RLS_ANONYMOUS_ROLE: RoleName = Field(
        default="rls_anonymous", description="The database role of nobody, for public rows."
    )
    RLS_SERVICE_ROLE: RoleName = Field(
        default="rls_service", description="The database role of jobs that are no person."
    )

    RLS_CONTEXT_SECRET: str | None = Field(
        default=None,
        min_length=16,
        repr=False,
        description="Signs each identity, so that injected SQL cannot become another user. At "
        "least 16 bytes; required outside ENVIRONMENT=local, with 32. A new value takes effect "
        "with the next `alembic upgrade head`: run it before the application starts with the "
        "value.",
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

    _assumed: str | None = PrivateAttr(default=None)
    """What of the addresses decided on ENVIRONMENT, where nothing else did."""

    @property
    def all_cors_origins(self) -> list[str]:
        """Every origin that CORS allows, without a trailing slash."""
        origins = [*map(str, self.BACKEND_CORS_ORIGINS)]
        if self.ENVIRONMENT == "local" or "FRONTEND_HOST" in self.model_fields_set:
            origins.append(self.FRONTEND_HOST)
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
            return make_url(self.DATABASE_URL).set(drivername=DRIVER)
        if self.POSTGRES_SERVER:
            return URL.create(
                DRIVER,
                username=self.POSTGRES_USER,
                password=self.POSTGRES_PASSWORD,
                host=self.POSTGRES_SERVER,
                port=self.POSTGRES_PORT,
                database=self.POSTGRES_DB,
            )
        return None

    @property
    def environment_to_confirm(self) -> str | None:
        """A sentence for the log where `local` may not be what is meant; None where it is clear."""
        return sentence_to_confirm(self, assumed=self._assumed)

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        problems = [*contradictions(self), *problems_of_roles(self)]
        if self.ENVIRONMENT is None:
            self.ENVIRONMENT, self._assumed = assumed_environment(self)
        if self.API_DOCS_ENABLED is None:
            self.API_DOCS_ENABLED = self.ENVIRONMENT == "local"
        if self.ENVIRONMENT != "local":
            problems += problems_of_deployment(self, assumed=self._assumed)
        if problems:
            raise ValueError("\n".join(problems))
        return self


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
