"""A real browser by the WebDriver protocol, which is JSON over HTTP: Debian's chromium and chromium-driver, and no library more."""
import base64
import json
import pathlib
import shutil
import subprocess
import tempfile
import urllib.error
import urllib.request

from harness import PATIENCE, wait_until

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # W3C WebDriver, section 12.1: the key of a reference


def missing():
    """What of a browser is not installed; empty: nothing."""
    return [name for name in ("chromium", "chromedriver") if shutil.which(name) is None]


class Browser:
    """Headless, with a screen of its own size."""

    def __init__(self, width=360, height=740, language="en"):
        self.folder = tempfile.mkdtemp(prefix="browser.")
        self.driver = subprocess.Popen(["chromedriver", "--port=0"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                       stderr=subprocess.DEVNULL, text=True)
        port = next(line.split("port ")[-1].strip(" .\n") for line in self.driver.stdout if "successfully on port" in line)
        self.base = "http://127.0.0.1:" + port
        options = {
            "args": ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--no-proxy-server",
                     "--disable-background-networking", "--disable-component-update", "--hide-scrollbars",
                     "--user-data-dir=" + self.folder, "--lang=" + language],
            "mobileEmulation": {"deviceMetrics": {"width": width, "height": height, "pixelRatio": 2.0}},
        }
        try:
            answer = self.say("POST", "/session", {"capabilities": {"alwaysMatch": {
                "browserName": "chrome", "acceptInsecureCerts": True, "goog:chromeOptions": options}}})
        except BaseException:
            self.close_driver()
            raise
        self.base += "/session/" + answer["sessionId"]

    def say(self, method, path, body=None):
        request = urllib.request.Request(self.base + path, method=method, headers={"Content-Type": "application/json"},
                                         data=None if body is None else json.dumps(body).encode())
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=60 * PATIENCE) as response:
                return json.load(response)["value"]
        except urllib.error.HTTPError as error:
            raise AssertionError("%s %s: %s" % (method, path, error.read().decode()[:600])) from None

    def open(self, url):
        self.say("POST", "/url", {"url": url})

    def find_all(self, css):
        return [found[ELEMENT] for found in self.say("POST", "/elements", {"using": "css selector", "value": css})]

    def find(self, css):
        return wait_until(lambda: self.find_all(css), 20, css)[0]

    def type(self, css, text):
        element = self.find(css)
        self.say("POST", "/element/%s/clear" % element, {})
        self.say("POST", "/element/%s/value" % element, {"text": text})

    def click(self, css):
        self.say("POST", "/element/%s/click" % self.find(css), {})

    def text(self, css="main"):
        return self.say("GET", "/element/%s/text" % self.find(css))

    def value(self, css):
        return self.say("GET", "/element/%s/property/value" % self.find(css))

    def rectangle(self, css):
        return self.say("GET", "/element/%s/rect" % self.find(css))

    def style(self, css, name):
        return self.say("GET", "/element/%s/css/%s" % (self.find(css), name))

    def screenshot(self, path):
        pathlib.Path(path).write_bytes(base64.b64decode(self.say("GET", "/screenshot")))

    def close_driver(self):
        self.driver.terminate()
        self.driver.wait(20)
        self.driver.stdout.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def close(self):
        try:
            self.say("DELETE", "")
        finally:
            self.close_driver()
