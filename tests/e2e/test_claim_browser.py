"""The claim page in a real browser: on a small phone and a wide screen, in both languages."""
import os
import pathlib

import pytest

from browser import Browser, missing
from claim_world import Waiting
from harness import wait_until
from world import iban

pytestmark = pytest.mark.skipif(bool(missing()), reason="NOT TESTED in a browser: %s is not installed (make deps installs both)" % " and ".join(missing()))


@pytest.fixture(scope="module")
def world(new_world):
    return new_world(rest="true", unclaimed_sweep="1h")


@pytest.fixture(scope="module")
def bank(world):
    return world.bank()


@pytest.fixture
def open_browser():
    opened = []

    def make(*arguments, **options):
        opened.append(Browser(*arguments, **options))
        return opened[-1]

    yield make
    for browser in opened:
        browser.close()


def look(browser, name):
    """A picture for people, if UJRAT_SCREENSHOTS names a folder."""
    folder = os.environ.get("UJRAT_SCREENSHOTS")
    if folder:
        browser.screenshot(pathlib.Path(folder) / (name + ".png"))


def fill(browser, bank, **changes):
    fields = {"name": "Ayesha Khan", "iban": iban(bank.code), "cnic": "42101-1234567-1", **changes}
    for field, text in fields.items():
        browser.type("#" + field, text)


@pytest.mark.parametrize("language, direction, other", [("en", "ltr", "ur"), ("ur", "rtl", "en")])
def test_a_freelancer_claims_on_a_small_phone(world, bank, open_browser, language, direction, other):
    waiting = Waiting(world, value="1250.00")
    browser = open_browser(360, 740)
    browser.open(waiting.link + "?lang=" + other)
    browser.click("header a")  # to the language they read
    wait_until(lambda: browser.find_all("html[lang=%s]" % language), 10, "the other language")
    assert browser.style("body", "direction") == direction
    assert "USD 1,250.00" in browser.text() and "PKR" in browser.text()
    assert browser.rectangle("main")["width"] <= 360 and browser.rectangle("body")["width"] <= 360, "it scrolls sideways"
    assert browser.style("main", "border-top-width") == "4px", "the style does not apply"
    for css in ("button", "#iban", "#cnic", "summary", "header a"):
        assert browser.rectangle(css)["height"] >= 40, css + " is too small for a thumb"
    look(browser, "form-" + language)
    fill(browser, bank, iban="PK00" + iban(bank.code)[4:], cnic="12345")
    browser.click("button")
    browser.find("#iban[aria-invalid]")
    assert len(browser.find_all("[aria-invalid]")) == 2 and len(browser.find_all("fieldset.bad")) == 1
    assert browser.value("#name") == "Ayesha Khan" and browser.value("#cnic") == "12345", "what was typed is kept"
    assert waiting.state() == "UNCLAIMED"
    look(browser, "faults-" + language)
    fill(browser, bank)
    browser.click("input[value=export]")
    browser.click("button")
    browser.find("table")
    look(browser, "done-" + language)
    payout = waiting.client.items(waiting.batch_id)[0]
    assert payout["transaction_status"] == "PENDING"
    net = "{:,.2f}".format(float(payout["currency_conversion"]["to_amount"]["value"]))
    assert net in browser.text() and payout["payout_item_id"] in browser.text()
    browser.open(waiting.link + "?lang=" + language)
    assert net in browser.text() and not browser.find_all("form")
    look(browser, "claimed-" + language)


def test_by_raast_alias_and_on_a_wide_screen(world, bank, open_browser):
    waiting = Waiting(world)
    browser = open_browser(1280, 1000)
    browser.open(waiting.link)
    look(browser, "wide-en")
    browser.click("form summary")
    browser.type("#name", "Ayesha Khan")
    browser.type("#mobile", "0300 1234567")
    browser.click("#bank option[value=%s]" % bank.code)
    browser.type("#cnic", "4210112345671")
    browser.click("input[value=remittance]")
    look(browser, "alias-en")
    browser.click("button")
    browser.find("table")
    assert waiting.state() == "PENDING"
    assert world.value("SELECT v.channel FROM beneficiary_version v JOIN book b USING (book_id) WHERE b.code = %s", waiting.platform.code) == 2
