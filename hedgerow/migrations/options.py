"""What a project hands to `context.configure`, together with what row security needs there."""

from collections.abc import Mapping
from typing import Any

from alembic.runtime.environment import ProcessRevisionDirectiveFn
from sqlalchemy import Engine, MetaData

from hedgerow.config.row_security import RowSecurity
from hedgerow.errors import ConfigurationError
from hedgerow.migrations.operation import ROW_SECURITY_OPTION
from hedgerow.migrations.tidy import tidy

_PLUGIN = "hedgerow"


def alembic_options(
    engine: Engine, metadata: MetaData, row_security: RowSecurity, options: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the keyword arguments of `context.configure`: the project's `options`, and ours.

    A plugin or a hook of the project's comes beside ours, not in its place: without them revisions
    would lack row security without a word. Raises ConfigurationError for what cannot be meant.
    """
    if engine.dialect.driver != "psycopg":
        raise ConfigurationError(
            f"hedgerow.migrations.run() cannot migrate with {engine.dialect.driver}: use an engine"
            " whose address begins with postgresql+psycopg."
        )
    if "connection" in options:
        raise ConfigurationError(
            "hedgerow.migrations.run() connects itself, with its first argument: leave connection"
            " out, and what env.py does before and after it, context.configure() and"
            " context.run_migrations()."
        )
    if not isinstance(metadata, MetaData):
        raise ConfigurationError(
            "hedgerow.migrations.run() takes one MetaData as target_metadata: have all models share"
            " one."
        )
    plugins = options.get("autogenerate_plugins") or ["alembic.autogenerate.*"]
    directives = options.get("process_revision_directives")
    return {
        **options,
        "target_metadata": metadata,
        "autogenerate_plugins": [*plugins, _PLUGIN],
        "process_revision_directives": _after_tidy(directives) if directives else tidy,
        ROW_SECURITY_OPTION: row_security,
    }


def _after_tidy(directives: ProcessRevisionDirectiveFn) -> ProcessRevisionDirectiveFn:
    def process(context: Any, revision: Any, scripts: Any) -> None:
        tidy(context, revision, scripts)
        directives(context, revision, scripts)

    return process
