"""The proofs of the signed log as a stock client gets them, checked by code that shares nothing with the gateway's."""

import grpc
import pytest

from log_world import (add_key, blocks, fields, hashes, keys_folder, leaf_hash, number, root_of_inclusion,
                       roots_of_consistency, sha256, signed, until_sealed)
from world import SECONDS


@pytest.fixture(scope="module")
def keys(work):
    return keys_folder(work / "log-proof-keys")


@pytest.fixture(scope="module")
def world(new_world, keys, cluster):
    from harness import new_database

    database = new_database(cluster)
    return new_world(database, seal_keys=keys, seal_db=database.uri("ujrat_sealer"), seal_interval="20ms")


@pytest.fixture(scope="module")
def lived(world, keys):
    """A platform with payouts that went each way, all sealed: (platform, {what became of it: payout})."""
    platform, bank = world.platform(USD=10_000_000, JPY=5_000_000), world.bank()
    add_key(world, platform, keys)
    to = bank_account = platform.register(bank).name
    names = {}
    for gross in (1_001, 1_002, 1_003):     # heads of several sizes, however seldom the sealer comes to look
        platform.submit(to, gross)
        until_sealed(world, platform)
    quote = platform.quote(40_000)
    names["settled"] = platform.submit(to, 40_000, quote=quote.name, remittance_information="Logo, 2 colours — عید")
    names["rejected"], names["returned"] = platform.submit(to, 20_000), platform.submit(bank_account, 3_000_00, "JPY")
    by_payout = {i.amount.minor_units: i for i in bank.take(6)}
    told = [by_payout[names[n].pricing.net.minor_units] for n in ("settled", "rejected", "returned")]
    bank.confirm(bank.settled(told[0], tax=1234, eprc="EPRC-1"), bank.rejected(told[1]), bank.settled(told[2]))
    bank.send_back(told[2])
    names["cancelled"] = platform.submit(to, 10_000)
    platform.cancel(names["cancelled"].name)
    platform.batch([platform.request(to, 5_000 + i) for i in range(7)])
    names["accepted"] = platform.submit(to, 7_777)
    until_sealed(world, platform)
    return platform, names


def head(world, asker, book, size=0):
    return asker.audit.GetTreeHead(world.api.audit.GetTreeHeadRequest(book=book, tree_size=size), timeout=SECONDS)


def inclusion(world, asker, **request):
    return asker.audit.GetInclusionProof(world.api.audit.GetInclusionProofRequest(**request), timeout=SECONDS)


def consistency(world, asker, book, old, new=0):
    return asker.audit.GetConsistencyProof(
        world.api.audit.GetConsistencyProofRequest(book=book, old_size=old, new_size=new), timeout=SECONDS)


def check_keys(keys):
    """{key_id: (from_block, public key)} of records that each sign the next."""
    found, before = {}, None
    for item in keys:
        kind, _, key_id, public, since, _ = fields(item.record)
        assert kind == b"ujrat/key/1"
        signed(item, public if before is None else before)
        assert key_id.decode() == sha256(public)[:8].hex()
        found[key_id.decode()] = (number(since), public)
        before = public
    return found


def check_head(tree_head, keys):
    kind, book, size, root, at = fields(tree_head.signed_record.record)
    assert kind == b"ujrat/tree-head/1" and "books/" + book.decode() == tree_head.book
    assert (number(size), root) == (tree_head.tree_size, tree_head.root)
    assert number(at) == tree_head.sign_time.ToMicroseconds()
    signed(tree_head.signed_record, keys[tree_head.signed_record.key_id][1])


def check_inclusion(answer):
    """Every path and signature; the fields of the journals' records."""
    keys, found = check_keys(answer.keys), []
    check_head(answer.tree_head, keys)
    for proof in answer.journals:
        journal, block = fields(proof.record), fields(proof.block.record)
        # a payout's says which version of the policy priced it
        assert journal[0] == (b"ujrat/journal/2" if journal[5] == b"PAYOUT_ACCEPTED" else b"ujrat/journal/1") and block[0] == b"ujrat/block/1"
        _, book, block_no, first, last, at, journal_root, _ = block
        assert number(block_no) == number(journal[3]) == proof.block_number and at == journal[4] and book == journal[1]
        assert proof.journal == "books/%s/journals/%d" % (book.decode(), number(journal[2]))
        assert proof.leaf_index == number(journal[2]) - number(first)
        count = number(last) - number(first) + 1
        assert root_of_inclusion(leaf_hash(proof.record), proof.leaf_index, count, hashes(proof.leaf_path)) == journal_root
        signed(proof.block, keys[proof.block.key_id][1])
        assert root_of_inclusion(leaf_hash(proof.block.record), proof.block_number - 1, answer.tree_head.tree_size,
                                 hashes(proof.block_path)) == answer.tree_head.root
        found.append(journal)
    return found


