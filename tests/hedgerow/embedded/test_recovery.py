"""What is left after a crash is asked, and neither believed nor harmed."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from hedgerow.embedded import EmbeddedServer, EmbeddedServerError
from hedgerow.embedded.account import Account
from hedgerow.embedded.lifecycle import choose_port
from hedgerow.embedded.postmaster import Process, look_up
from tests.hedgerow.embedded.support import FAST, ServerUser, ask, postmaster_pid


@pytest.mark.parametrize("same_user", [True, False])
def test_a_recycled_pid_is_not_believed_and_not_signalled(folder: Path, same_user: bool) -> None:
    """PostgreSQL itself refuses to start while the pid belongs to a process of the same user."""
    with EmbeddedServer(folder, settings=FAST) as address:
        pid_file = address.data_dir / "postmaster.pid"
        content = pid_file.read_text()
        owner = pid_file.stat().st_uid
    with subprocess.Popen(["/bin/sleep", "60"], user=owner if same_user else None) as process:
        try:
            pid_file.write_text(content.replace(content.split()[0], str(process.pid), 1))
            os.chown(pid_file, owner, -1)
            with EmbeddedServer(folder, settings=FAST) as again:
                assert ask(again, "SELECT 1") == 1
            assert process.poll() is None
        finally:
            process.kill()


@pytest.mark.parametrize("content", ["", "nonsense\n", "-1\n\n\n1\n", "999999999\n/x\n1\n1\n"])
def test_a_damaged_or_stale_pid_file_is_cleared(folder: Path, content: str) -> None:
    with EmbeddedServer(folder, settings=FAST) as address:
        owner = (address.data_dir / "postmaster.pid").stat().st_uid
    (address.data_dir / "postmaster.pid").write_text(content)
    os.chown(address.data_dir / "postmaster.pid", owner, -1)
    with EmbeddedServer(folder, settings=FAST) as again:
        assert ask(again, "SELECT 1") == 1


def test_a_killed_server_is_started_again(server: EmbeddedServer, folder: Path) -> None:
    """The address of a dead server is never handed out, not even to who holds the lock."""
    server.acquire()
    pid = postmaster_pid(folder)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    assert ask(server.acquire(), "SELECT 1") == 1
    assert postmaster_pid(folder) not in (None, pid)


def test_a_killed_server_of_another_process_is_started_again(
    server: EmbeddedServer, folder: Path, start_user: Callable[..., ServerUser]
) -> None:
    """Its starter lives and does not look: the server stays a zombie with a living pid."""
    start_user(folder).address()
    pid = postmaster_pid(folder)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    assert ask(server.acquire(), "SELECT 1") == 1


def test_a_port_that_another_program_took_is_left_to_it(folder: Path) -> None:
    with EmbeddedServer(folder, settings=FAST) as address:
        pass
    with (
        socket.create_server((address.host, address.port)),
        EmbeddedServer(folder, settings=FAST) as other,
    ):
        assert other.port != address.port
        assert ask(other, "SELECT 1") == 1


def test_a_port_taken_between_choice_and_start_is_chosen_again(
    server: EmbeddedServer, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hedgerow.embedded import lifecycle

    with socket.create_server(("127.0.0.1", 0)) as thief:
        taken = thief.getsockname()[1]
        choices = iter([taken, taken])
        monkeypatch.setattr(
            lifecycle, "choose_port", lambda memory: next(choices, None) or choose_port(memory)
        )
        assert server.acquire().port != taken


def test_an_interrupted_initdb_begins_again(
    empty_folder: Path, start_user: Callable[..., ServerUser]
) -> None:
    user = start_user(empty_folder)
    deadline = time.monotonic() + 30
    while not list(empty_folder.glob("cluster/new-*/PG_VERSION")):
        assert time.monotonic() < deadline
        time.sleep(0.001)
    user.kill()
    assert not (empty_folder / "cluster" / "data").exists()

    with EmbeddedServer(empty_folder, settings=FAST) as address:
        assert ask(address, "SELECT 1") == 1
    # What the killed user's initdb still wrote is swept by the next initdb only; data are whole.
    assert (address.data_dir / "pg_hba.conf").exists()


def test_ctrl_c_during_initdb_leaves_nothing(
    empty_folder: Path, start_user: Callable[..., ServerUser]
) -> None:
    user = start_user(empty_folder)
    deadline = time.monotonic() + 30
    while not list(empty_folder.glob("cluster/new-*/PG_VERSION")):
        assert time.monotonic() < deadline
        time.sleep(0.001)
    user.process.send_signal(signal.SIGINT)
    user.process.communicate()
    assert user.process.returncode != 0
    assert list((empty_folder / "cluster").iterdir()) == []


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, EmbeddedServerError("not ready")])
def test_an_interrupted_start_leaves_no_server(
    server: EmbeddedServer,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    interrupt: type[BaseException] | BaseException,
) -> None:
    from hedgerow.embedded import lifecycle

    started: list[Process] = []

    def interrupted(_cluster: object, _password: str, process: Process, _timeout: float) -> int:
        started.append(process)
        raise interrupt

    with monkeypatch.context() as patch:
        patch.setattr(lifecycle, "wait_until_ready", interrupted)
        with pytest.raises((KeyboardInterrupt, EmbeddedServerError)):
            server.acquire()
    assert len(started) == 1
    assert look_up(started[0].pid) is None
    assert ask(server.acquire(), "SELECT 1") == 1


def test_a_start_that_fails_leaves_no_server_where_the_first_signal_to_it_is_lost(
    server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a background job, whose programs ignore SIGQUIT until they say otherwise."""
    from hedgerow.embedded import lifecycle

    started: list[Process] = []
    sent: list[int] = []
    send = Account.send

    def fail(_cluster: object, _password: str, process: Process, _timeout: float) -> int:
        started.append(process)
        raise EmbeddedServerError("not ready")

    def lose_the_first(account: Account, number: signal.Signals, pid: int) -> None:
        sent.append(number)
        if len(sent) > 1:
            send(account, number, pid)

    monkeypatch.setattr(lifecycle, "wait_until_ready", fail)
    monkeypatch.setattr(lifecycle, "_AGAIN_SECONDS", 0.05)
    monkeypatch.setattr(Account, "send", lose_the_first)
    with pytest.raises(EmbeddedServerError, match="not ready"):
        server.acquire()
    assert look_up(started[0].pid) is None


def test_the_log_of_the_run_before_is_kept_and_no_more(folder: Path) -> None:
    for _ in range(3):
        with EmbeddedServer(folder, settings=FAST):
            pass
    assert sorted(file.name for file in folder.glob("*.log*")) == [
        "postgres.log",
        "postgres.log.1",
    ]


def test_a_folder_deleted_under_its_user_harms_nobody(folder: Path) -> None:
    directory = folder / "deleted"
    first = EmbeddedServer(directory, settings=FAST)
    first.acquire()
    pid = postmaster_pid(directory)
    assert pid is not None
    aside = directory.rename(folder / "aside")
    with EmbeddedServer(directory, settings=FAST) as address:
        first.release()  # must not stop the server of the new folder
        assert ask(address, "SELECT 1") == 1
    os.kill(pid, signal.SIGKILL)
    assert aside.is_dir()
