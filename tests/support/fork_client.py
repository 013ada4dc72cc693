"""What is said to a fork server (`fork_server`): run this program, and tell its exit code.

It imports little: a program that only asks (`PROGRAM`) has to start at once.
"""

import json
import socket
from dataclasses import dataclass


@dataclass(frozen=True)
class Request:
    """A Python program, and all that it has from who starts it."""

    arguments: list[str]
    """The first is the program's own path."""
    folder: str
    environment: dict[str, str]
    python: str
    """The interpreter of the project's environment."""
    project: str
    """The folder whose `app` and `hedgerow` are imported."""
    streams: tuple[int, int, int]
    """Its stdin, stdout and stderr."""


PROGRAM = """#!{python} -IS
import os, runpy, sys
names = runpy.run_path({client!r})
request = names["Request"](
    [{program!r}, *sys.argv[1:]], os.getcwd(), dict(os.environ), {python!r}, {project!r}, (0, 1, 2)
)
sys.exit(names["ask"]({address!r}, request, None))
"""
"""A program that has the fork server at `address` run another, and looks like it."""


def ask(address: str, request: Request, timeout: float | None) -> int:
    """Return the program's exit code; raises TimeoutError where it takes longer: it is killed."""
    said = {name: value for name, value in vars(request).items() if name != "streams"}
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(timeout)
        connection.connect(address)
        socket.send_fds(connection, [b"\0"], request.streams)
        connection.sendall(json.dumps(said).encode() + b"\n")
        with connection.makefile("r") as answer:
            return int(answer.readline())


def receive(connection: socket.socket) -> Request:
    """Return what `ask` asks for, with copies of its streams."""
    _, streams, _, _ = socket.recv_fds(connection, 1, 3)
    with connection.makefile("r") as lines:
        said = json.loads(lines.readline())
    stdin, stdout, stderr = streams
    return Request(**said, streams=(stdin, stdout, stderr))
