"""A platform or a bank under load, as a program of its own: fault_client.py CONFIG.json

It writes what it does and what it is told, a line of JSON each, to the file config["journal"]; fault_checker.py holds
the ledger against that. On SIGTERM it begins nothing new, brings what it has begun to a definite end, and exits.

What a platform knows of a reference, for good:
    sent        before the first try
    ack         the gateway said that it is in the ledger, with these numbers
    refused     the gateway gave a reason for saying no
    abandoned   every try was answered "nothing was done", and it was not tried again
While the answer is "perhaps", it asks again under the same reference. (An `impatient` one does not: it takes "perhaps"
for a no, and pays under a new reference. It is there to be caught.)
"""

import json
import os
import queue
import random
import signal
import sys
import threading
import time
import zlib

# a connection is made by whoever polls: without it nobody would while calls fail at once
os.environ["GRPC_CLIENT_CHANNEL_BACKUP_POLL_INTERVAL_MS"] = "100"

import grpc  # noqa: E402

config = json.load(open(sys.argv[1]))
sys.path.insert(0, config["stubs"])

from google.rpc import error_details_pb2, status_pb2  # noqa: E402
from ujrat.payout.v1 import payout_pb2, payout_pb2_grpc  # noqa: E402
from ujrat.settlement.v1 import settlement_pb2, settlement_pb2_grpc  # noqa: E402
from ujrat.type.v1 import money_pb2  # noqa: E402

NOT_DONE = ("LEDGER_UNAVAILABLE", "QUEUE_FULL")
DRAIN_SECONDS_MAX = 20

stopping = threading.Event()
give_up_at = [float("inf")]


class Journal:
    def __init__(self, path):
        self.fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def write(self, event, **fields):
        """One write, so that lines of several threads do not mix; after it the line outlives this process."""
        os.write(self.fd, (json.dumps({"e": event, **fields}) + "\n").encode())


journal = Journal(config["journal"])


def reason_of(error):
    """The reason the gateway gave; None: it gave none, and anything may have happened."""
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            for detail in status_pb2.Status.FromString(value).details:
                info = error_details_pb2.ErrorInfo()
                if detail.Unpack(info):
                    return info.reason
    return None


last_error = [""]


def verdict_of(error):
    """not_done, unknown, or the reason of a refusal."""
    reason = reason_of(error)
    last_error[0] = "%s %s" % (error.code(), error.details())
    if reason in NOT_DONE:
        return "not_done"
    return "unknown" if reason in (None, "OUTCOME_UNKNOWN") else reason


def connect(who):
    credentials = grpc.ssl_channel_credentials(*(open(f, "rb").read() for f in (config["ca"], who["key"], who["cert"])))
    return grpc.secure_channel(config["address"], credentials, [
        ("grpc.use_local_subchannel_pool", 1), ("grpc.initial_reconnect_backoff_ms", 50),
        ("grpc.min_reconnect_backoff_ms", 2000), ("grpc.max_reconnect_backoff_ms", 200)])


def pause(rng, tries):
    time.sleep(rng.uniform(0.01, 0.05) * min(tries, 4))


def out_of_time():
    return time.monotonic() > give_up_at[0]


def money(ccy, minor):
    return money_pb2.Money(currency_code=ccy, minor_units=minor)


# ---------------------------------------------------------------- platforms
class Item:
    """One wish to pay; its request is the same at every try."""

    def __init__(self, lane, number):
        rng = lane.rng
        self.intent = "%s-%d-%d" % (config["run"], lane.number, number)
        self.reference = self.intent
        self.tries, self.unknowns = 0, 0
        self.ccy = "EUR" if rng.random() < config["scarce_share"] else "USD"
        self.gross = rng.randrange(2000, 90000)
        self.request = payout_pb2.SubmitPayoutRequest(reference=self.reference, gross=money(self.ccy, self.gross))
        if rng.random() < 0.1 and config["ibans"]:
            n = rng.randrange(len(config["ibans"]))
            self.request.beneficiary_details.CopyFrom(payout_pb2.BeneficiaryDetails(
                display_name="Carried %d" % n, iban=config["ibans"][n], cnic="3520112345671", channel=1))
        else:
            self.request.beneficiary = "platforms/%s/beneficiaries/%d" % (
                config["platform"], rng.randrange(1, config["beneficiaries"] + 1))
        self.sent()

    def sent(self):
        self.request.reference = self.reference
        journal.write("sent", ref=self.reference, intent=self.intent, gross=self.gross, ccy=self.ccy)

    def again_as_another(self, number):
        self.reference = "%s-again%d" % (self.intent, number)
        self.unknowns = 0
        self.sent()


