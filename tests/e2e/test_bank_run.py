"""The sandbox bank against a real gateway: each behaviour of its script, what the gateway says to it, and its own books,
which must agree with ours whatever was done to it."""

import json
import re
import signal
import subprocess
import time

import pytest

from harness import BIN, wait_until
from sandbox import INSTRUCTED, REJECTED, RETURNED, SETTLED, Sandbox, minor, said
from world import iban


@pytest.fixture(scope="module")
def platform(world):
    return world.platform(USD=100_000_000)


@pytest.fixture
def sandbox(world, platform, tmp_path):
    made = Sandbox(world, tmp_path, platform)
    yield made
    made.end_all()


def states(sandbox):
    return sorted(p[0] for p in sandbox.payouts().values())


# ---------------------------------------------------------------- each behaviour
def test_rules_go_by_number_amount_and_account(sandbox):
    sandbox.pay(10_000, 10_000, 10_000)
    sandbox.pay(500_000)
    sandbox.pay(20_000, iban=iban(sandbox.bank.code, "0000000000004477"))
    sandbox.pay(20_000)
    bank = sandbox.start("number 2: reject AC01\namount 1000000..: reject AG01 # large\niban 4477: accept, return MD07\nany: accept\n")
    books = sandbox.wait(6)
    assert bank.end()[0] == 0
    by_number = sorted(books["instructions"], key=lambda i: i["number"])
    assert [i["answer"] for i in by_number] == ["PAID", "REJECTED", "PAID", "REJECTED", "PAID", "PAID"]
    assert [e["code"] for e in books["entries"] if e["kind"] != "PAID"] == ["AC01", "AG01", "MD07"]
    assert states(sandbox) == [SETTLED] * 3 + [REJECTED] * 2 + [RETURNED]
    sandbox.assert_agreed()


def test_whatever_is_wrong_is_refused_and_the_reason_is_told(sandbox):
    sandbox.pay(10_000)
    bank = sandbox.start("any: wrong-amount, wrong-currency, unknown, accept, again, contradict, return-more, return, "
                         "return-again, again, contradict\n")
    books = sandbox.wait(1)
    code, out, err = bank.end()
    assert (code, err) == (0, "")
    told = said(out)
    assert [word for word, _ in told] == ["refused", "refused", "refused", "SETTLED", "again", "refused", "refused", "RETURNED",
                                          "RETURNED", "again", "refused"]
    reasons = [re.search(r"as expected of (\S+): (\w+): \S", rest).groups() for word, rest in told if word == "refused"]
    assert reasons[:4] == [("wrong-amount", "FIELD_INVALID"), ("wrong-currency", "CURRENCY_MISMATCH"), ("unknown", "INSTRUCTION_NOT_FOUND"),
                           ("contradict", "ALREADY_CONFIRMED_DIFFERENTLY")]
    assert reasons[4][0] == "return-more" and reasons[4][1] in ("FIELD_INVALID", "AMOUNT_OVER_LIMIT")
    assert reasons[5] == ("contradict", "ALREADY_CONFIRMED_DIFFERENTLY")
    assert books["totals"]["surprises"] == 0
    assert [e["kind"] for e in books["entries"]] == ["PAID", "RETURNED"], "what is wrong is in no books"
    sandbox.assert_agreed()


def test_a_rejection_is_said_twice_and_cannot_be_taken_back(sandbox):
    sandbox.pay(10_000, 20_000)
    bank = sandbox.start("any: reject, again, contradict")
    sandbox.wait(2)
    code, out, err = bank.end()
    assert (code, err) == (0, "")
    assert sorted(word for word, _ in said(out)) == ["REJECTED"] * 2 + ["again"] * 2 + ["refused"] * 2
    assert states(sandbox) == [REJECTED] * 2
    sandbox.assert_agreed()


def test_waiting_for_time_and_for_further_instructions(sandbox):
    sandbox.pay(10_000)
    bank = sandbox.start("number 1: accept, wait 3, return\nnumber 2: wait 300ms, accept\nany: accept")
    wait_until(lambda: states(sandbox) == [SETTLED], 20, "the first to be paid")
    sandbox.pay(10_000, 10_000)
    wait_until(lambda: states(sandbox) == [SETTLED] * 3, 20, "three to be paid")
    assert not sandbox.finished(3)(), "two more are not three"
    sandbox.pay(10_000)
    sandbox.wait(4)
    assert bank.end()[0] == 0
    assert states(sandbox) == [SETTLED] * 3 + [RETURNED]
    order = [rest.split()[0] for word, rest in said("".join(bank.out)) if word == "SETTLED"]
    assert order.index("UJ%s" % sandbox.books()["instructions"][1]["instruction"][2:]) > 0
    sandbox.assert_agreed()


def test_a_bank_that_never_answers_leaves_its_instructions_open(sandbox):
    sandbox.pay(10_000, 20_000, 30_000)
    bank = sandbox.start("every 2: silent\n")
    wait_until(lambda: states(sandbox) == [INSTRUCTED, SETTLED, SETTLED], 20, "what is answered")
    assert bank.end()[0] == 0
    books = sandbox.assert_agreed()
    assert books["totals"]["open_instructions"] == 1
    # nobody has asked: another start changes nothing
    again = sandbox.start("any: accept\n")
    time.sleep(0.3)
    again.end()
    assert states(sandbox) == [INSTRUCTED, SETTLED, SETTLED]
    assert sandbox.assert_agreed() == books


