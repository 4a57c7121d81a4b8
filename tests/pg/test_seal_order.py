"""What the ledger holds of seals and keys, whoever computes them: one after the other, and with the key that is in force."""
import hashlib
import threading
import time

import psycopg
import pytest

SEALS = """SELECT seal_blocks(1, array(SELECT ROW(no, sha256('root'), sha256('node'), sha256('leaf'), key, sha512('signature'))::block_seal_draft
                                         FROM unnest(%s::bigint[], %s::text[]) WITH ORDINALITY t (no, key, ord) ORDER BY ord),
                              sha256('tree'), clock_timestamp(), %s, sha512('signature'))"""


def add_key(db, name, from_block, signed_by):
    """The key's id; signed_by None: itself."""
    public = hashlib.sha256(name.encode()).digest()
    own = hashlib.sha256(public).hexdigest()[:16]
    db.execute("SELECT add_log_key(1, %s, %s, clock_timestamp(), %s, sha512('signature'))", (from_block, public, signed_by or own))
    return own


def seal(db, *blocks, head=None):
    """blocks: (number, key)"""
    return db.execute(SEALS, ([b for b, _ in blocks], [k for _, k in blocks], head or blocks[-1][1])).fetchone()[0]


@pytest.fixture
def book(db):
    """A book of eight blocks in a transaction of its own."""
    with db.transaction(force_rollback=True):
        db.execute("SELECT open_book('sealed', 'Sealed')")
        db.execute("SELECT open_currency(1, 'USD'); SELECT add_principal('ujrat://system/t', 'system')")
        for i in range(8):
            db.execute("SELECT deposit_float(1, (SELECT principal_id FROM principal WHERE uri = 'ujrat://system/t'), 'USD', 1, %s)", ("d%d" % i,))
        yield db


def refused(db, state, call, *arguments, **options):
    with pytest.raises(psycopg.Error) as error, db.transaction():
        call(db, *arguments, **options)
    assert error.value.sqlstate == state, error.value


def test_seals_follow_one_another_and_blocks(book):
    a = add_key(book, "a", 1, None)
    refused(book, "23503", seal, (2, a))                 # the one before is missing
    refused(book, "23503", seal, (1, a), (3, a))
    refused(book, "UJ604", seal, (2, a), (1, a))
    assert seal(book, (1, a), (2, a)) == 2
    refused(book, "23505", seal, (2, a))
    refused(book, "23503", seal, *((n, a) for n in range(3, 10)))    # there is no ninth block
    assert book.execute("SELECT count(*) FROM block_seal").fetchone()[0] == 2


def test_a_block_is_sealed_with_the_key_in_force_for_it(book):
    a = add_key(book, "a", 1, None)
    seal(book, (1, a), (2, a))
    b = add_key(book, "b", 4, a)
    refused(book, "UJ409", seal, (3, b))
    refused(book, "UJ409", seal, (3, a), (4, a))
    refused(book, "UJ409", seal, (3, a), (4, b), head=a)
    assert seal(book, (3, a), (4, b)) == 4
    assert seal(book, (5, b)) == 5


def test_a_key_comes_after_what_is_sealed_and_is_signed_by_the_one_before(book):
    refused(book, "UJ409", add_key, "a", 2, None)        # the first signs from block 1
    a = add_key(book, "a", 1, None)
    assert add_key(book, "a", 1, None) == a, "the same again changes nothing"
    seal(book, (1, a), (2, a))
    refused(book, "UJ409", add_key, "b", 2, a)
    refused(book, "UJ409", add_key, "b", 3, None)
    b = add_key(book, "b", 3, a)
    refused(book, "UJ409", add_key, "c", 9, a)
    add_key(book, "c", 9, b)


def test_a_key_waits_for_the_sealing_that_is_under_way_and_is_refused_if_that_took_its_block(database):
    with psycopg.connect(database, autocommit=True, options="-c search_path=ujrat") as one, \
            psycopg.connect(database, autocommit=True, options="-c search_path=ujrat") as two:
        one.execute("SELECT open_book('sealed', 'Sealed')")
        one.execute("SELECT open_currency(1, 'USD'); SELECT add_principal('ujrat://system/t', 'system')")
        for i in range(3):
            one.execute("SELECT deposit_float(1, (SELECT principal_id FROM principal WHERE uri = 'ujrat://system/t'), 'USD', 1, %s)", ("d%d" % i,))
        a = add_key(one, "a", 1, None)
        outcome = []

        def late():
            try:
                add_key(two, "b", 2, a)
                outcome.append(None)
            except psycopg.Error as error:
                outcome.append(error.sqlstate)

        with one.transaction():
            seal(one, (1, a), (2, a))
            other = threading.Thread(target=late)
            other.start()
            until = time.monotonic() + 20
            while not one.execute("SELECT 1 FROM pg_stat_activity WHERE pid = %s AND wait_event_type = 'Lock'",
                                  (two.info.backend_pid,)).fetchall():
                assert time.monotonic() < until and not outcome, outcome
                time.sleep(0.01)
        other.join()
        assert outcome == ["UJ409"], "it saw what was sealed"
