"""The port: kept between runs while it is free."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

HOST = "127.0.0.1"


def choose_port(memory: Path) -> int:
    """The port remembered in the file `memory` while it is free, else a new one, remembered.

    Another program may still take it before the server does.
    """
    try:
        remembered = int(memory.read_text(encoding="utf-8", errors="replace"))
    except (FileNotFoundError, ValueError):
        remembered = 0
    port = (_free(remembered) if 1024 <= remembered < 65536 else None) or _free(0)
    if port is None:
        raise OSError(f"no TCP port is free on {HOST}")
    if port != remembered:
        memory.write_text(f"{port}\n", encoding="utf-8")
    return port


def _free(port: int) -> int | None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        if sys.platform != "win32":
            # As PostgreSQL does: connections that linger from the last run take no port away.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return None
        return int(probe.getsockname()[1])