def test_what_is_drawn_is_drawn_the_same_again(sandbox):
    """The seed and the instruction decide, not the moment: a bank that has lost its books draws the same."""
    sandbox.pay(*[10_000] * 40)
    script = "seed 3\nweight 3: accept\nweight 2: reject AC06\nweight 1: accept, return AC04\n"
    bank = sandbox.start(script)
    books = sandbox.wait(40)
    assert bank.end()[0] == 0
    plans = {i["instruction"]: i["plan"] for i in books["instructions"]}
    assert len(set(plans.values())) == 3
    sandbox.assert_agreed()
    sandbox.state.unlink()
    bank = sandbox.start(script)
    again = sandbox.wait(40)
    code, out, err = bank.end()
    assert {i["instruction"]: i["plan"] for i in again["instructions"]} == plans
    assert (code, err) == (0, "") and set(word for word, _ in said(out)) <= {"RETURNED"}, "all was known already"
    sandbox.state.unlink()
    bank = sandbox.start(script, "--seed", 4)
    other = sandbox.wait(40)
    bank.end()
    assert {i["instruction"]: i["plan"] for i in other["instructions"]} != plans


def test_the_short_options_are_rules(sandbox):
    sandbox.pay(*[10_000] * 6)
    bank = sandbox.start(None, "--reject-every", 3, "--return-every", 2, "--return-delay-ms", 10)
    books = sandbox.wait(6)
    assert bank.end()[0] == 0
    assert [i["plan"] for i in books["instructions"]] == ["accept", "accept, wait 10ms, return", "reject"] + [
        "accept", "accept, wait 10ms, return", "reject"][:0] + ["accept, wait 10ms, return", "accept", "reject"]
    sandbox.assert_agreed()


# ---------------------------------------------------------------- money that comes back
def test_payments_come_back_in_parts_with_charges_and_back_again(sandbox):
    sandbox.pay(100_000, 100_000, 100_000)
    bank = sandbox.start("number 1: accept, return 40% AC06 charge 50.00, return-again, return-more, return 1000.50 charge 10.00\n"
                         "number 2: accept, return 25% charge 20.00, reverse, return-again, return\n"
                         "number 3: accept, return 30%, return, reverse FOCR, reverse\n")
    books = sandbox.wait(3)
    code, out, err = bank.end()
    assert (code, err) == (0, ""), err
    by_number = {i["number"]: i for i in books["instructions"]}
    net = minor(by_number[1]["amount"])
    assert minor(by_number[1]["returned"]) == net * 40 // 100 + 100_050
    assert by_number[2]["returned"] == by_number[2]["amount"] and minor(by_number[3]["returned"]) == 0
    assert states(sandbox) == [SETTLED, RETURNED, 10]
    assert books["totals"]["charges"] == "60.00"
    sandbox.assert_agreed()


# ---------------------------------------------------------------- its books
def test_the_books_are_shown_while_the_bank_runs(sandbox):
    sandbox.pay(10_000, 20_000)
    bank = sandbox.start("number 1: accept, return\nnumber 2: silent")
    wait_until(lambda: RETURNED in states(sandbox), 20, "a return")
    shown = subprocess.run([str(BIN / "ujrat"), "bank", "books", "--state", str(sandbox.state)], capture_output=True, text=True, timeout=30)
    assert shown.returncode == 0 and shown.stderr == ""
    assert re.search(r"^told to pay +2 ", shown.stdout, re.M) and re.search(r"^without an answer +1 ", shown.stdout, re.M)
    assert re.search(r"PAID +UJ\S+ +%s-1 " % sandbox.bank.code, shown.stdout)
    assert re.search(r"RETURNED +UJ\S+ +[A-Z0-9]{4} +R1-%s-1 " % sandbox.bank.code, shown.stdout)
    bank.end()


def test_no_person_is_in_the_books(sandbox):
    account = iban(sandbox.bank.code)
    sandbox.pay(10_000, iban=account, display_name="Somebody Unmistakable")
    bank = sandbox.start("")
    sandbox.wait(1)
    out = bank.end()[1]
    text = sandbox.state.read_text()
    assert "Unmistakable" not in text and account not in text
    assert account not in out


def test_books_of_another_bank_or_of_nobody_are_refused(sandbox):
    bank = sandbox.start("")
    wait_until(lambda: sandbox.state.exists() and sandbox.state.stat().st_size > 0, 20, "books to be opened")
    bank.end()
    of_other = sandbox.state.read_text().replace(sandbox.bank.code, "ELSE")
    sandbox.state.write_text(of_other)
    code, _, err = sandbox.run("")
    assert code == 1 and "it is the state of ELSE, not of %s" % sandbox.bank.code in err
    damaged = sandbox.state.read_text().replace("ELSE", sandbox.bank.code) + '{"id":"UJ1-1","done":"RECORDED","step":1}\n'
    sandbox.state.write_text(damaged)
    code, _, err = sandbox.run("")
    assert code == 1 and "line 2" in err and "damaged" in err
    assert sandbox.state.read_text() == damaged, "it is left as it is"


