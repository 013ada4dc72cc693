"""A TCP proxy on loopback that counts round trips, adds latency, and fails when it is told to."""

import asyncio
import contextlib
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from sqlalchemy import URL

_CHUNK = 65536


@dataclass
class _Client:
    """One client's connection: who spoke last, and how many more bytes of answers it gets."""

    answered: bool = True
    cut_after: int | None = None


@dataclass
class Proxy:
    """Forwards between its own port and `url`'s server, in a thread of its own.

    A flight is what a client sends before it waits for an answer: as many flights, as many round
    trips. `delay` is in seconds, for each direction: a network's latency, not its bandwidth.
    Use as a context manager.
    """

    url: URL
    delay: float = 0.0
    flights: int = 0
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    _clients: list[_Client] = field(default_factory=list)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _asked: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        self._answers = asyncio.Event()
        self._answers.set()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        start = asyncio.start_server(self._serve, "127.0.0.1", 0)
        self._server = asyncio.run_coroutine_threadsafe(start, self._loop).result()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def through(self, url: URL) -> URL:
        """Return `url` with this proxy in the server's place."""
        port: int = self._server.sockets[0].getsockname()[1]
        return url.set(host="127.0.0.1", port=port)

    @contextmanager
    def holding_answers(self) -> Iterator[threading.Event]:
        """Keep the server's answers back; yield an event that is set once a client has asked."""
        self._asked.clear()
        self._loop.call_soon_threadsafe(self._answers.clear)
        try:
            yield self._asked
        finally:
            self._loop.call_soon_threadsafe(self._answers.set)

    def cut_after(self, answer_bytes: int) -> None:
        """Close every connection that is open now once the server has sent it so many bytes."""

        def mark() -> None:
            for client in self._clients:
                client.cut_after = answer_bytes

        self._loop.call_soon_threadsafe(mark)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        client = _Client()
        task = asyncio.current_task()
        assert task is not None
        self._clients.append(client)
        self._tasks.add(task)
        try:
            upstream, to_server = await asyncio.open_connection(self.url.host, self.url.port)
            with contextlib.closing(to_server):
                await _first_to_end(
                    self._forward(client, reader, to_server, asking=True),
                    self._forward(client, upstream, writer, asking=False),
                )
        except (ConnectionError, asyncio.CancelledError):
            pass  # either side may hang up at any time, and so may the test
        finally:
            writer.close()
            self._clients.remove(client)
            self._tasks.discard(task)

    async def _forward(
        self,
        client: _Client,
        source: asyncio.StreamReader,
        target: asyncio.StreamWriter,
        *,
        asking: bool,
    ) -> None:
        """Forward until `source` ends; each chunk arrives `delay` after it was sent, in order."""
        under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

        async def receive() -> None:
            try:
                while chunk := await source.read(_CHUNK):
                    if asking and client.answered:
                        self.flights += 1
                        self._asked.set()
                    client.answered = not asking
                    under_way.put_nowait((self._loop.time() + self.delay, chunk))
            finally:
                under_way.put_nowait((0, b""))

        async def deliver() -> None:
            while (item := await under_way.get())[1]:
                due, chunk = item
                await asyncio.sleep(due - self._loop.time())
                if not asking:
                    await self._answers.wait()
                    chunk, cut = _until_cut(client, chunk)
                    target.write(chunk)
                    if cut:
                        return
                else:
                    target.write(chunk)
                await target.drain()

        receiver = asyncio.ensure_future(receive())
        try:
            await deliver()
        finally:
            receiver.cancel()
            await asyncio.gather(receiver, return_exceptions=True)

    async def _stop(self) -> None:
        self._server.close()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _until_cut(client: _Client, chunk: bytes) -> tuple[bytes, bool]:
    """Return what of an answer is still to be delivered, and whether the connection ends there."""
    if client.cut_after is None:
        return chunk, False
    if client.cut_after <= len(chunk):
        return chunk[: client.cut_after], True
    client.cut_after -= len(chunk)
    return chunk, False


async def _first_to_end(*coroutines: Coroutine[None, None, None]) -> None:
    """Run all, and cancel the others when one ends."""
    tasks = [asyncio.ensure_future(each) for each in coroutines]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
