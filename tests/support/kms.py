"""A key management service on this machine, which answers like Vault's transit engine and can be made to fail."""

import base64
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM


class Kms:
    """Its one key never leaves it. `status` other than 200 is what it answers to every call."""

    def __init__(self, token: str) -> None:
        self.token = token
        self.status = 200
        self.calls: list[str] = []
        self.url = ""
        self._aead = AESGCM(os.urandom(32))

    def answer(self, path: str, token: str | None, body: dict[str, str]) -> tuple[int, Any]:
        """Status and content."""
        self.calls.append(path)
        if self.status != 200:
            return self.status, {"errors": ["told to"]}
        if token != self.token:
            return 403, {"errors": ["permission denied"]}
        bound = base64.b64decode(body["associated_data"])
        try:
            match path.split("/"):
                case ["", "v1", "transit", "encrypt", "passage"]:
                    nonce = os.urandom(12)
                    sealed = nonce + self._aead.encrypt(nonce, base64.b64decode(body["plaintext"]), bound)
                    return 200, {"data": {"ciphertext": f"vault:v1:{base64.b64encode(sealed).decode()}"}}
                case ["", "v1", "transit", "decrypt", "passage"]:
                    sealed = base64.b64decode(body["ciphertext"].removeprefix("vault:v1:"))
                    plain = self._aead.decrypt(sealed[:12], sealed[12:], bound)
                    return 200, {"data": {"plaintext": base64.b64encode(plain).decode()}}
                case _:
                    return 404, {"errors": []}
        except (InvalidTag, ValueError):
            return 400, {"errors": ["cipher: message authentication failed"]}

    @contextmanager
    def listening(self) -> Iterator["Kms"]:
        """Answers on 127.0.0.1 meanwhile."""
        kms = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                status, content = kms.answer(self.path, self.headers.get("X-Vault-Token"), body)
                written = json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(written)))
                self.end_headers()
                self.wfile.write(written)

            def log_message(self, *_: object) -> None:
                """Quiet."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{server.server_port}/v1/transit"
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()
