"""A directory that speaks LDAP's simple bind (RFC 4511, section 4.2) and nothing else, on loopback."""

import socketserver
import threading
from types import TracebackType

_BIND, _UNBIND, _SUCCESS, _WRONG_PASSWORD = 0x60, 0x42, 0, 49


class DirectoryServer:
    """Knows distinguished names with their passwords."""

    def __init__(self, passwords: dict[str, str]) -> None:
        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                while message := _message(self.request.recv(4096)):
                    number, operation, body = message
                    if operation != _BIND:
                        return
                    _version, body = _element(body)
                    name, body = _element(body)
                    password, _ = _element(body)
                    is_right = passwords.get(name.decode()) == password.decode()
                    code = _SUCCESS if is_right else _WRONG_PASSWORD
                    response = _tagged(0x61, bytes([0x0A, 1, code, 4, 0, 4, 0]))
                    self.request.sendall(_tagged(0x30, _tagged(2, number) + response))

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])

    def __enter__(self) -> "DirectoryServer":
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


def _message(data: bytes) -> tuple[bytes, int, bytes] | None:
    if not data:
        return None
    body, _ = _element(data)
    number, rest = _element(body)
    return number, rest[0], _element(rest)[0]


def _element(data: bytes) -> tuple[bytes, bytes]:
    """Return the content of the first BER element, and what follows it."""
    length, start = data[1], 2
    if length & 0x80:
        start += length & 0x7F
        length = int.from_bytes(data[2:start], "big")
    return data[start : start + length], data[start + length :]


def _tagged(tag: int, content: bytes) -> bytes:
    return bytes([tag, len(content)]) + content
