"""Runs this project's Python programs as forks of a process that has imported their packages.

A program of a fresh Python spends most of its time on importing SQLAlchemy, FastAPI and the like.
Of the project itself only what Alembic loads as its plugin is imported before the fork, and nothing
of `app`. A fork has the folder, the environment, the arguments and the streams that
`fork_client.Request` names, and a session of its own, which is killed at the program's end, or when
who has asked for it is gone.
"""

import contextlib
import gc
import importlib
import os
import runpy
import select
import signal
import socket
import sys
import threading
from pathlib import Path

from tests.support.fork_client import Request, receive

PACKAGES = (
    "alembic.command",
    "alembic.config",
    "asgi_correlation_id",
    "email_validator",
    "fastapi.middleware.cors",
    "jinja2",
    "jwt",
    "mako.template",
    "opentelemetry.trace",
    "psycopg",
    "pwdlib.hashers.argon2",
    "pwdlib.hashers.bcrypt",
    "pydantic.v1",
    "pydantic_extra_types",
    "pydantic_settings",
    "pythonjsonlogger.json",
    "smtplib",
    "sqlalchemy.dialects.postgresql.psycopg",
    "sqlalchemy.ext.asyncio",
    "sqlmodel.ext.asyncio.session",
    "typer",
)
PROJECT = Path(__file__).resolve().parents[2]


def serve(address: str) -> Request | None:
    """Answer until stdin closes; return None then, and in a fork the program that it is to be."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen()
        sys.stdout.write("listening\n")
        sys.stdout.flush()
        while True:
            ready, _, _ = select.select([listener, sys.stdin], [], [])
            if sys.stdin in ready:
                return None
            connection, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                return fork_program(connection)
            connection.close()


def fork_program(connection: socket.socket) -> Request:
    """Return in the fork that becomes the program; this process tells its exit code."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    request = receive(connection)
    pid = os.fork()
    if pid == 0:
        connection.close()
        return request
    for stream in request.streams:
        os.close(stream)
    threading.Thread(target=kill_when_left, args=(connection, pid), daemon=True).start()
    _, status = os.waitpid(pid, 0)
    kill_session(pid)
    with contextlib.suppress(BrokenPipeError):
        connection.sendall(b"%d\n" % os.waitstatus_to_exitcode(status))
    os._exit(0)


def kill_when_left(connection: socket.socket, pid: int) -> None:
    connection.recv(1)
    kill_session(pid)


def kill_session(pid: int) -> None:
    # macOS refuses to signal a group of which only zombies are left.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def become(request: Request) -> None:
    """Run the program as a Python that was started for it would."""
    os.setsid()
    for number, stream in enumerate(request.streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(request.folder)
    os.environ.clear()
    os.environ.update(request.environment)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", buffering=1, errors="backslashreplace", closefd=False)  # noqa: SIM115
    python = Path(request.python)
    sys.executable, sys.prefix = str(python), str(python.parents[1])
    sys.path[:] = [request.project if path == str(PROJECT) else path for path in sys.path]
    program = request.arguments[0]
    sys.argv[:] = request.arguments
    sys.path.insert(0, str(Path(program).parent))
    for name in [name for name in sys.modules if name.partition(".")[0] == "tests"]:
        del sys.modules[name]
    runpy.run_path(program, run_name="__main__")


if __name__ == "__main__":
    for package in PACKAGES:
        importlib.import_module(package)
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # forks are nobody's zombies
    asked = serve(sys.argv[1])
    if asked is not None:
        become(asked)
