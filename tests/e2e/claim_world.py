"""What tests of the claim page share: an item that waits, its link, and the page as a browser without scripts gets it."""
import gzip
import html.parser
import http.client
import itertools
import ssl
import types
import urllib.parse

from harness import wait_until
from rest_world import SECONDS, SECRETS, add_client, batch_of, item
from world import cnic, iban, number

_batches = itertools.count(1)


class Fields(html.parser.HTMLParser):
    """A page's form as it would be sent as it stands; and what is in the page at all."""

    def __init__(self, text):
        super().__init__()
        self.values, self.invalid, self.tags, self.attributes, self.select = {}, [], [], [], None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]
        if "aria-invalid" in given:
            self.invalid.append(given["name"])
        if tag == "input" and (given.get("type") != "radio" or "checked" in given):
            self.values[given["name"]] = given.get("value", "")
        elif tag == "select":
            self.select = given["name"]
            self.values[self.select] = ""
        elif tag == "option" and "selected" in given:
            self.values[self.select] = given["value"]


def created(client, batch):
    """Taken, once the worker knows the platform's accounts: until then it is refused, and nothing is done."""
    wait_until(lambda: client.create(batch).status == 201, 20, "the batch to be taken")
    return client.call("GET", "/v1/payments/payouts?sender_batch_id=" + batch["sender_batch_header"]["sender_batch_id"]).json[
        "batch_header"]["payout_batch_id"]


class Waiting:
    """One item that waits for somebody unknown."""

    def __init__(self, world, platform=None, value="100.00", receiver=None, client=None, **batch):
        self.world = world
        self.platform = platform or world.platform()
        self.client = client or add_client(world, self.platform)
        self.receiver = receiver or "someone-%d@example.com" % number()
        self.batch_id = created(self.client, batch_of(item(self.receiver, value), sender_batch_id="claim-%d" % next(_batches), **batch))
        self.item = self.client.items(self.batch_id)[0]
        self.link = link_of(self.item)
        SECRETS.append(self.link.rsplit("/", 1)[1])

    def state(self):
        return self.client.items(self.batch_id)[0]["transaction_status"]

    def good(self, at, **changes):
        """A form in order, of an account at a bank; None leaves a field out."""
        fields = {"name": "Ayesha Khan", "iban": iban(at.code), "mobile": "", "bank": "", "cnic": cnic(), "channel": "export", "pseb": ""}
        fields.update(changes)
        return {k: v for k, v in fields.items() if v is not None}


def link_of(shown):
    links = [link["href"] for link in shown["links"] if link["rel"] == "claim"]
    return links[0] if links else None


def path_of(link):
    return urllib.parse.urlsplit(link).path


def ask(gateway, method, path, body=None, **headers):
    """One request of a browser's; the page."""
    context = ssl.create_default_context(cafile=str(gateway.pki.ca))
    context.set_alpn_protocols(["http/1.1"])
    connection = http.client.HTTPSConnection("localhost", gateway.port, timeout=SECONDS, context=context)
    if isinstance(body, dict):
        body = urllib.parse.urlencode(body)
        headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
    try:
        connection.request(method, path, body, {"Accept-Encoding": "gzip", **headers})
        response = connection.getresponse()
        wire = response.read()
    finally:
        connection.close()
    text = gzip.decompress(wire) if response.headers.get("Content-Encoding") == "gzip" else wire
    page = types.SimpleNamespace(status=response.status, headers=response.headers, text=text.decode().replace("\u00a0", " "), wire=len(wire))
    page.form = Fields(page.text)
    return page


def get(waiting, query="", **headers):
    return ask(waiting.world.gateway, "GET", path_of(waiting.link) + query, **headers)


def post(waiting, fields, query=""):
    return ask(waiting.world.gateway, "POST", path_of(waiting.link) + query, fields)
