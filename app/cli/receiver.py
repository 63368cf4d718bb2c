"""A subscriber for the demo: takes webhooks on a port of this machine and verifies them as any partner would."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from standardwebhooks import Webhook, WebhookVerificationError

LOOPBACK = "127.0.0.1"
_LONGEST_BODY = 1_000_000


class Receiver:
    """What has arrived, in order. Answers 200 only to what the official library verifies."""

    def __init__(self) -> None:
        """It knows no secret yet and believes nothing."""
        self.secret: str | None = None
        self.events: list[dict[str, object]] = []
        self.refused = 0
        self.url = ""

    def take(self, headers: dict[str, str], body: bytes) -> bool:
        """Whether the request is genuine; if so its event is kept."""
        if self.secret is None:
            return False
        try:
            Webhook(self.secret).verify(body, headers)
        except WebhookVerificationError:
            self.refused += 1
            return False
        event: dict[str, object] = json.loads(body)
        self.events.append(event)
        return True

    def find(self, kind: str, resource_id: str) -> dict[str, object] | None:
        """The first event of a kind about a resource."""
        for event in list(self.events):
            resource = event.get("resource")
            if event.get("type") == kind and isinstance(resource, dict) and resource.get("id") == resource_id:
                return event
        return None


@contextmanager
def receiving(receiver: Receiver) -> Iterator[Receiver]:
    """Serve a receiver on a free port."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = min(int(self.headers.get("content-length", "0")), _LONGEST_BODY)
            headers = {name.lower(): value for name, value in self.headers.items()}
            self.send_response(200 if receiver.take(headers, self.rfile.read(length)) else 400)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer((LOOPBACK, 0), Handler) as server:
        receiver.url = f"http://{LOOPBACK}:{server.server_address[1]}/"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield receiver
        finally:
            server.shutdown()
            thread.join()
