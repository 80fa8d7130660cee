"""A proxy on loopback that hands every request on and keeps those of one service, as they went over the wire."""

import contextlib
import http.client
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

# What belongs to one connection, and is made anew for the next.
HOP = {"connection", "content-length", "host", "keep-alive", "transfer-encoding"}


@dataclass(frozen=True)
class Sent:
    """A request of the service, and the status of its answer."""

    operation: str
    body: bytes
    status: int


@contextlib.contextmanager
def recording(upstream: str, service: str):
    """The address of the proxy, and the growing list of what was sent to a service by its target prefix."""
    to = urlsplit(upstream)
    kept: list[Sent] = []
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def hand_on(self):
            assert "Transfer-Encoding" not in self.headers, "a body without a length"
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP}
            beyond = http.client.HTTPConnection(to.hostname, to.port, timeout=60)
            try:
                beyond.request(self.command, self.path, body=body, headers=headers)
                answer = beyond.getresponse()
                said = answer.read()
            finally:
                beyond.close()
            prefix, _, operation = self.headers.get("X-Amz-Target", "").partition(".")
            if prefix == service:
                with lock:
                    kept.append(Sent(operation, body, answer.status))
            self.send_response(answer.status)
            for name, value in answer.getheaders():
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
