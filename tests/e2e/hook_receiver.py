"""A receiver of webhooks over HTTPS that can misbehave, and verifiers of both signatures: ours from docs/webhooks.md, PayPal's of our own."""
import base64
import collections
import functools
import http.server
import json
import re
import ssl
import threading
import time
import zlib

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from harness import ROOT


@functools.lru_cache
def page_verifier():
    """The function verify() of docs/webhooks.md, from its text: what the page tells people to run is what is run here."""
    page = (ROOT / "docs" / "webhooks.md").read_text()
    code, = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    names = {}
    exec(compile(code, "docs/webhooks.md", "exec"), names)
    return names["verify"]


def verify_standard(public_key, headers, body):
    """By the page. public_key: 32 bytes."""
    return page_verifier()("whpk_" + base64.b64encode(public_key).decode(), headers, body)


def verify_paypal(cert_pem, webhook_id, headers, body):
    """PayPal's own scheme: only a CRC32 of the body is signed."""
    signed = "%s|%s|%s|%d" % (headers["paypal-transmission-id"], headers["paypal-transmission-time"], webhook_id, zlib.crc32(body))
    assert headers["paypal-auth-algo"] == "SHA256withRSA"
    try:
        x509.load_pem_x509_certificate(cert_pem).public_key().verify(
            base64.b64decode(headers["paypal-transmission-sig"]), signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        return True
    except InvalidSignature:
        return False


class Receiver:
    """answer(path, body) says what to do with a request: a status, or a callable that is given the handler."""

    def __init__(self, cert, key, answer=lambda path, event: 200):
        self.answer, self.got, self.lock = answer, [], threading.Lock()
        self.busy, self.busiest = collections.Counter(), collections.Counter()
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {k.lower(): v for k, v in self.headers.items()}
                with receiver.lock:
                    receiver.busy[self.path] += 1
                    receiver.busiest[self.path] = max(receiver.busiest[self.path], receiver.busy[self.path])
                    receiver.got.append((self.path, headers, body, time.monotonic()))
                try:
                    said = receiver.answer(self.path, json.loads(body))
                finally:
                    with receiver.lock:
                        receiver.busy[self.path] -= 1
                if callable(said):
                    said(self)
                else:
                    self.send_response(said)
                    self.send_header("Content-Length", "0")
                    self.end_headers()

            do_GET = do_POST

            def log_message(self, *_):
                pass

            def handle(self):
                try:
                    super().handle()
                except (ConnectionError, ssl.SSLError, TimeoutError):
                    pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def get_request(self):
                raw, address = super().get_request()
                raw.settimeout(60)
                return receiver.context.wrap_socket(raw, server_side=True, do_handshake_on_connect=False), address

            def handle_error(self, *_):
                pass

        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(cert, key)
        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def url(self, path="/hook", host="localhost"):
        return "https://%s:%d%s" % (host, self.port, path)

    def events(self, path=None):
        """(id, type, item or batch) of what came, in the order it came."""
        with self.lock:
            got = list(self.got)
        told = []
        for to, _, body, _ in got:
            if path is None or to == path:
                e = json.loads(body)
                told.append((e["id"], e["event_type"].split(".", 1)[1], e["resource"].get("payout_item_id") or
                             e["resource"]["batch_header"]["payout_batch_id"]))
        return told

    def close(self):
        self.server.shutdown()
        self.server.server_close()
