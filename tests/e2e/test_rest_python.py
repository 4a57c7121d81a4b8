"""A plain Python client of the REST API, with nothing but urllib: hrefs as they are given, a token that expires in the middle of a run,
answers that are compressed."""
import base64
import gzip
import json
import ssl
import time
import urllib.error
import urllib.request

from harness import PATIENCE
from rest_world import add_client
from world import price

TOKEN_SECONDS = 3


class Client:
    def __init__(self, gateway, client_id, secret):
        self.base, self.logins = "https://" + gateway.address, 0
        self.basic = "Basic " + base64.b64encode(("%s:%s" % (client_id, secret)).encode()).decode()
        self.tls = ssl.create_default_context(cafile=str(gateway.pki.ca))
        self.token = None

    def once(self, method, url, body, headers):
        request = urllib.request.Request(url, body, {"Accept-Encoding": "gzip", **headers}, method=method)
        try:
            answer = urllib.request.urlopen(request, timeout=60 * PATIENCE, context=self.tls)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            text = answer.read()
            if answer.headers.get("Content-Encoding") == "gzip":
                text = gzip.decompress(text)
            return answer.status, json.loads(text)

    def ask(self, method, url, body=None, **headers):
        """With a new token when there is none or it is refused; the request is the same again."""
        url = url if url.startswith("https:") else self.base + url
        body = body if body is None else json.dumps(body).encode()
        for _ in range(3):
            if self.token is None:
                status, answer = self.once("POST", self.base + "/v1/oauth2/token", b"grant_type=client_credentials", {
                    "Authorization": self.basic, "Content-Type": "application/x-www-form-urlencoded"})
                assert status == 200 and answer["expires_in"] == TOKEN_SECONDS, answer
                self.token, self.logins = answer["access_token"], self.logins + 1
            status, answer = self.once(method, url, body, {"Authorization": "Bearer " + self.token, "Content-Type": "application/json", **headers})
            if status != 401:
                return status, answer
            assert (answer["name"], answer["error"]) == ("AUTHENTICATION_FAILURE", "invalid_token")
            self.token = None
        raise AssertionError("no token was good for long enough")


def test_a_run_goes_on_when_its_token_expires(new_world):
    world = new_world(rest=True, rest_token_ttl="%ds" % TOKEN_SECONDS)
    platform, bank = world.platform(), world.bank()
    number = platform.register(bank).name.rsplit("/", 1)[1]
    known = add_client(world, platform)
    client = Client(world.gateway, known.client_id, known.secret)

    def batch(name, n):
        return {"sender_batch_header": {"sender_batch_id": name}, "items": [
            {"recipient_type": "PAYPAL_ID", "receiver": number, "amount": {"currency": "USD", "value": "10.00"}, "sender_item_id": "%s-%d" % (name, i)}
            for i in range(n)]}

    headers = {"PayPal-Request-Id": "run-1"}
    status, first = client.ask("POST", "/v1/payments/payouts", batch("run-1", 7), **headers)
    assert status == 201
    seen, url, fetched = [], first["links"][0]["href"] + "?page_size=3&total_required=true", 0
    while url:  # each page with a token that was good for the one before
        status, page = client.ask("GET", url)
        assert status == 200 and page["total_pages"] == 3
        seen += [i["payout_item"]["sender_item_id"] for i in page["items"]]
        fetched += 1
        url = next((link["href"] for link in page["links"] if link["rel"] == "next"), None)
        time.sleep(TOKEN_SECONDS + 1.1)
    assert seen == ["run-1-%d" % i for i in range(7)] and fetched == 3 and client.logins >= 3
    logins = client.logins
    status, again = client.ask("POST", "/v1/payments/payouts", batch("run-1", 7), **headers)
    assert (status, again) == (201, first) and client.logins > logins
    time.sleep(TOKEN_SECONDS + 1.1)
    assert client.ask("POST", "/v1/payments/payouts", batch("run-2", 1))[0] == 201
    status, refused = client.ask("POST", "/v1/payments/payouts", batch("run-2", 1))
    assert (status, refused["name"]) == (400, "USER_BUSINESS_ERROR")
    assert client.ask("GET", refused["links"][0]["href"])[1]["batch_header"]["sender_batch_header"] == {"sender_batch_id": "run-2"}
    assert world.rows("SELECT gross, net FROM payout") == [(1000, price(1000).net)] * 8