@pytest.mark.parametrize("script, words", (
    ("any: accept\nevery x: reject", "line 2: 'x' is no number"),
    ("any: pay", "there is no step 'pay'"),
    ("any: reject, return", "nothing was accepted before it"),
    ("# x\n\nsometimes: accept", "line 3: there is no condition 'sometimes'"),
    ("#" * 70_000, "longer than"),
))
def test_a_script_that_is_none_is_refused(sandbox, script, words):
    code, out, err = sandbox.run(script)
    assert (code, out) == (2, "") and words in err
    assert not sandbox.state.exists()


def test_a_surprise_is_told_and_ends_in_failure(sandbox):
    """The negative control: a bank that has lost its books and says otherwise is refused, and knows that this is wrong."""
    sandbox.pay(10_000)
    bank = sandbox.start("any: accept")
    sandbox.wait(1)
    assert bank.end()[0] == 0
    sandbox.state.unlink()
    bank = sandbox.start("any: reject AC04")
    books = sandbox.wait(1)
    code, _, err = bank.end()
    assert code == 1 and "ALREADY_CONFIRMED_DIFFERENTLY" in err and "a person must look" in err
    assert books["totals"]["surprises"] == 1
    with pytest.raises(AssertionError):
        sandbox.assert_agreed()


# ---------------------------------------------------------------- killed
def killed(bank):
    return bank.process.wait(30) == -signal.SIGKILL


def test_a_crash_at_any_step_pays_nothing_twice(sandbox):
    """Each point of each kind of step, one instruction each; a bank that died is started again until none dies any more."""
    plans = []
    for point in ("received", "decided", "booked", "sent", "answered", "noted"):
        early = point in ("received", "decided")
        plans.append("crash %s, reject AC04" % point)
        plans.append("crash %s, accept, %sreturn AC04" % (point, "" if early else "crash %s, " % point))
    sandbox.pay(*[10_000] * (len(plans) + 1))
    script = "".join("number %d: %s\n" % numbered for numbered in enumerate(plans, 1))
    crashes = script.count("crash")
    kills = 0
    while True:
        bank = sandbox.start(script, "--batch", 1)
        books = wait_until(lambda b=bank: b.process.poll() is not None or sandbox.finished(len(plans) + 1)(), 60,
                           "a crash, or %d instructions to be done with" % (len(plans) + 1), every=0.05)
        if bank.process.poll() is None:
            break
        assert killed(bank)
        kills += 1
    assert kills == crashes, [(r.out, r.err) for r in sandbox.running]
    code, _, err = bank.end()
    assert (code, err) == (0, ""), err
    assert states(sandbox) == [SETTLED] + [REJECTED] * 6 + [RETURNED] * 6
    assert len(books["entries"]) == 1 + 6 + 12
    sandbox.assert_agreed()


def test_killed_at_any_moment_its_books_agree_with_ours(sandbox):
    script = ("seed 11\nweight 6: accept\nweight 2: reject\nweight 2: accept, again, wait 20ms, return\n"
              "weight 1: wrong-amount, wait 10ms, accept, contradict\nweight 1: wait 30ms, accept, return, return-again\n")
    n = 80
    sandbox.pay(*[10_000 + i for i in range(n)])
    ends = 0
    while True:
        bank = sandbox.start(script, "--batch", 3, "--delay-ms", 5)
        time.sleep(0.15 + 0.05 * (ends % 4))
        if sandbox.finished(n)():
            break
        bank.end(signal.SIGKILL)
        ends += 1
        assert ends < 100
    code, _, err = bank.end()
    assert (code, err) == (0, "")
    assert ends > 1
    books = sandbox.assert_agreed()
    assert books["totals"]["surprises"] == 0 and books["totals"]["instructions"] == n
    assert len({p[2] for p in sandbox.payouts().values() if p[0] == SETTLED}) == books["totals"]["payments"] - books["totals"]["returns"]


def test_what_is_delivered_twice_is_paid_once(sandbox):
    sandbox.pay(*[10_000] * 10)
    bank = sandbox.start("every 3: accept, return\nevery 5: silent")
    wait_until(lambda: states(sandbox) == [INSTRUCTED] * 2 + [SETTLED] * 5 + [RETURNED] * 3, 20, "what is answered")
    bank.end()
    before = sandbox.assert_agreed()
    lines = sandbox.state.read_text().splitlines(keepends=True)
    sandbox.state.write_text("".join(l for l in lines if "token" not in json.loads(l)))    # everything comes again
    bank = sandbox.start("any: reject")
    sandbox.pay(10_000)
    wait_until(lambda: REJECTED in states(sandbox), 20, "the new one")
    code, _, err = bank.end()
    assert (code, err) == (0, "")
    after = sandbox.assert_agreed()
    assert after["instructions"][:10] == before["instructions"] and after["entries"][:-1] == before["entries"]
