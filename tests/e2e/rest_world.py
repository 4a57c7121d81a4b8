"""A stock client of the REST API: Python's http.client over real TLS, as a platform's program would have it.

Every answer that comes through Rest.call is held against docs/openapi.yaml: its path, method, status and body.
"""
import base64
import functools
import http.client
import json
import re
import ssl
import types
import urllib.parse

import jsonschema
import yaml

from harness import PATIENCE, ROOT, wait_until

SECONDS = 30 * PATIENCE
SECRETS = []  # whatever no log may show


# ---------------------------------------------------------------- the description
class OpenApi:
    """docs/openapi.yaml, as far as it says what an answer looks like (OpenAPI 3.1: its schemas are JSON Schema 2020-12)."""

    def __init__(self, path=ROOT / "docs" / "openapi.yaml"):
        self.document = yaml.safe_load(path.read_text())
        self.paths = [(re.compile(re.sub(r"\\{[^}]+\\}", "[^/]+", re.escape(p)) + r"\Z"), p, item)
                      for p, item in self.document["paths"].items()]

    def operation(self, method, path):
        path = urllib.parse.urlsplit(path).path.rstrip("/&")
        for pattern, name, item in self.paths:
            if pattern.match(path):
                return name, item.get(method.lower())
        return None, None

    def resolve(self, node):
        while "$ref" in node:
            found = self.document
            for key in node["$ref"].lstrip("#/").split("/"):
                found = found[key]
            node = found
        return node

    def check(self, method, path, status, content_type, body):
        name, operation = self.operation(method, path)
        if operation is None:
            schema = {"$ref": "#/components/schemas/Error"}  # there is no such thing: errors have one shape
            assert status in (401, 404, 405), (method, path, status)
        else:
            response = operation["responses"].get(str(status), operation["responses"].get("default"))
            assert response is not None, "%s %s: %d is not described" % (method, name, status)
            content = self.resolve(response).get("content")
            if content is None:
                assert not body, (method, name, status, body)
                return
            assert content_type == "application/json" and content_type in content, (method, name, status, content_type)
            schema = content[content_type]["schema"]
        validator = jsonschema.Draft202012Validator({**schema, "components": self.document["components"]})
        faults = ["%s: %s" % ("/".join(map(str, e.absolute_path)), e.message) for e in validator.iter_errors(json.loads(body))]
        assert not faults, "%s %s answered %d with what docs/openapi.yaml does not describe:\n%s\n%s" % (
            method, path, status, "\n".join(faults[:5]), body[:2000])


@functools.lru_cache
def openapi():
    return OpenApi()


# ---------------------------------------------------------------- a client
class Rest:
    """One client: an id and a secret, a token that it fetches, a connection that it keeps."""

    def __init__(self, gateway, client_id=None, secret=None):
        self.gateway, self.client_id, self.secret, self.token = gateway, client_id, secret, None
        SECRETS.extend(s for s in (secret,) if s)
        context = ssl.create_default_context(cafile=str(gateway.pki.ca))
        context.set_alpn_protocols(["http/1.1"])
        self.connection = http.client.HTTPSConnection("localhost", gateway.port, timeout=SECONDS, context=context)

    def close(self):
        self.connection.close()

    def raw(self, method, path, body=None, headers=None):
        """A request as it is said; the answer, held against the description."""
        try:
            self.connection.request(method, path, body, headers or {})
            response = self.connection.getresponse()
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
            self.connection.close()  # it was idle, or the last answer closed it
            self.connection.request(method, path, body, headers or {})
            response = self.connection.getresponse()
        text = response.read()
        answer = types.SimpleNamespace(status=response.status, headers=response.headers, text=text,
                                       json=json.loads(text) if text else None)
        if method != "HEAD":
            openapi().check(method, path, response.status, response.headers.get("Content-Type"), text)
        if answer.status >= 400:
            # what the transport itself refuses has it in the body alone
            own = answer.json["name"] not in ("MALFORMED_REQUEST", "MESSAGE_TOO_LARGE")
            assert response.headers.get("PayPal-Debug-Id", None if own else answer.json["debug_id"]) == answer.json["debug_id"]
            assert re.fullmatch("[0-9a-f]{13}", answer.json["debug_id"])
        return answer

    def basic(self):
        return "Basic " + base64.b64encode(("%s:%s" % (self.client_id, self.secret)).encode()).decode()

    def ask_token(self, grant="grant_type=client_credentials", authorization=None):
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        if authorization is None:
            authorization = self.basic()
        if authorization:
            headers["Authorization"] = authorization
        return self.raw("POST", "/v1/oauth2/token", grant, headers)

    def login(self):
        answer = self.ask_token()
        assert answer.status == 200, answer.text
        self.token = answer.json["access_token"]
        SECRETS.append(self.token)
        return self

    def call(self, method, path, body=None, request_id=None, **headers):
        """body: bytes as they are, anything else as JSON."""
        if self.token:
            headers.setdefault("Authorization", "Bearer " + self.token)
        if request_id is not None:
            headers["PayPal-Request-Id"] = request_id
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        if body is not None:
            headers.setdefault("Content-Type", "application/json")
        return self.raw(method, path, body, headers)

    # ------------------------------------------------------------ payouts
    def create(self, batch, **options):
        return self.call("POST", "/v1/payments/payouts", batch, **options)

    def created(self, batch, **options):
        """The id of a batch that must be taken."""
        answer = self.create(batch, **options)
        assert answer.status == 201, answer.text
        assert answer.json["batch_header"]["batch_status"] == "PENDING"
        return answer.json["batch_header"]["payout_batch_id"]

    def batch(self, batch_id, query=""):
        return self.call("GET", "/v1/payments/payouts/%s%s" % (batch_id, query))

    def items(self, batch_id):
        answer = self.batch(batch_id)
        assert answer.status == 200, answer.text
        return answer.json["items"]

    def item(self, item_id):
        return self.call("GET", "/v1/payments/payouts-item/" + item_id)

    def cancel(self, item_id):
        return self.call("POST", "/v1/payments/payouts-item/%s/cancel" % item_id)


def item(receiver="someone@example.com", value="10.00", currency="USD", **fields):
    return {"receiver": receiver, "amount": {"currency": currency, "value": value}, **fields}


def batch_of(*items, sender_batch_id=None, **header):
    if sender_batch_id is not None:
        header["sender_batch_id"] = sender_batch_id
    return {"sender_batch_header": header, "items": list(items)}


def add_client(world, platform, *options):
    """A new client of the platform's, logged in."""
    out = json.loads(world.gateway.ujrat("rest", "client", "add", platform.code, "--json", *options))[0]
    client = Rest(world.gateway, out["client_id"], out["client_secret"])
    wait_until(lambda: client.ask_token().status == 200, 15, "a new client to be known")
    return client.login()