def test_a_head_is_signed_by_the_books_key_and_the_newest_covers_all_that_is_sealed(world, lived):
    platform, _ = lived
    answer = head(world, world.auditor, "books/" + platform.code)
    check_head(answer.tree_head, check_keys(answer.keys))
    assert answer.tree_head.tree_size == blocks(world, platform)
    assert head(world, platform, "books/" + platform.code) == answer


def test_heads_of_older_sizes_stay_as_they_were_signed(world, lived):
    platform, _ = lived
    sizes = [r[0] for r in world.rows("SELECT tree_size FROM tree_head JOIN book USING (book_id) WHERE code = %s",
                                      platform.code)]
    assert len(sizes) >= 4
    for size in range(1, blocks(world, platform) + 1):
        ask = world.api.audit.GetTreeHeadRequest(book="books/" + platform.code, tree_size=size)
        if size in sizes:
            answer = world.auditor.audit.GetTreeHead(ask, timeout=SECONDS)
            assert answer.tree_head.tree_size == size
            check_head(answer.tree_head, check_keys(answer.keys))
        else:
            no = world.refused(world.auditor.audit.GetTreeHead, ask)
            assert (no.code, no.reason) == (grpc.StatusCode.NOT_FOUND, "TREE_HEAD_NOT_FOUND")


@pytest.mark.parametrize("state,kinds", [
    ("accepted", ["PAYOUT_ACCEPTED"]),
    ("settled", ["PAYOUT_ACCEPTED", "PAYOUTS_INSTRUCTED", "PAYOUT_SETTLED"]),
    ("rejected", ["PAYOUT_ACCEPTED", "PAYOUTS_INSTRUCTED", "PAYOUT_REJECTED"]),
    ("returned", ["PAYOUT_ACCEPTED", "PAYOUTS_INSTRUCTED", "PAYOUT_SETTLED", "SETTLEMENT_REVERSED", "PAYOUT_RETURNED"]),
    ("cancelled", ["PAYOUT_ACCEPTED", "PAYOUT_CANCELLED"]),
])
def test_every_journal_of_a_payout_is_proved(world, lived, state, kinds):
    platform, names = lived
    answer = inclusion(world, platform, payout=names[state].name)
    journals = check_inclusion(answer)
    assert [j[5].decode() for j in journals] == kinds
    # the trail, which is read from the rows in another way, says the same
    trail = world.auditor.trail(names[state].name)
    assert [e.journal.name for e in trail.events] == [p.journal for p in answer.journals]
    for journal, event in zip(journals, trail.events):
        said = event.journal
        assert journal[6].decode() == said.actor and number(journal[4]) == said.commit_time.ToMicroseconds()
        lines = [(journal[i].decode(), journal[i + 1].decode(), number(journal[i + 2]))
                 for i in range(11, 11 + 3 * number(journal[10]), 3)]
        prefix = "books/%s/accounts/" % platform.code
        assert lines == [(p.account[len(prefix):], p.currency_code, p.minor_units) for p in said.postings]


def test_every_journal_of_the_book_is_proved_one_by_one_deposits_too(world, lived):
    platform, _ = lived
    said = world.auditor.journals(platform)
    for journal in said:
        answer = inclusion(world, world.auditor, journal=journal.name)
        record, = check_inclusion(answer)
        assert record[5].decode() == journal.kind
    assert {j.kind for j in said} >= {"FLOAT_DEPOSITED", "PAYOUTS_INSTRUCTED", "PAYOUT_RETURNED"}


def test_a_proof_against_an_older_head_is_of_that_head(world, lived):
    platform, _ = lived
    size = world.value("SELECT min(tree_size) FROM tree_head JOIN book USING (book_id) WHERE code = %s AND tree_size >= 2",
                       platform.code)
    answer = inclusion(world, platform, journal="books/%s/journals/1" % platform.code, tree_size=size)
    check_inclusion(answer)
    assert answer.tree_head.tree_size == size
    last = world.value("SELECT max(seq) FROM journal JOIN book USING (book_id) WHERE code = %s", platform.code)
    no = world.refused(platform.audit.GetInclusionProof, world.api.audit.GetInclusionProofRequest(
        journal="books/%s/journals/%d" % (platform.code, last), tree_size=size))
    assert (no.code, no.reason, no.fields) == (grpc.StatusCode.INVALID_ARGUMENT, "TREE_SIZE_INVALID", ["tree_size"])