class Lane:
    """One caller: a call at a time, brought to its end before the next."""

    def __init__(self, number, channel):
        self.number, self.rng = number, random.Random("%s/%d" % (config["seed"], number))
        self.payouts = payout_pb2_grpc.PayoutServiceStub(channel)
        self.count = 0

    def run(self):
        try:
            while not stopping.is_set():
                batch = self.number % 2 == 1
                items = []
                for _ in range(self.rng.randrange(5, config["batch_items"] + 1) if batch else 1):
                    self.count += 1
                    items.append(Item(self, self.count))
                acknowledged = self.pay_many(items) if batch else self.pay_one(items[0])
                for item, name in acknowledged:
                    self.afterwards(item, name)
        except Exception as e:  # a bug of the test: seen by the checker
            journal.write("broken", what=repr(e))
            raise

    # -- one
    def pay_one(self, item):
        if self.rng.random() < config["quote_share"]:
            item.request.quote = self.quote(item) or ""
        while True:
            item.tries += 1
            try:
                # a few deadlines are so short that they pass in the middle
                timeout = 0.02 if self.rng.random() < 0.02 else 6
                p = self.payouts.SubmitPayout(item.request, timeout=timeout, wait_for_ready=True)
            except grpc.RpcError as e:
                if self.decided(item, verdict_of(e)):
                    return []
                pause(self.rng, item.tries)
                continue
            self.acknowledged(item, p.name, p.pricing.fee.minor_units, p.pricing.net.minor_units, "unary")
            if p.reference != item.reference or p.pricing.gross.minor_units != item.gross:
                journal.write("wrong", ref=item.reference, what="the answer is about another payout")
            return [(item, p.name)]

    def quote(self, item):
        request = payout_pb2.CreateQuoteRequest(gross=money(item.ccy, item.gross), request_id="q" + item.reference)
        for tries in range(1, 1000):
            try:
                return self.payouts.CreateQuote(request, timeout=6, wait_for_ready=True).name
            except grpc.RpcError as e:
                if verdict_of(e) not in ("not_done", "unknown") or out_of_time():
                    return None
                pause(self.rng, tries)

    # -- many
    def pay_many(self, items):
        by_reference, names = {i.reference: i for i in items}, []
        tries = 0
        while by_reference:
            tries += 1
            asked = list(by_reference.values())
            for item in asked:
                item.tries += 1
            try:
                request = payout_pb2.SubmitPayoutsRequest(payouts=[i.request for i in asked])
                results = self.payouts.SubmitPayouts(request, timeout=8, wait_for_ready=True).results
            except grpc.RpcError as e:
                verdict = verdict_of(e)
                for item in asked:
                    self.settle(by_reference, item, verdict)
            else:
                if [r.reference for r in results] != [i.reference for i in asked]:
                    journal.write("wrong", ref=asked[0].reference, what="results are not in the order of the request")
                for item, result in zip(asked, results):
                    self.take_result(by_reference, item, result, names)
            if by_reference:
                pause(self.rng, tries)
        return names

    def take_result(self, by_reference, item, result, names):
        outcome = payout_pb2.SubmitPayoutResult.Outcome.Name(result.outcome)
        if outcome in ("OUTCOME_ACCEPTED", "OUTCOME_DUPLICATE"):
            self.acknowledged(item, result.payout, result.fee.minor_units, result.net.minor_units, "batch")
            names.append((item, result.payout))
            del by_reference[item.reference]
        else:
            self.settle(by_reference, item, {"OUTCOME_REFUSED": result.reason, "OUTCOME_NOT_DONE": "not_done"}.get(
                outcome, "unknown"))

    def settle(self, by_reference, item, verdict):
        before = item.reference
        if self.decided(item, verdict):
            del by_reference[before]
        elif item.reference != before:
            del by_reference[before]
            by_reference[item.reference] = item

    # -- what an answer means
    def acknowledged(self, item, name, fee, net, via):
        journal.write("ack", ref=item.reference, intent=item.intent, name=name, gross=item.gross, ccy=item.ccy, fee=fee,
                      net=net, via=via, tries=item.tries, unknowns=item.unknowns)

    def decided(self, item, verdict):
        """True: there is nothing more to ask."""
        if verdict == "unknown":
            item.unknowns += 1
            journal.write("unknown", ref=item.reference)
            if config["impatient"] and item.tries < 4:
                item.again_as_another(item.tries)
        elif verdict == "not_done":
            # believed, now and then: what was never done must not be found
            if item.unknowns == 0 and self.rng.random() < 0.5:
                journal.write("abandoned", ref=item.reference)
                return True
        else:
            journal.write("refused", ref=item.reference, reason=verdict)
            return True
        if out_of_time():
            journal.write("stuck", ref=item.reference, last=verdict, error=last_error[0])
            return True
        return False

    # -- afterwards
    def afterwards(self, item, name):
        dice = self.rng.random()
        if dice < config["cancel_share"]:
            self.cancel(name)
        elif dice < config["cancel_share"] + 0.01:
            self.use_again(item)

    def cancel(self, name):
        tries = 0
        while not out_of_time():
            tries += 1
            try:
                p = self.payouts.CancelPayout(payout_pb2.CancelPayoutRequest(name=name), timeout=6, wait_for_ready=True)
            except grpc.RpcError as e:
                verdict = verdict_of(e)
                if verdict in ("unknown", "not_done"):
                    pause(self.rng, tries)
                    continue
                journal.write("not_cancelled", name=name, reason=verdict)
                return
            state = payout_pb2.Payout.State.Name(p.state)
            journal.write("cancelled" if state == "CANCELLED" else "wrong", name=name, what=state)
            return
        journal.write("stuck", ref=name, last="cancel", error=last_error[0])

    def use_again(self, item):
        """The same reference for another amount: refused, whatever happens meanwhile."""
        request = payout_pb2.SubmitPayoutRequest()
        request.CopyFrom(item.request)
        request.gross.minor_units += 1
        for tries in range(1, 1000):
            try:
                self.payouts.SubmitPayout(request, timeout=6, wait_for_ready=True)
            except grpc.RpcError as e:
                verdict = verdict_of(e)
                if verdict in ("unknown", "not_done"):
                    if out_of_time():
                        return
                    pause(self.rng, tries)
                    continue
                if verdict != "REFERENCE_REUSED":
                    journal.write("wrong", ref=item.reference, what="used again: %s" % verdict)
                return
            journal.write("wrong", ref=item.reference, what="used again with another amount, and accepted")
            return


