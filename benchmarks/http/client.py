"""The load: a process of its own that sends prepared requests over raw sockets, and times them.

It reads one order a line from stdin, as JSON, and answers each with one line on stdout. Every
connection sends its next request when it has the whole answer to the one before.
"""

import asyncio
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Order:
    """What to send where: each connection goes round `requests`, from a place of its own."""

    port: int
    requests: Sequence[str]
    connections: int
    seconds: float


async def _answer(reader: asyncio.StreamReader) -> bytes:
    """Read one answer to its end, and return its status; the application sends no chunks."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length:", 1)[1].split(b"\r", 1)[0])
    await reader.readexactly(length)
    return head[9:12]


async def _load(order: Order) -> dict[str, Any]:
    """Return how long it took, the milliseconds of each request, and other answers than 200."""
    requests = [request.encode() for request in order.requests]
    sockets = [
        await asyncio.open_connection("127.0.0.1", order.port) for _ in range(order.connections)
    ]
    taken: list[float] = []
    refused: dict[str, int] = {}
    began = time.perf_counter()
    end = began + order.seconds

    async def go_round(number: int) -> None:
        reader, writer = sockets[number]
        turn = number * len(requests) // order.connections
        while (sent := time.perf_counter()) < end:
            writer.write(requests[turn % len(requests)])
            status = await _answer(reader)
            taken.append((time.perf_counter() - sent) * 1000)
            if status != b"200":
                refused[status.decode()] = refused.get(status.decode(), 0) + 1
            turn += 1

    await asyncio.gather(*(go_round(number) for number in range(order.connections)))
    seconds = time.perf_counter() - began
    for _, writer in sockets:
        writer.close()
    return {"seconds": seconds, "milliseconds": taken, "refused": refused}


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(asyncio.run(_load(Order(**json.loads(line))))), flush=True)
