"""A proxy on loopback that hands every request on and keeps those of one service, as they went over the wire."""

import contextlib
import http.client
import json
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

# What belongs to one connection, and is made anew for the next.
HOP = {"connection", "content-length", "host", "keep-alive", "transfer-encoding"}


@dataclass(frozen=True)
class Sent:
    """A request of the service, and the status of its answer."""

    operation: str
    body: bytes
    status: int

    @property
    def form(self) -> dict[str, str]:
        """The fields of a body that is a form, without what names the operation."""
        fields = parse_qs(self.body.decode(), keep_blank_values=True, strict_parsing=True)
        assert all(len(values) == 1 for values in fields.values()), "a field that stands twice"
        return {name: value for name, [value] in fields.items() if name not in ("Action", "Version")}


def operation_of(headers, body: bytes, service: str) -> str | None:
    """The operation of a request to a service, by its target's prefix or, for forms, by the name that it is signed for."""
    prefix, _, operation = headers.get("X-Amz-Target", "").partition(".")
    if prefix == service:
        return operation
    is_form = headers.get("Content-Type", "").startswith("application/x-www-form-urlencoded")
    is_signed = f"/{service}/aws4_request" in headers.get("Authorization", "")
    return parse_qs(body.decode())["Action"][0] if is_form and is_signed else None


@contextlib.contextmanager
def recording(upstream: str, service: str, instead: dict[str, dict] | None = None):
    """The address of the proxy, and the growing list of what was sent to a service.

    What is asked of the targets of `instead` is not handed on, but answered with what stands there.
    """
    to = urlsplit(upstream)
    kept: list[Sent] = []
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # An answer is sent whole: in two parts, the second waits for the first to be acknowledged.
        wbufsize = -1
        disable_nagle_algorithm = True

        def hand_on(self):
            assert "Transfer-Encoding" not in self.headers, "a body without a length"
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            told = (instead or {}).get(self.headers.get("X-Amz-Target", ""))
            if told is not None:
                self.answer(200, [("Content-Type", "application/x-amz-json-1.1")], json.dumps(told).encode())
                return
            headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP}
            beyond = http.client.HTTPConnection(to.hostname, to.port, timeout=60)
            try:
                beyond.request(self.command, self.path, body=body, headers=headers)
                answer = beyond.getresponse()
                said = answer.read()
            finally:
                beyond.close()
            operation = operation_of(self.headers, body, service)
            if operation:
                with lock:
                    kept.append(Sent(operation, body, answer.status))
            self.answer(answer.status, answer.getheaders(), said)

        def answer(self, status, headers, said: bytes):
            self.send_response(status)
            for name, value in headers:
                if name.lower() not in HOP:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        do_GET = do_POST = do_PUT = do_DELETE = hand_on

        def log_message(self, *_):
            """Says nothing: what failed is in the test."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", kept
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
