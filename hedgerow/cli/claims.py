"""What the options `--claim NAME=VALUE` of a command say that an identity claims."""

from collections.abc import Mapping, Sequence

import typer


def claims_given(options: Sequence[str] | None) -> Mapping[str, str]:
    """Return the claims by their names; raises BadParameter for one that is no pair."""
    claims = {}
    for option in options or ():
        name, separator, value = option.partition("=")
        if not separator:
            raise typer.BadParameter(
                f"--claim takes NAME=VALUE, as in --claim location=3: {option!r}."
            )
        claims[name] = value
    return claims
