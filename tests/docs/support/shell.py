"""A shell and an interpreter that stay, as the terminal of somebody who follows a page does."""

import subprocess
import threading
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import IO
from uuid import uuid4

from tests.support.processes import kill_group, started

_PATIENCE = 60  # seconds for one block

# Blocks arrive as files: what a block prints or reads cannot be taken for the next one.
_PYTHON = """
import sys, traceback
names = {"__name__": "__main__"}
for line in sys.stdin:
    file, mark = line.split("\\t")
    code = 0
    try:
        exec(compile(open(file, encoding="utf-8").read(), file, "exec"), names)
    except BaseException:
        traceback.print_exc(file=sys.stdout)
        code = 1
    print(f"\\n{mark.strip()} {code}", flush=True)
"""


class Terminal:
    """One long-lived program that is given blocks and tells the exit code of each."""

    def __init__(self, command: list[str], folder: Path, environment: Mapping[str, str]) -> None:
        self._stack = ExitStack()
        self._process = self._stack.enter_context(
            started(
                command,
                folder=folder,
                environment=environment,
                stdin=subprocess.PIPE,
                stderr=subprocess.STDOUT,
            )
        )

    def close(self) -> None:
        self._stack.close()

    def tell(self, line: str, mark: str) -> tuple[int, str]:
        """Send a line, and return the code and the output that end with `mark`.

        What takes too long is killed, with a code that is not 0: it waits for a lock, or for input.
        """
        patience = threading.Timer(_PATIENCE, self._give_up)
        patience.start()
        try:
            return self._tell(line, mark)
        finally:
            patience.cancel()

    def _give_up(self) -> None:
        kill_group(self._process)

    def _tell(self, line: str, mark: str) -> tuple[int, str]:
        print(line, file=_open(self._process.stdin), flush=True)
        lines: list[str] = []
        for answer in _open(self._process.stdout):
            if answer.startswith(mark):
                return int(answer.split()[1]), "".join(lines).removesuffix("\n")
            lines.append(answer)
        return self._process.wait(), "".join(lines)


class Shell(Terminal):
    """A bash in which each command of a block must succeed."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        super().__init__(["bash", "--noprofile", "--norc"], folder, environment)
        self._folder = folder

    def run(self, block: str, *, fails: bool = False) -> tuple[int, str]:
        """Run a block, and return its exit code and what it printed.

        After a block that ends the shell, as a failing command does, this one is of no more use.
        """
        mark = f"end-of-block-{uuid4().hex}"
        file = self._folder / f".{mark}"
        file.write_text(block, encoding="utf-8")
        source = f"source {_quoted(file)} </dev/null"
        run = f"( set -eo pipefail; {source} )" if fails else f"set -eo pipefail; {source}; set +e"
        code, output = self.tell(f"{run}; printf '\\n{mark} %s\\n' $?", mark)
        file.unlink()
        return code, output


class Interpreter(Terminal):
    """A Python whose names stay from block to block."""

    def __init__(self, python: Path, folder: Path, environment: Mapping[str, str]) -> None:
        super().__init__([str(python), "-c", _PYTHON], folder, environment)
        self._folder = folder

    def run(self, block: str) -> tuple[int, str]:
        """Run a block, and return 0 or 1 and what it printed, a traceback among it."""
        mark = f"end-of-block-{uuid4().hex}"
        file = self._folder / f".{mark}"
        file.write_text(block, encoding="utf-8")
        code, output = self.tell(f"{file}\t{mark}", mark)
        file.unlink()
        return code, output


def _quoted(file: Path) -> str:
    return "'" + str(file).replace("'", "'\\''") + "'"


def _open(stream: IO[str] | None) -> IO[str]:
    assert stream is not None
    return stream
