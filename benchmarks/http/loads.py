"""What is sent: the requests of each load, and whether the answers to them are right."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.http.data import ITEMS_EACH, Data
from benchmarks.http.servers import API, Server, ServerError

KINDS = {"sync": "/items/", "async": "/async/items/"}
NEW = {"title": "A note", "description": "What it is about."}
_MIX = ("list", "get", "get", "create", "get", "list", "get", "get", "list", "get")

Tokens = Mapping[str, str]  # by e-mail address


@dataclass(frozen=True)
class Load:
    """One kind of request, or a mix, to one kind of route."""

    name: str
    kind: str
    requests: Sequence[str]


def loads_of(data: Data, tokens: Tokens) -> list[Load]:
    """Return every load of both kinds of routes."""
    loads = []
    for kind, path in KINDS.items():
        single = {
            "list": [_request(f"GET {API}{path}", tokens[one.email]) for one in data.readers],
            "get": [
                _request(f"GET {API}{path}{one.items[number]}", tokens[one.email])
                for number in range(0, ITEMS_EACH, 10)
                for one in data.readers
            ],
            "create": [
                _request(f"POST {API}{path}", tokens[one.email], json.dumps(NEW))
                for one in data.writers
            ],
        }
        loads += [Load(name, kind, requests) for name, requests in single.items()]
        loads.append(Load("mix", kind, _mixed(single)))
    return loads


def _mixed(single: Mapping[str, Sequence[str]]) -> list[str]:
    """Return half reads of one item, three in ten lists, one in ten a new item: 80 requests."""
    drawn = dict.fromkeys(single, 0)
    mixed = []
    for name in _MIX * 8:
        mixed.append(single[name][drawn[name] % len(single[name])])
        drawn[name] += 1
    return mixed


def _request(line: str, token: str, body: str = "") -> str:
    about = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n" if body else ""
    head = f"{line} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n"
    return f"{head}{about}\r\n{body}"


def check_answers(server: Server, data: Data, tokens: Tokens) -> int:
    """Ask for the rows of all readers, and return how many were right; nothing here is timed.

    Raises ServerError where a row is missing, is another user's, or can be reached by another.
    """
    right = 0
    for path in KINDS.values():
        for person in data.readers:
            content = server.ask("GET", path, tokens[person.email]).json()
            found = [(item["id"], item["owner_id"]) for item in content["data"]]
            expected = [(str(item), str(person.id)) for item in person.items]
            is_right = content["count"] == ITEMS_EACH and found == expected
            _demand(is_right, f"{path} of {person.email}: {content['count']} items")
            right += len(found)
        other, person = data.readers[0], data.readers[1]
        for item in person.items[:3]:
            answer = server.ask("GET", f"{path}{item}", tokens[person.email])
            _demand(answer.json().get("id") == str(item), f"{path}{item}: {answer.text}")
            answer = server.ask("GET", f"{path}{item}", tokens[other.email])
            _demand(answer.status_code == 404, f"{other.email} reaches {path}{item}: {answer.text}")
        writer = data.writers[0]
        answer = server.ask("POST", path, tokens[writer.email], json=NEW)
        _demand(answer.json().get("owner_id") == str(writer.id), f"POST {path}: {answer.text}")
    return right


def _demand(is_right: bool, otherwise: str) -> None:
    if not is_right:
        raise ServerError(f"A wrong answer: {otherwise}")