def test_every_size_is_consistent_with_every_later_one(world, lived):
    platform, _ = lived
    book, size = "books/" + platform.code, blocks(world, platform)
    leaves = [bytes(r[0]) for r in world.rows(
        "SELECT substring(nodes, 1, 32) FROM block_seal JOIN book USING (book_id) WHERE code = %s ORDER BY block_no",
        platform.code)]
    assert len(leaves) == size > 8
    roots = {}
    for new in range(1, size + 1):
        for old in range(1, new + 1):
            answer = consistency(world, platform, book, old, new)
            assert (answer.old_size, answer.new_size) == (old, new)
            assert roots.setdefault(old, answer.old_root) == answer.old_root
            assert roots.setdefault(new, answer.new_root) == answer.new_root
            assert roots_of_consistency(old, new, answer.old_root, hashes(answer.path)) == (answer.old_root, answer.new_root)
    # and the roots are those of the blocks
    for n in (1, size):
        path = inclusion(world, platform, journal="books/%s/journals/1" % platform.code).journals[0]
        if n == size:
            assert root_of_inclusion(leaves[0], 0, size, hashes(path.block_path)) == roots[size]
    newest = consistency(world, world.auditor, book, 1)
    assert newest.new_size == newest.tree_head.tree_size and newest.new_root == newest.tree_head.root
    check_head(newest.tree_head, check_keys(head(world, platform, book).keys))


def test_bad_sizes_are_refused_by_field(world, lived):
    platform, _ = lived
    api, book, size = world.api.audit, "books/" + platform.code, blocks(world, platform)
    for fields_, field in [(dict(old_size=0), "old_size"), (dict(old_size=-1), "old_size"), (dict(old_size=3, new_size=2), "old_size"),
                           (dict(old_size=1, new_size=-1), "new_size"), (dict(old_size=1, new_size=size + 1), "new_size"),
                           (dict(old_size=size + 1), "old_size"), (dict(old_size=2**63 - 1, new_size=2**63 - 1), "old_size")]:
        no = world.refused(platform.audit.GetConsistencyProof, api.GetConsistencyProofRequest(book=book, **fields_))
        assert (no.code, no.reason, no.fields) == (grpc.StatusCode.INVALID_ARGUMENT, "TREE_SIZE_INVALID", [field])
    for size_ in (-1, size + 1, 2**63 - 1):
        no = world.refused(platform.audit.GetTreeHead, api.GetTreeHeadRequest(book=book, tree_size=size_))
        assert (no.reason, no.fields) == ("TREE_SIZE_INVALID", ["tree_size"])


def test_names_that_are_none_are_refused(world, lived):
    platform, _ = lived
    api, auditor = world.api.audit, world.auditor.audit
    for request, reason in [({}, "FIELD_REQUIRED"), (dict(payout="payouts/1"), "FIELD_INVALID"),
                            (dict(journal="books/x/journals/0"), "FIELD_INVALID"),
                            (dict(journal="books/nobody/journals/1"), "BOOK_NOT_FOUND"),
                            (dict(payout="platforms/%s/payouts/1" % platform.code), "PAYOUT_NOT_FOUND"),
                            (dict(journal="books/%s/journals/999999" % platform.code), "JOURNAL_NOT_FOUND"),
                            (dict(payout="platforms/a/payouts/1", journal="books/a/journals/1"), "FIELD_CONFLICT")]:
        assert world.refused(auditor.GetInclusionProof, api.GetInclusionProofRequest(**request)).reason == reason, request
    assert world.refused(auditor.GetTreeHead, api.GetTreeHeadRequest(book="books/nobody")).reason == "BOOK_NOT_FOUND"
    no = world.refused(auditor.GetReceipt, api.GetReceiptRequest(payout="platforms/%s/payouts/1" % platform.code))
    assert (no.code, no.reason) == (grpc.StatusCode.NOT_FOUND, "PAYOUT_NOT_FOUND")


