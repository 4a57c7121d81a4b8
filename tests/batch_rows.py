"""Batches as rows, for tests of what is made of them: written by SQL, around payouts that the ledger has posted."""


def put_batch(db, book, payouts=(), refused=0, unclaimed=(), sender_batch_id=None):
    """A batch of payouts that there are (their ids), of so many items that were refused, and of items that nobody is known for (seqs of
    journals). Its number; items are numbered in that order. db: a superuser's connection with the ledger's search path."""
    with db.transaction():
        db.execute("SELECT 1 FROM book_head WHERE book_id = %s FOR UPDATE", (book,))
        credential, = db.execute(
            "INSERT INTO rest_credential (client_id, principal_id, secret_salt, secret_sha256, token_key) SELECT 'client-of-book-number-' || %s, "
            "principal_id, substr(sha256('s'), 1, 16), sha256('s'), sha256('t') FROM principal WHERE book_id = %s "
            "ON CONFLICT (client_id) DO UPDATE SET enabled = true RETURNING credential_id", (book, book)).fetchone()
        number, = db.execute("SELECT coalesce(max(batch_id), 0) + 1 FROM payout_batch WHERE book_id = %s", (book,)).fetchone()
        n = len(payouts) + refused + len(unclaimed)
        db.execute("INSERT INTO payout_batch (book_id, batch_id, sender_batch_id, fingerprint, credential_id, items, ccy, amount, created_at) "
                   "SELECT %s, %s, %s, substr(sha256('f'), 1, 16), %s, %s, 840, %s + (SELECT coalesce(sum(gross), 0) FROM payout WHERE book_id = %s "
                   "AND payout_id = ANY (%s::int8[])), clock_timestamp()",
                   (book, number, sender_batch_id or "batch %d" % number, credential, n, (n - len(payouts)) * 1000, book, list(payouts)))
        db.execute("""INSERT INTO payout_batch_item (book_id, batch_id, item_no, payout_id, unclaimed_id, reason, sender_item_id, item_id_reused, gross, recipient_type)
                      SELECT %s, %s, ord, CASE kind WHEN 1 THEN id END, CASE kind WHEN 2 THEN id END, CASE kind WHEN 3 THEN 205 END, 'item ' || ord, false,
                             coalesce((SELECT gross FROM payout WHERE book_id = %s AND payout_id = id AND kind = 1), 1000), 1
                        FROM unnest(%s::int8[], %s::int[]) WITH ORDINALITY x (id, kind, ord)""",
                   (book, number, book, [*payouts, *[0] * refused, *unclaimed], [1] * len(payouts) + [3] * refused + [2] * len(unclaimed)))
        for i, seq in enumerate(unclaimed):
            db.execute("INSERT INTO unclaimed (book_id, unclaimed_id, batch_id, item_no, reference, ccy, gross, expires_at) "
                       "SELECT %s, %s, %s, %s, %s, 840, 1000, clock_timestamp() + interval '30 days'",
                       (book, seq, number, len(payouts) + refused + i + 1, "u-%d-%d" % (number, i)))
    return number


def end_unclaimed(db, book, unclaimed, outcome, seq, payout=None):
    """outcome: 1 claimed (as that payout), 2 expired, 3 cancelled; seq: some journal's, later than the one that set it aside."""
    db.execute("INSERT INTO unclaimed_end (book_id, unclaimed_id, outcome, seq, payout_id) VALUES (%s, %s, %s, %s, %s)",
               (book, unclaimed, outcome, seq, payout))
