"""A copy of the project in which a page is followed: its files, a database, a server on demand."""

import ast
import contextlib
import hashlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.support.shell import Interpreter, Shell
from tests.support.databases import PROJECT, Database
from tests.support.processes import output_of, started, wait_until_serving
from tests.support.programs import FORKED, write_asking_program


class ProjectCopy:
    """A project of one's own, as after `git clone` and `scripts/install`, with first users."""

    def __init__(self, folder: Path, database: Database) -> None:
        self.folder = folder
        self.database = database
        self.settings: dict[str, str] = {}
        """Further settings for what starts from now on."""
        self.names = ""
        """Python that gives the page's blocks the names that they take for granted."""
        self.is_about_dev = False
        """Whether `scripts/dev` is to prepare the database, with items of the first users."""
        self._shell: Shell | None = None
        self._interpreter: Interpreter | None = None
        self._server: subprocess.Popen[str] | None = None
        self._serving = contextlib.ExitStack()
        self._port: int | None = None
        _copy_files(folder)
        _make_environment(folder)

    def close(self) -> None:
        self.stop_server()
        for terminal in (self._shell, self._interpreter):
            if terminal is not None:
                terminal.close()

    # What preparations use.

    def sh(self, block: str) -> str:
        """Run a shell block that must succeed; return what it printed."""
        code, output = self.run_shell(block)
        assert code == 0, output
        return output

    def write(self, path: str, text: str) -> None:
        """Make a file of the project, or add to the end of one.

        A project that has followed the page by itself has these names already: it skips the page.
        """
        if taken := _defined(PROJECT / path) & _names(text):
            pytest.skip(f"{path} of this project has {', '.join(sorted(taken))} already")
        file = self.folder / path
        if file.exists():
            self.append(path, text)
            return
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        self._changed()

    def append(self, path: str, text: str) -> None:
        """Add to the end of a file."""
        file = one_file(self.folder, path)
        file.write_text(f"{file.read_text(encoding='utf-8')}\n\n{text}", encoding="utf-8")
        self._changed()

    def change(self, path: str, line: str, text: str, *, keep: bool) -> None:
        """Put `text` below the first line of a file that reads `line`, or in its place."""
        file = one_file(self.folder, path)
        lines = file.read_text(encoding="utf-8").splitlines()
        place = next((i for i, one in enumerate(lines) if one.strip() == line.strip()), None)
        assert place is not None, f"{file.name} has no line {line!r}"
        indent = lines[place][: len(lines[place]) - len(lines[place].lstrip())]
        new = [f"{indent}{one}" if one else "" for one in text.splitlines()]
        lines[place : place + 1] = [lines[place], *new] if keep else new
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        self._changed()

    # What following a page uses.

    def run_shell(self, block: str, *, fails: bool = False) -> tuple[int, str]:
        self._end_interpreter()  # a migration would wait for its open transaction
        if self._shell is None:
            self._shell = Shell(self.folder, self._environment())
        code, output = self._shell.run(block, fails=fails)
        if code != 0 and not fails:
            self._shell.close()
            self._shell = None
        return code, output

    def run_python(self, block: str) -> tuple[int, str]:
        if self._interpreter is None:
            python = self.folder / ".venv" / "bin" / "python"
            self._interpreter = Interpreter(python, self.folder, self._environment())
            code, output = self._interpreter.run(self.names)
            assert code == 0, output
        return self._interpreter.run(block)

    def address(self) -> str:
        """Return where the server answers, which is started where none runs."""
        if self._server is None:
            self._start_server()
        return f"127.0.0.1:{self._port}"

    def stop_server(self) -> None:
        if self._server is not None:
            with self._serving:
                self._server.send_signal(signal.SIGINT)
                self._server.wait(timeout=30)
            self._server = None

    def _changed(self) -> None:
        """Let nothing go on that has imported the files as they were."""
        self.stop_server()
        self._end_interpreter()

    def _end_interpreter(self) -> None:
        if self._interpreter is not None:
            self._interpreter.close()
            self._interpreter = None

    def _environment(self) -> dict[str, str]:
        binaries = self.folder / ".venv" / "bin"
        environment = self.database.environment(**self.settings)
        environment.pop("COVERAGE_PROCESS_CONFIG", None)  # of no use where files change
        environment |= {
            "PATH": f"{binaries}{os.pathsep}{environment['PATH']}",
            # Files are replaced within the second: bytecode would be stale.
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONUNBUFFERED": "1",
        }
        return environment

    def _start_server(self) -> None:
        """Start the server: as `scripts/dev` where a page is about it, else what that becomes.

        After a change of files it is what the reloader of `scripts/dev` restarts.
        """
        program = [".venv/bin/fastapi", "dev", "app/main.py"]
        if self._port is None:
            if self.is_about_dev:
                program = ["scripts/dev"]
            with socket.create_server(("127.0.0.1", 0)) as free:
                self._port = free.getsockname()[1]
        log = self.folder / ".server.log"
        with log.open("w") as output:
            self._server = self._serving.enter_context(
                started(
                    [*program, "--port", str(self._port), "--no-reload"],
                    folder=self.folder,
                    environment=self._environment() | {"FASTAPI_ENV": "development"},
                    stdout=output,
                    stderr=subprocess.STDOUT,
                )
            )
        wait_until_serving(self._server, self._port, log)


def one_file(folder: Path, path: str) -> Path:
    """Return the one file of a project that `path` names, which may hold `*`."""
    found = sorted(folder.glob(path))
    assert len(found) == 1, f"{path} names {len(found)} files"
    return found[0]


def _defined(file: Path) -> set[str]:
    if not file.is_file() or file.suffix != ".py":
        return set()
    return _names(file.read_text(encoding="utf-8"))


def _names(python: str) -> set[str]:
    """Return the classes, functions and single names that a module's code defines."""
    names = set()
    for node in ast.parse(python).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return names


def _copy_files(folder: Path) -> None:
    listed = output_of(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], folder=PROJECT
    )
    for name in filter(None, listed.split("\0")):
        if (source := PROJECT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, folder / name)


def _make_environment(folder: Path) -> None:
    """Make a .venv that has the packages of this one, and looks as scripts/install leaves it."""
    shared = Path(sys.prefix)
    target = folder / ".venv"
    venv.create(target, symlinks=True)
    packages = next(target.glob("lib/python*/site-packages"))
    shared_packages = shared / packages.relative_to(target)
    # Of the shared environment's own .pth files none is read, so this project's code is not seen.
    (packages / "copy.pth").write_text(f"{folder}\n{shared_packages}\n")
    for program in _programs(shared / "bin"):
        copied = target / "bin" / program.name
        content = program.read_bytes()
        if content.startswith(b"#!"):
            copied.write_bytes(content.replace(bytes(shared), bytes(target)))
            copied.chmod(0o755)
        else:
            copied.symlink_to(program)
    for name in FORKED:
        program = target / "bin" / name
        write_asking_program(program, program.rename(target / name), folder)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    runtime, project, development = (
        hashlib.sha256((folder / name).read_bytes()).hexdigest()
        for name in ("requirements.txt", "pyproject.toml", "requirements-dev.txt")
    )
    stamp = f"{version} {runtime} {folder}\n{project}\n{development}\n"
    (target / "installed").write_text(stamp)


def _programs(folder: Path) -> Iterator[Path]:
    for program in folder.iterdir():
        is_python = program.name.startswith(("python", "activate", "Activate"))
        if program.is_file() and os.access(program, os.X_OK) and not is_python:
            yield program