def test_a_platform_is_refused_other_books_whether_there_are_any_or_not(world, lived):
    platform, names = lived
    other, bank = world.platform(), world.bank()
    api = world.api.audit
    for party in (other,):
        for code in (platform.code, "nobody"):
            calls = [(party.audit.GetTreeHead, api.GetTreeHeadRequest(book="books/" + code)),
                     (party.audit.GetConsistencyProof, api.GetConsistencyProofRequest(book="books/" + code, old_size=1)),
                     (party.audit.GetInclusionProof, api.GetInclusionProofRequest(journal="books/%s/journals/1" % code)),
                     (party.audit.GetInclusionProof, api.GetInclusionProofRequest(
                         payout="platforms/%s/payouts/%d" % (code, 4))),
                     (party.audit.GetReceipt, api.GetReceiptRequest(payout=names["settled"].name.replace(platform.code, code)))]
            for call, request in calls:
                no = world.refused(call, request)
                assert (no.code, no.reason) == (grpc.StatusCode.PERMISSION_DENIED, "RESOURCE_FORBIDDEN")
    for call, request in [(bank.stub("audit", "AuditService").GetTreeHead, api.GetTreeHeadRequest(book="books/" + platform.code)),
                          (bank.stub("audit", "AuditService").GetReceipt, api.GetReceiptRequest(payout=names["settled"].name)),
                          (platform.audit.GetTrialBalance, api.GetTrialBalanceRequest())]:
        no = world.refused(call, request)
        assert (no.code, no.reason) == (grpc.StatusCode.PERMISSION_DENIED, "ROLE_FORBIDDEN")


def test_a_book_without_a_key_has_no_log_and_says_so(world):
    platform = world.platform()
    no = world.refused(platform.audit.GetTreeHead, world.api.audit.GetTreeHeadRequest(book="books/" + platform.code))
    assert (no.code, no.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "LOG_NOT_KEPT")
    assert "RetryInfo" not in no.details


def test_what_is_not_sealed_yet_is_to_be_asked_again(new_world, keys):
    """The same book with nobody who seals."""
    world = new_world()
    platform, bank = world.platform(), world.bank()
    add_key(world, platform, keys)
    payout = platform.submit(platform.register(bank).name)
    api = world.api.audit
    for call, request in [(platform.audit.GetTreeHead, api.GetTreeHeadRequest(book="books/" + platform.code)),
                          (platform.audit.GetTreeHead, api.GetTreeHeadRequest(book="books/" + platform.code, tree_size=1)),
                          (platform.audit.GetConsistencyProof, api.GetConsistencyProofRequest(
                              book="books/" + platform.code, old_size=1)),
                          (platform.audit.GetReceipt, api.GetReceiptRequest(payout=payout.name))]:
        no = world.refused(call, request)
        assert (no.code, no.reason) == (grpc.StatusCode.UNAVAILABLE, "NOT_SEALED_YET"), request
        assert no.details["RetryInfo"].retry_delay.ToMilliseconds() > 0


def test_rows_that_were_changed_since_are_not_answered_with_but_told_loudly(world, keys):
    platform, bank = world.platform(), world.bank()
    add_key(world, platform, keys)
    payout = platform.submit(platform.register(bank).name, remittance_information="as it was")
    until_sealed(world, platform)
    ask = world.api.audit.GetInclusionProofRequest(payout=payout.name)
    check_inclusion(platform.audit.GetInclusionProof(ask, timeout=SECONDS))
    with world.database.connect(options="-c search_path=ujrat", autocommit=True) as db:
        for table, change, back in [
                ("payout", "info = 'as it is not'", "info = 'as it was'"),
                ("journal", "detail = 'x'", "detail = NULL"),
                ("block", "committed_at = committed_at + interval '1 us'", "committed_at = committed_at - interval '1 us'"),
                ("beneficiary_version", "purpose_code = '9471'", "purpose_code = '9186'")]:
            db.execute("SET session_replication_role = replica")
            db.execute("ALTER TABLE %s DISABLE TRIGGER ALL" % table)
            where = " WHERE book_id = (SELECT book_id FROM book WHERE code = '%s')" % platform.code
            db.execute("UPDATE %s SET %s%s" % (table, change, where))
            no = world.refused(platform.audit.GetInclusionProof, ask)
            assert (no.code, no.reason) == (grpc.StatusCode.INTERNAL, "INTERNAL"), table
            assert "event=log.damaged book=%s" % platform.code in world.gateway.log()
            db.execute("UPDATE %s SET %s%s" % (table, back, where))
            db.execute("ALTER TABLE %s ENABLE ALWAYS TRIGGER append_only" % table)
            check_inclusion(platform.audit.GetInclusionProof(ask, timeout=SECONDS))


def test_proofs_go_on_over_a_change_of_keys(world, keys):
    platform, bank = world.platform(), world.bank()
    add_key(world, platform, keys)
    to = platform.register(bank).name
    old = platform.submit(to)
    until_sealed(world, platform)
    add_key(world, platform, keys)
    new = platform.submit(to)
    until_sealed(world, platform)
    answers = [inclusion(world, platform, payout=p.name) for p in (old, new)]
    for answer in answers:
        check_inclusion(answer)
        assert len(answer.keys) == 2
    assert answers[0].journals[0].block.key_id != answers[1].journals[0].block.key_id == answers[0].tree_head.signed_record.key_id
