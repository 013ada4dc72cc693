"""One server for several processes, counted by locks that die with their holders."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from hedgerow.embedded import EmbeddedServer
from hedgerow.embedded.locks import FileLock
from tests.hedgerow.embedded.support import (
    ENVIRONMENT,
    FAST,
    ServerUser,
    ask,
    libpq,
    postmaster_pid,
)
from tests.support.processes import run_command


def test_two_processes_share_one_server_and_the_last_one_stops_it(
    empty_folder: Path, start_user: Callable[..., ServerUser]
) -> None:
    first, second = start_user(empty_folder), start_user(empty_folder)
    assert first.address() == second.address()
    pid = postmaster_pid(empty_folder)

    first.leave()
    assert postmaster_pid(empty_folder) == pid

    second.leave()
    assert postmaster_pid(empty_folder) is None


def test_the_starter_may_leave_first(
    server: EmbeddedServer, folder: Path, start_user: Callable[..., ServerUser]
) -> None:
    server.acquire()
    other = start_user(folder)
    address = other.address()
    server.release()
    pid = postmaster_pid(folder)
    assert pid is not None

    with EmbeddedServer(folder) as again:
        assert (again.port, again.password) == (address["port"], address["password"])
        assert postmaster_pid(folder) == pid


def test_a_killed_user_no_longer_counts_and_its_server_is_used_again(
    server: EmbeddedServer, folder: Path, start_user: Callable[..., ServerUser]
) -> None:
    killed = start_user(folder)
    address = killed.address()
    pid = postmaster_pid(folder)
    killed.kill()
    assert postmaster_pid(folder) == pid

    assert server.acquire().port == address["port"]
    assert postmaster_pid(folder) == pid
    server.release()
    assert postmaster_pid(folder) is None


def test_the_server_does_not_inherit_the_locks(
    folder: Path, start_user: Callable[..., ServerUser]
) -> None:
    """A server that held the lock of its users would never be without one."""
    user = start_user(folder)
    user.address()
    user.kill()
    assert postmaster_pid(folder) is not None

    for name in ("users.lock", "guard.lock"):
        with FileLock(folder / name) as lock:
            assert lock.try_lock(shared=False)


FORKING = """
import os, signal, sys
from pathlib import Path
from hedgerow.embedded import EmbeddedServer
directory = Path(sys.argv[1])
server = EmbeddedServer(directory)
server.acquire()
child = os.fork()
if child == 0:
    server.release()  # must neither stop the parent's server nor free its lock
    os.kill(os.getpid(), signal.SIGSTOP)
    os._exit(0)
os.waitpid(child, os.WUNTRACED)
pid_file = directory / "cluster" / "data" / "postmaster.pid"
print(pid_file.exists())
server.release()
print(pid_file.exists())
os.kill(child, signal.SIGKILL)
os.waitpid(child, 0)
"""


def test_a_forked_child_is_no_user(folder: Path) -> None:
    result = run_command(
        [sys.executable, "-c", FORKING, folder],
        environment=ENVIRONMENT,
    )
    assert result.stdout.split() == ["True", "False"], result.stderr


def test_release_twice_and_acquire_twice_are_harmless(server: EmbeddedServer, folder: Path) -> None:
    assert server.acquire() == server.acquire()
    server.release()
    assert postmaster_pid(folder) is None
    server.release()


def test_data_port_and_password_are_kept_between_runs(folder: Path) -> None:
    with EmbeddedServer(folder, settings=FAST) as first:
        ask(first, "SELECT lo_from_bytea(4711, 'kept')")
    with EmbeddedServer(folder, settings=FAST) as second:
        assert second == first
        assert ask(second, "SELECT convert_from(lo_get(4711), 'UTF8')") == "kept"


def test_sessions_do_not_hold_up_the_stop(server: EmbeddedServer, folder: Path) -> None:
    address = server.acquire()
    with psycopg.connect(libpq(address)) as connection:
        server.release()
        assert postmaster_pid(folder) is None
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")


def test_the_server_is_in_a_session_of_its_own(server: EmbeddedServer, folder: Path) -> None:
    """Ctrl-C reaches the terminal's whole group: the server would die before its clients."""
    server.acquire()
    pid = postmaster_pid(folder)
    assert pid is not None
    assert os.getsid(pid) == pid != os.getsid(0)
