"""Holds end to end: by `ujrat hold`, a bank's stream, a platform's watch, files, the signed log; and a second operator who is killed."""
import io
import json
import os
import signal
import subprocess
import types

import grpc
import log_verifier
import pytest

from harness import BIN, operator, unique, wait_until
from log_world import until_sealed
from settle_world import FileBank, Settle
from world import SECONDS, locked_book, price


@pytest.fixture(scope="module")
def world(new_world):
    world = new_world(seal=True)
    world.gateway.ujrat("principal", "add", "ujrat://system/settle", "--quiet")
    world.file_banks = [code for code, in world.rows("SELECT code FROM bank WHERE NOT connected ORDER BY code LIMIT 3")]
    world.people = [unique(n) for n in ("anna", "bilal", "chand")]
    with world.database.connect("postgres", autocommit=True, options="-c search_path=ujrat") as db:
        for name in world.people:
            db.execute("CREATE ROLE %s LOGIN IN ROLE ujrat_operator" % name)
        for code in world.file_banks:
            db.execute("SELECT connect_bank(%s)", (code,))
    yield world
    with world.database.connect("postgres", autocommit=True) as db:
        for name in world.people:
            db.execute("DROP ROLE " + name)


@pytest.fixture(scope="module")
def platform(world):
    return world.platform(USD=300_000_000)


@pytest.fixture
def bank(world):
    return world.bank()


