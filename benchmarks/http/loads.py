"""What is sent: the requests of each load, and whether the answers to them are right."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.http.data import ITEMS_EACH, Data, Person
from benchmarks.http.servers import API, Server, ServerError

KINDS = {"sync": "/items/", "async": "/async/items/"}
NEW = {"title": "A note", "description": "What it is about."}
_MIX = ("list", "get", "get", "create", "get", "list", "get", "get", "list", "get")

Tokens = Mapping[str, str]
"""By e-mail address."""


@dataclass(frozen=True)
class Load:
    """One kind of request, or a mix, to one kind of route."""

    name: str
    kind: str
    requests: tuple[str, ...]


def sign_in_all(server: Server, data: Data) -> Tokens:
    """Sign everybody in; both variants share the key, so a token is good for both."""
    return {person.email: server.sign_in(person) for person in (*data.readers, *data.writers)}


def loads_of(data: Data, tokens: Tokens) -> list[Load]:
    """Return every load of both kinds of routes."""
    loads = []
    for kind, path in KINDS.items():
        lists = [_get(path, tokens[person.email]) for person in data.readers]
        gets = [
            _get(f"{path}{person.items[number]}", tokens[person.email])
            for number in range(0, ITEMS_EACH, 10)
            for person in data.readers
        ]
        creates = [_post(path, tokens[person.email]) for person in data.writers]
        single = {"list": lists, "get": gets, "create": creates}
        loads += [Load(name, kind, tuple(requests)) for name, requests in single.items()]
        loads.append(Load("mix", kind, tuple(_mixed(single))))
    return loads


def _mixed(single: Mapping[str, Sequence[str]]) -> list[str]:
    """Return half reads of one item, three in ten lists, one in ten a new item: 80 requests."""
    drawn = dict.fromkeys(single, 0)
    mixed = []
    for name in _MIX * 8:
        mixed.append(single[name][drawn[name] % len(single[name])])
        drawn[name] += 1
    return mixed


def _get(path: str, token: str) -> str:
    return f"GET {API}{path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n\r\n"


def _post(path: str, token: str) -> str:
    body = json.dumps(NEW)
    return (
        f"POST {API}{path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    )


def check_answers(server: Server, data: Data, tokens: Tokens) -> int:
    """Ask for everybody's rows, and return how many rows were right; nothing here is timed.

    Raises ServerError where a row is missing, is somebody else's, or can be reached by another.
    """
    right = 0
    for path in KINDS.values():
        for person in data.readers:
            right += _check_list(server, path, person, tokens[person.email])
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


def _check_list(server: Server, path: str, person: Person, token: str) -> int:
    content = server.ask("GET", path, token).json()
    ids = [item["id"] for item in content["data"]]
    owners = {item["owner_id"] for item in content["data"]}
    is_right = (
        content["count"] == ITEMS_EACH
        and owners == {str(person.id)}
        and ids == [str(item) for item in person.items]
    )
    _demand(is_right, f"{path} of {person.email}: {content['count']} items of {owners}")
    return len(ids)


def _demand(is_right: bool, otherwise: str) -> None:
    if not is_right:
        raise ServerError(f"A wrong answer: {otherwise}")
