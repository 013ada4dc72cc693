"""A mail server on the loopback interface that keeps every e-mail it takes."""

import email
import email.policy
import socketserver
import threading
from email.message import EmailMessage
from types import TracebackType
from typing import Self, cast

_GREETING = b"220 ready\r\n"
_ANSWERS = {
    b"EHLO": b"250-tests\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n",
    b"DATA": b"354 go on\r\n",
    b"QUIT": b"221 bye\r\n",
}
_OK = b"250 OK\r\n"


class _Conversation(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        self.wfile.write(_GREETING)
        while line := self.rfile.readline():
            command = line[:4].upper()
            self.wfile.write(_ANSWERS.get(command, _OK))
            if command == b"DATA":
                self._take_message()
            elif command == b"QUIT":
                return

    def _take_message(self) -> None:
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            lines.append(line.removeprefix(b"."))
        message = email.message_from_bytes(b"".join(lines), policy=email.policy.SMTPUTF8)
        cast(_Server, self.server).taken.append(message)
        self.wfile.write(_OK)


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = True
    taken: list[EmailMessage]


class MailServer:
    """Listens while entered. It offers neither TLS nor a login."""

    def __enter__(self) -> Self:
        self._server = _Server(("127.0.0.1", 0), _Conversation)
        self.taken: list[EmailMessage] = []
        self._server.taken = self.taken
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def settings(self) -> dict[str, object]:
        """Return the settings with which the application sends its e-mails here."""
        return {
            "SMTP_HOST": "127.0.0.1",
            "SMTP_PORT": self._server.server_address[1],
            "SMTP_TLS": False,
            "EMAILS_FROM_EMAIL": "robot@example.com",
        }