def started(world, who, *words):
    uri = world.database.uri(who)
    environment = {"PATH": "/usr/bin:/bin", "UJRAT_OPERATOR_DB": uri, "UJRAT_DB": uri, "HOME": "/tmp"}
    environment.update({k: v for k, v in os.environ.items() if k.startswith("PGPASS")})
    code = operator(world.database.uri(), who).code() if words[0] in ("approve", "refuse", "withdraw") else None
    process = subprocess.Popen([str(BIN / "ujrat"), "hold", *map(str, words), *(["--code-fd", "0"] if code else [])], env=environment,
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    process.stdin.write(code or "")
    process.stdin.close()
    process.stdin = None  # communicate() would close it again
    return process


@pytest.fixture
def hold(world):
    """hold(0, "list"): what the first operator is told."""
    def run(who, *words, fails=None):
        process = started(world, world.people[who], *words)
        out, err = process.communicate(timeout=60)
        assert (process.returncode == 0) == (fails is None), (words, out, err)
        if fails is not None:
            assert fails in err, err
        return json.loads(out) if "--json" in words else out
    return run


def instruction(world, payout):
    code, number = payout.name.split("/")[1::2]
    return "UJ%d-%s" % (world.value("SELECT book_id FROM book WHERE code = %s", code), number)


def states(platform, payouts):
    State = platform.api.payout.Payout.State
    return [State.Name(platform.get(p.name).state) for p in payouts]


def verified(world, work):
    """The log of the world, in the eyes of the auditor's program and of the verifier that was written from the page."""
    environment = {k: v for k, v in os.environ.items()}
    for words in (["verify", "--seal-grace", "0"], ["export", "--format", "log", "--out", work / (unique("log") + ".log")]):
        done = subprocess.run([str(BIN / "ujrat-audit"), *map(str, words), "--db", world.database.uri("ujrat_auditor")], env=environment,
                              capture_output=True, text=True)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr
    log_verifier.verify(io.BytesIO(words[-1].read_bytes()))


def trails(world, payout):
    """The states and kinds of a payout's trail, as `ujrat-audit trail` tells them with their proof, and as the gateway does."""
    done = subprocess.run([str(BIN / "ujrat-audit"), "trail", payout.name, "--json", "--db", world.database.uri("ujrat_auditor")], capture_output=True,
                          text=True, env=dict(os.environ))
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    trail = json.loads(done.stdout)
    return [(e.get("state"), e["kind"]) for e in trail["events"]], [e.journal.kind for e in world.auditor.trail(payout.name).events]


def test_by_its_stream_a_bank_is_told_of_a_held_payout_once_it_is_released(world, platform, bank, hold, work):
    payouts = [platform.submit(platform.details(bank), gross) for gross in (10_000, 20_000, 30_000)]
    watch = platform.watch()
    evidence = work / unique("evidence")
    evidence.write_text('{"list": "made up", "score": 0.91}')
    said = hold(2, "place", payouts[1].name, "--reason", "SCREENING", "--detail", "looks like a listed name", "--evidence", evidence, "--queue", "names")
    assert "it is held, hold 1" in said
    assert "already" in hold(2, "place", payouts[1].name, "--reason", "SCREENING", "--detail", "looks like a listed name", "--evidence", evidence,
                             "--queue", "names")
    assert states(platform, payouts) == ["ACCEPTED", "HELD", "ACCEPTED"]
    row, = hold(0, "list", "--queue", "names", "--json")
    assert (row["payout"], row["reason"], row["outcome"], row["decided"]) == (instruction(world, payouts[1]), "SCREENING", "open", None)
    assert hold(0, "list", "--queue", "other", "--json") == []

    stream = bank.watch()
    first, last = stream.take(2)
    assert [i.amount.minor_units for i in (first, last)] == [price(10_000).net, price(30_000).net]
    assert stream.silent()
    assert states(platform, payouts) == ["INSTRUCTED", "HELD", "INSTRUCTED"]
    with pytest.raises(grpc.RpcError) as refused:
        platform.cancel(payouts[1].name)
    assert refused.value.code() == grpc.StatusCode.FAILED_PRECONDITION
    hold(0, "place", payouts[0].name, "--reason", "OPERATOR", fails="its bank was told already")

    assert "waits for a second operator" in hold(0, "approve", instruction(world, payouts[1]), "--note", "another person")
    assert "still waits" in hold(0, "approve", payouts[1].name, "--note", "another person")
    hold(1, "refuse", payouts[1].name, "--note", "no", fails="decided otherwise: release")
    assert stream.silent()
    assert "has ended" in hold(1, "approve", payouts[1].name, "--note", "born elsewhere")
    held, = stream.take(1)
    assert held.amount.minor_units == price(20_000).net and held.instruction_id == instruction(world, payouts[1])
    stream.close()
    # from a token of before it comes again, from its own nothing does
    again = bank.watch(last.resume_token)
    assert [i.instruction_id for i in again.take(1)] == [held.instruction_id]
    again.close()
    nothing = bank.watch(held.resume_token)
    assert nothing.silent()
    nothing.close()
    bank.confirm(*[bank.settled(i) for i in (first, last, held)])
    assert states(platform, payouts) == ["SETTLED"] * 3
    seen = [e for e in watch.take(11) if e.payout == payouts[1].name]
    State = platform.api.payout.Payout.State
    assert [State.Name(e.state) for e in seen] == ["ACCEPTED", "HELD", "ACCEPTED", "INSTRUCTED", "SETTLED"]
    assert not any(e.reason_code for e in seen)
    watch.close()
    shown = hold(0, "show", payouts[1].name, "--json")
    assert [(s["decision"], s["note"]) for s in shown] == [("release", "another person"), ("release", "born elsewhere")]
    assert shown[0]["detail"] == "looks like a listed name" and "0.91" in shown[0]["evidence"]
    until_sealed(world, platform)
    ours, theirs = trails(world, payouts[1])
    assert ours == [("ACCEPTED", "PAYOUT_ACCEPTED"), ("HELD", "PAYOUT_HELD"), ("ACCEPTED", "HOLD_RELEASED"), ("INSTRUCTED", "PAYOUTS_INSTRUCTED"),
                    ("SETTLED", "PAYOUT_SETTLED")]
    assert theirs == [kind for _, kind in ours]
    verified(world, work)


def test_a_refused_payout_gives_the_float_back_and_says_no_reason(world, platform, bank, hold, work):
    before = platform.balance()
    payout = platform.submit(platform.details(bank), 40_000)
    hold(0, "place", payout.name, "--reason", "OPERATOR", "--hours", "1")
    hold(0, "approve", payout.name, "--note", "me too", fails="whoever placed a hold does not release it")
    hold(0, "refuse", payout.name, "--note", "a mistake of theirs")
    assert "taken back" in hold(0, "withdraw", payout.name, "--note", "not so fast")
    hold(1, "refuse", payout.name, "--note", "yes")
    hold(2, "refuse", payout.name, "--note", "yes")
    now = platform.get(payout.name)
    assert states(platform, [payout]) == ["REFUSED"] and now.reason_code == "MS03"
    assert platform.balance() == before
    assert bank.watch().silent()
    until_sealed(world, platform)
    ours, theirs = trails(world, payout)
    assert [k for _, k in ours] == theirs == ["PAYOUT_ACCEPTED", "PAYOUT_HELD", "HOLD_REFUSED", "PAYOUT_REFUSED"] and ours[-1][0] == "REFUSED"
    verified(world, work)


def test_a_platform_is_not_given_the_records_of_a_hold(world, platform, bank, hold):
    payout = platform.submit(platform.details(bank), 10_000)
    hold(0, "place", payout.name, "--reason", "SCREENING", "--detail", "secret")
    code = payout.name.split("/")[1]
    seq = world.value("SELECT max(h.seq) FROM payout_hold h JOIN book USING (book_id) WHERE code = %s", code)
    until_sealed(world, platform)
    ask = world.api.audit.GetInclusionProofRequest
    name = "books/%s/journals/%d" % (code, seq)
    auditor = world.auditor
    proof = auditor.audit.GetInclusionProof(ask(journal=name), timeout=SECONDS)
    assert b"SCREENING" in proof.journals[0].record and b"secret" not in proof.journals[0].record
    with pytest.raises(grpc.RpcError) as refused:
        platform.audit.GetInclusionProof(ask(journal=name), timeout=SECONDS)
    assert refused.value.code() == grpc.StatusCode.PERMISSION_DENIED
    of_payout = platform.audit.GetInclusionProof(ask(payout=payout.name), timeout=SECONDS)
    assert len(of_payout.journals) == 1       # accepted: all else is not its affair


def test_a_released_payout_is_in_the_next_file(world, platform, hold, work):
    settle = Settle(work / unique("settle"), world.database)
    bank = types.SimpleNamespace(code=world.file_banks.pop())
    bank.files = FileBank(settle, bank, world.database)
    bank.files.terms(mode="instant")
    payouts = [platform.submit(platform.details(bank), gross) for gross in (10_000, 20_000, 30_000)]
    hold(2, "place", payouts[0].name, "--reason", "LIMIT")
    settle.once()
    assert states(platform, payouts) == ["HELD", "INSTRUCTED", "INSTRUCTED"]
    assert [i["EndToEndId"] for i in bank.files.files()[0].items()] == [instruction(world, p) for p in payouts[1:]]
    hold(0, "approve", payouts[0].name, "--note", "within it")
    hold(1, "approve", payouts[0].name, "--note", "within it")
    settle.once()
    one, two = bank.files.files()
    assert [i["EndToEndId"] for i in two.items()] == [instruction(world, payouts[0])]
    bank.files.send(*bank.files.status(*[bank.files.settled(instruction(world, p)) for p in payouts]))
    settle.once()
    assert states(platform, payouts) == ["SETTLED"] * 3
    settle.once()
    assert len(bank.files.files()) == 2


@pytest.mark.parametrize("decision", ("approve", "refuse"))
def test_a_second_operator_who_is_killed_ends_the_hold_once_or_says_it_again(world, platform, bank, hold, decision, work):
    payout = platform.submit(platform.details(bank), 50_000)
    hold(2, "place", payout.name, "--reason", "VELOCITY")
    for n in range(3):
        hold(0, decision, payout.name, "--note", "first")
        with locked_book(world.database, platform.code):
            second = started(world, world.people[1], decision, payout.name, "--note", "second")
            wait_until(lambda: world.rows("SELECT FROM pg_stat_activity WHERE usename = %s AND wait_event_type = 'Lock'", world.people[1],
                                          role="postgres"), 20, "the second operator to wait")
            second.send_signal(signal.SIGKILL)
            second.wait()
        said = hold(1, decision, payout.name, "--note", "second")
        assert "ended" in said
        kinds = world.rows("SELECT k.name, count(*) FROM journal j JOIN journal_kind k USING (kind) JOIN book b USING (book_id) WHERE b.code = %s "
                           "AND j.payout_id = %s GROUP BY 1", platform.code, int(payout.name.rsplit("/", 1)[1]))
        ended = dict(kinds)
        assert ended["PAYOUT_HELD"] == ended["HOLD_RELEASED" if decision == "approve" else "HOLD_REFUSED"] == n + 1
        assert states(platform, [payout]) == ["ACCEPTED" if decision == "approve" else "REFUSED"]
        if decision == "refuse":
            assert ended["PAYOUT_REFUSED"] == 1
            break
        hold(2, "place", payout.name, "--reason", "VELOCITY") if n < 2 else None
    until_sealed(world, platform)
    verified(world, work)
