"""What several kinds of declaration can say, and which of it cannot be meant."""

from collections.abc import Mapping, Set
from typing import Any, Literal, get_args

from hedgerow.errors import ConfigurationError

RowCommand = Literal["SELECT", "INSERT", "UPDATE", "DELETE"]
ALL_COMMANDS: tuple[RowCommand, ...] = get_args(RowCommand)


def check_commands(commands: Set[RowCommand] | str) -> None:
    """Raise ConfigurationError for what is no set of commands, or an empty one."""
    if isinstance(commands, str):  # a string is a set of letters to what follows
        raise ConfigurationError(
            f'commands are a set, as in commands={{"SELECT", "INSERT"}}, got {commands!r}.'
        )
    unknown = sorted(set(commands) - set(ALL_COMMANDS))
    if unknown or not commands:
        raise ConfigurationError(
            f"commands are some of {', '.join(ALL_COMMANDS)}, got {', '.join(unknown) or 'none'}."
        )


def check_services(services: Mapping[str, Set[RowCommand]]) -> None:
    """Raise ConfigurationError for services without a name or without a command."""
    if not isinstance(services, Mapping):
        raise ConfigurationError(
            f'services map a name to commands, as in {{"report": {{"SELECT"}}}}, got {services!r}.'
        )
    for name, commands in services.items():
        if not name.strip():
            raise ConfigurationError("A service needs a name, as in Identity.service('report').")
        check_commands(commands)
        if "SELECT" not in commands and not {"UPDATE", "DELETE"}.isdisjoint(commands):
            raise ConfigurationError(
                f"Service {name!r} needs SELECT too, or its UPDATE and DELETE would find no row."
            )


def check_public(public: bool | str, commands: Set[RowCommand]) -> None:
    """Raise ConfigurationError for rows that nobody reads and users do not."""
    if not isinstance(public, bool | str):
        raise ConfigurationError(
            f'public is True or a boolean column, as in public="is_published", got {public!r}.'
        )
    if public and "SELECT" not in commands:
        raise ConfigurationError("What is public needs SELECT among its commands.")


def check_kinds_of_columns(admin_only: Mapping[str, Any], secret: Set[str] | str) -> None:
    """Raise ConfigurationError for columns that are named in another way than is read."""
    if not isinstance(admin_only, Mapping):
        raise ConfigurationError(
            "admin_only maps a column to the value of a row that a user inserts, as in"
            f' {{"is_superuser": False}}, got {admin_only!r}.'
        )
    if isinstance(secret, str):  # a string is a set of letters to what follows
        raise ConfigurationError(
            f'secret is a set of columns, as in {{"hashed_password"}}, got {secret!r}.'
        )
