"""The form of a command's output."""

from enum import StrEnum


class OutputFormat(StrEnum):
    """Text for people, or JSON for programs."""

    TEXT = "text"
    JSON = "json"
