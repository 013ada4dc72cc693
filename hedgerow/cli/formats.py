"""In what form a command answers."""

from enum import StrEnum


class OutputFormat(StrEnum):
    """Sentences for people, or JSON for programs."""

    TEXT = "text"
    JSON = "json"
