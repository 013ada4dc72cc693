"""Runs this project's Python programs as forks of a process that has imported their packages.

A program of a fresh Python spends most of its time on importing SQLAlchemy, FastAPI and the like.
Of the project itself only what Alembic loads as its plugin is imported before the fork, and nothing
of `app`. A fork has the folder, the environment, the arguments and the streams that
`fork_client.Request` names, and a session of its own, which is killed at the program's end, or when
who has asked for it is gone.
"""

import atexit
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
    running: dict[int, socket.socket] = {}
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda *_: None)  # where it is ignored, nothing wakes
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen()
        sys.stdout.write("listening\n")
        sys.stdout.flush()
        while True:
            ready, _, _ = select.select([listener, sys.stdin, woken, *running.values()], [], [])
            if sys.stdin in ready:
                for pid in running:
                    kill_session(pid)
                return None
            for pid, connection in running.items():
                if connection in ready:  # who has asked is gone
                    kill_session(pid)
            if woken in ready:
                os.read(woken, 4096)
                tell_those_that_ended(running)
            if listener in ready:
                connection, _ = listener.accept()
                request = receive(connection)
                pid = os.fork()
                if pid == 0:
                    for other in (connection, *running.values()):
                        other.close()
                    return request
                for stream in request.streams:
                    os.close(stream)
                running[pid] = connection


def tell_those_that_ended(running: dict[int, socket.socket]) -> None:
    while running:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        kill_session(pid)
        with running.pop(pid) as connection, contextlib.suppress(BrokenPipeError):
            connection.sendall(b"%d\n" % os.waitstatus_to_exitcode(status))


def kill_session(pid: int) -> None:
    # macOS refuses to signal a group of which only zombies are left.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def become(request: Request) -> None:
    """Run the program as a Python that was started for it would, and end with it."""
    os.setsid()
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
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
    end(exit_code_of(program))


def exit_code_of(program: str) -> int:
    try:
        runpy.run_path(program, run_name="__main__")
    except SystemExit as exit:
        if exit.code is None or isinstance(exit.code, int):
            return exit.code or 0
        sys.stderr.write(f"{exit.code}\n")
        return 1
    return 0


def end(code: int) -> None:
    """End without taking apart what the fork shares: that would copy all of it first."""
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    for package in PACKAGES:
        importlib.import_module(package)
    gc.freeze()
    asked = serve(sys.argv[1])
    if asked is not None:
        become(asked)
