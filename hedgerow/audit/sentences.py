"""The audit trail for people: one line an entry."""

import json
from collections.abc import Iterator, Mapping
from typing import Any


def sentence(entry: Mapping[str, Any]) -> str:
    """Return an entry, as `trail.as_json` gives it, as one line.

    Much of it came with a request: control characters are shown as escapes.
    """
    return visible(" ".join(_parts(entry)))


def _parts(entry: Mapping[str, Any]) -> Iterator[str]:
    place = "-" if entry["position"] is None else entry["position"]
    yield f"{entry['at'][:19]}Z #{place} {entry['event']}:"
    yield f"{entry['role']} {entry['user_id'] or entry['login']}"
    if entry["command"]:
        key = _values(entry["row_key"]) if entry["row_key"] else ""
        yield f"{entry['command']} {entry['table_name']}{key}"
    if entry["owner"]:
        yield f"{'of' if entry['command'] else 'views as'} {entry['owner']}"
    if entry["tenant"]:
        yield f"in tenant {_word(entry['tenant'])}"
    if entry["command"] == "UPDATE" and entry["columns"]:
        yield f"columns {', '.join(entry['columns'])}"
    if entry["method"]:
        yield f"{entry['method']} {_word(entry['path'])}"
    if entry["request_id"]:
        yield f"request {_word(entry['request_id'])}"
    if entry["changes"]:
        yield f"changes{_values(entry['changes'])}"
    if entry["reason"]:
        yield f"because: {entry['reason']}"


def _word(text: str) -> str:
    """Quote what holds a space: it came with a request, and could look like more of the line."""
    return text if " " not in text else json.dumps(text, ensure_ascii=False)


def _values(values: Any) -> str:
    """Spell `name=value` each; an update's value is its old one, then its new one."""
    if not isinstance(values, Mapping):
        return f" {json.dumps(values)}"
    return "".join(f" {name}={_value(value)}" for name, value in values.items())


def _value(value: Any) -> str:
    if isinstance(value, list):
        return "->".join(map(_value, value))
    return _word(value) if isinstance(value, str) else json.dumps(value)


def visible(text: str) -> str:
    """Return text with an escape in place of each control character."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