def run_platform():
    threads, number = [], 0
    for _ in range(config["connections"]):
        channel = connect(config)
        for _ in range(config["lanes"]):
            threads.append(threading.Thread(target=Lane(number, channel).run))
            number += 1
    for t in threads:
        t.start()
    for t in threads:
        t.join()


# ---------------------------------------------------------------- banks
class Bank:
    """Pays every instruction once, however often it arrives, and says so until it is heard."""

    def __init__(self, who):
        self.code, self.rng = who["code"], random.Random("%s/%s" % (config["seed"], who["code"]))
        self.token_file = who["token_file"]
        begin = open(self.token_file).read() if os.path.exists(self.token_file) else ""
        self.channels = [connect(who) for _ in range(2)]
        self.watching, self.saying = (settlement_pb2_grpc.SettlementServiceStub(c) for c in self.channels)
        self.seen, self.tokens, self.to_say = {}, [begin], queue.Queue()
        self.last_news = time.monotonic()
        self.open = 0  # instructions without a definite answer

    # -- instructions
    def watch(self):
        while not self.is_over():
            # mostly where it ended; now and then from further back, or from the start
            dice = self.rng.random()
            token = self.tokens[-1] if dice < 0.7 else self.rng.choice(self.tokens[-500:]) if dice < 0.97 else ""
            until = time.monotonic() + self.rng.uniform(0.2, 1.0)
            call = self.watching.WatchInstructions(settlement_pb2.WatchInstructionsRequest(resume_token=token),
                                                   timeout=self.rng.uniform(0.3, 1.2), wait_for_ready=True)
            try:
                for page in call:
                    for i in page.instructions:
                        self.take(i)
                    if time.monotonic() > until:
                        call.cancel()
            except grpc.RpcError as e:
                if verdict_of(e) not in ("unknown", "not_done"):
                    journal.write("wrong", bank=self.code, what="watch: %s" % verdict_of(e))
                if e.code() == grpc.StatusCode.UNAVAILABLE:
                    time.sleep(0.05)

    def take(self, i):
        what = (i.amount.minor_units, i.amount.currency_code, i.creditor_iban)
        if i.instruction_id in self.seen:
            if self.seen[i.instruction_id] != what:
                journal.write("wrong", bank=self.code, what="instruction %s changed" % i.instruction_id)
            return
        self.seen[i.instruction_id] = what
        self.tokens.append(i.resume_token)
        self.last_news = time.monotonic()
        c = settlement_pb2.Confirmation(instruction_id=i.instruction_id, amount=i.amount)
        # what it says hangs on the instruction alone: a bank that forgot everything would say the same
        if zlib.crc32(i.instruction_id.encode()) % 100 < 8:
            c.status, c.reason_code = settlement_pb2.Confirmation.REJECTED, "AC04"
        else:
            c.status, c.bank_reference = settlement_pb2.Confirmation.SETTLED, "%s-%s" % (self.code, i.instruction_id)
        journal.write("decided", bank=self.code, id=i.instruction_id, amount=i.amount.minor_units,
                      status=settlement_pb2.Confirmation.Status.Name(c.status), reference=c.bank_reference)
        self.open += 1
        self.to_say.put(c)

    # -- confirmations
    def say(self):
        while not self.is_over():
            batch = []
            try:
                batch.append(self.to_say.get(timeout=0.1))
                while len(batch) < 300:
                    batch.append(self.to_say.get_nowait())
            except queue.Empty:
                if not batch:
                    continue
            try:
                results = self.saying.ConfirmInstructions(
                    settlement_pb2.ConfirmInstructionsRequest(confirmations=batch), timeout=8, wait_for_ready=True).results
            except grpc.RpcError as e:
                verdict = verdict_of(e)
                if verdict not in ("unknown", "not_done"):
                    journal.write("wrong", bank=self.code, what="confirm: %s" % verdict)
                time.sleep(0.05)
                for c in batch:
                    self.to_say.put(c)
                continue
            for c, r in zip(batch, results):
                self.take_result(c, r)

    def take_result(self, c, r):
        outcome = settlement_pb2.ConfirmationResult.Outcome.Name(r.outcome)
        if outcome in ("OUTCOME_RECORDED", "OUTCOME_DUPLICATE"):
            settled = c.status == settlement_pb2.Confirmation.SETTLED
            journal.write("confirmed", bank=self.code, id=c.instruction_id, settled=settled, reference=c.bank_reference)
            dice = zlib.crc32(c.bank_reference.encode()) % 100
            if settled and dice < 3:
                self.send_back(c)
            elif settled and dice < 3 + config.get("parts_share", 0):
                self.send_back_in_parts(c)
            self.open -= 1
        elif outcome == "OUTCOME_UNKNOWN" or r.reason in NOT_DONE:
            journal.write("unknown", bank=self.code, id=c.instruction_id)
            self.to_say.put(c)
        else:
            journal.write("wrong", bank=self.code, what="confirmation of %s: %s" % (c.instruction_id, r.reason))
            self.open -= 1

    def send_back(self, c):
        request = settlement_pb2.ReturnPaymentRequest(
            instruction_id=c.instruction_id, amount=c.amount, reason_code="AC04", return_reference="R" + c.bank_reference)
        journal.write("returning", bank=self.code, id=c.instruction_id)
        if self.insist(self.saying.ReturnPayment, request, "return") == "done":
            journal.write("returned", bank=self.code, id=c.instruction_id)

    def send_back_in_parts(self, c):
        """Twice a part, of which the bank keeps something; then the second is taken back, and made again, or the rest follows."""
        net, reference = c.amount.minor_units, "P" + c.bank_reference
        parts = [(net // 3, min(50, net // 3)), (net // 4, 0)]
        for n, (amount, charge) in enumerate(parts):
            self.send_part(c, amount, charge, reference + str(n))
        reversal = settlement_pb2.ReverseReturnRequest(instruction_id=c.instruction_id, return_reference=reference + "1",
                                                       reversal_reference=reference + "V", reason_code="FOCR")
        left = net - parts[0][0] - parts[1][0]
        # the float may have been spent meanwhile
        if self.insist(self.saying.ReverseReturn, reversal, "reversal", "INSUFFICIENT_FLOAT") == "done":
            journal.write("return_reversed", bank=self.code, id=c.instruction_id, reference=reference + "V", amount=parts[1][0], charge=0)
            left += parts[1][0]
        if self.rng.random() < 0.5:
            self.send_part(c, left, 0, reference + "2")

    def send_part(self, c, amount, charge, reference):
        request = settlement_pb2.ReturnPaymentRequest(
            instruction_id=c.instruction_id, amount=money("PKR", amount), charge=money("PKR", charge) if charge else None,
            reason_code="AC04", return_reference=reference)
        if self.insist(self.saying.ReturnPayment, request, "part of a return") == "done":
            journal.write("part_returned", bank=self.code, id=c.instruction_id, reference=reference, amount=amount, charge=charge)

    def insist(self, call, request, what, *expected):
        """Says it until there is a definite answer: done, or one of the expected refusals. None: something is wrong, and written down."""
        tries = 0
        while not out_of_time():
            tries += 1
            try:
                call(request, timeout=6, wait_for_ready=True)
                return "done"
            except grpc.RpcError as e:
                verdict = verdict_of(e)
                if verdict in expected:
                    return verdict
                if verdict not in ("unknown", "not_done"):
                    journal.write("wrong", bank=self.code, what="%s of %s: %s" % (what, request.instruction_id, verdict))
                    return None
                pause(self.rng, tries)
        journal.write("stuck", ref=request.instruction_id, last=what, error=last_error[0])
        return None

    def is_over(self):
        """Told to stop, and for a while there was nothing more to hear or to say."""
        if not stopping.is_set():
            return False
        if out_of_time():
            if self.open:
                journal.write("stuck", ref=self.code, last="%d confirmations" % self.open)
            return True
        return self.open == 0 and time.monotonic() - max(self.last_news, stopped_at[0]) > 1.0


stopped_at = [0.0]


def run_banks():
    banks = [Bank(who) for who in config["banks"]]
    threads = [threading.Thread(target=f) for b in banks for f in (b.watch, b.say)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for b in banks:
        with open(b.token_file, "w") as f:
            f.write(b.tokens[-1])


def on_stop(*_):
    stopped_at[0] = time.monotonic()
    give_up_at[0] = time.monotonic() + DRAIN_SECONDS_MAX
    stopping.set()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, on_stop)
    journal.write("begun", run=config["run"])
    # the main thread stays free for signals
    work = threading.Thread(target=run_banks if "banks" in config else run_platform)
    work.start()
    while work.is_alive():
        work.join(0.1)
    journal.write("ended", run=config["run"])
