-- Webhooks (docs/webhooks.md): endpoints, the events that a book's journals make, and how far their deliveries have come.
-- Whoever changes one of these locks the book's webhook_cursor first. The book itself is not locked: nothing here makes a payout wait.

-- ------------------------------------------------------------------ endpoints

-- A new endpoint. verdict: 1 it is there, 2 the book has that URL already, 3 it has as many as it may. What happens from here on is
-- told; what was before the book's first endpoint never is.
CREATE OR REPLACE FUNCTION create_webhook(p_book integer, p_public_id text, p_url text, p_types text[], p_concurrency smallint,
    p_author text, OUT verdict smallint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ujrat, pg_temp AS $$
DECLARE
    new_id bigint;
BEGIN
    IF NOT EXISTS (SELECT FROM webhook_cursor WHERE book_id = p_book) THEN
        -- All that is committed later has a higher seq, and a higher batch_id.
        INSERT INTO webhook_cursor (book_id, seq, batch_id)
        SELECT h.book_id, h.next_seq - 1, (SELECT coalesce(max(batch_id), 0) FROM payout_batch WHERE book_id = p_book)
          FROM (SELECT book_id, next_seq FROM book_head WHERE book_id = p_book FOR SHARE) h
        ON CONFLICT (book_id) DO NOTHING;
    END IF;
    PERFORM 1 FROM webhook_cursor WHERE book_id = p_book FOR UPDATE;
    IF EXISTS (SELECT FROM webhook_now w WHERE w.book_id = p_book AND w.url = p_url) THEN
        verdict := 2;
        RETURN;
    ELSIF (SELECT count(*) FROM webhook_now w WHERE w.book_id = p_book) >= 10 THEN
        verdict := 3;
        RETURN;
    END IF;
    SELECT coalesce(max(webhook_id), 0) + 1 INTO new_id FROM webhook WHERE book_id = p_book;
    INSERT INTO webhook (book_id, webhook_id, public_id, created_at) VALUES (p_book, new_id, p_public_id, clock_timestamp());
    INSERT INTO webhook_version (book_id, webhook_id, version, url, event_types, concurrency, state, reason, author, changed_at)
    VALUES (p_book, new_id, 1, p_url, p_types, p_concurrency, 'ENABLED', 'created', p_author, clock_timestamp());
    verdict := 1;
END $$;

-- The endpoint becomes what is given; NULL leaves as it is. Another URL enables a disabled one. verdict: 1 done, 2 another endpoint has
-- that URL, 4 there is no such endpoint.
CREATE OR REPLACE FUNCTION change_webhook(p_book integer, p_public_id text, p_url text, p_types text[], p_concurrency smallint,
    p_state text, p_reason text, p_author text, OUT verdict smallint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ujrat, pg_temp AS $$
DECLARE
    w record;
BEGIN
    PERFORM 1 FROM webhook_cursor WHERE book_id = p_book FOR UPDATE;
    SELECT * INTO w FROM webhook_now n WHERE n.book_id = p_book AND n.public_id = p_public_id;
    IF NOT FOUND THEN
        verdict := 4;
        RETURN;
    ELSIF EXISTS (SELECT FROM webhook_now n WHERE n.book_id = p_book AND n.url = p_url AND n.webhook_id <> w.webhook_id) THEN
        verdict := 2;
        RETURN;
    END IF;
    INSERT INTO webhook_version (book_id, webhook_id, version, url, event_types, concurrency, state, reason, author, changed_at)
    VALUES (p_book, w.webhook_id, w.version + 1, coalesce(p_url, w.url), coalesce(p_types, w.event_types),
            coalesce(p_concurrency, w.concurrency),
            coalesce(p_state, CASE WHEN p_url <> w.url THEN 'ENABLED' ELSE w.state END), p_reason, p_author, clock_timestamp());
    IF p_state = 'DELETED' THEN
        UPDATE webhook_delivery SET state = 'DROPPED', last_error = 'the webhook was deleted'
         WHERE book_id = p_book AND webhook_id = w.webhook_id AND state = 'PENDING';
    END IF;
    verdict := 1;
END $$;

-- The endpoint said that it is gone. Nothing happens if it was changed meanwhile. What waits for it stays as it is.
CREATE OR REPLACE FUNCTION disable_webhook(p_book integer, p_webhook bigint, p_version integer, p_reason text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ujrat, pg_temp AS $$
BEGIN
    PERFORM 1 FROM webhook_cursor WHERE book_id = p_book FOR UPDATE;
    INSERT INTO webhook_version (book_id, webhook_id, version, url, event_types, concurrency, state, reason, author, changed_at)
    SELECT book_id, webhook_id, version + 1, url, event_types, concurrency, 'DISABLED', left(p_reason, 200), session_user, clock_timestamp()
      FROM webhook_now WHERE book_id = p_book AND webhook_id = p_webhook AND version = p_version AND state = 'ENABLED';
    RETURN FOUND;
END $$;

CREATE OR REPLACE FUNCTION add_webhook_key(p_kind text, p_public bytea) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ujrat, pg_temp AS $$
DECLARE
    id text := encode(substring(sha256(p_public), 1, 8), 'hex');
BEGIN
    INSERT INTO webhook_key (key_id, kind, public_key, created_at) VALUES (id, p_kind, p_public, clock_timestamp())
    ON CONFLICT (key_id) DO NOTHING;
    RETURN id;
END $$;

-- ------------------------------------------------------------------ events

-- For the events after p_after, a delivery to each endpoint that wants it. One that has to wait for another is due when that has ended.
CREATE OR REPLACE FUNCTION fan_out_events(p_book integer, p_after bigint) RETURNS void
LANGUAGE sql SET search_path = ujrat, pg_temp AS $$
    INSERT INTO webhook_delivery (book_id, webhook_id, event_no, batch_id, item_no, state, next_at, created_at)
    SELECT e.book_id, w.webhook_id, e.event_no, e.batch_id, e.item_no, 'PENDING',
           CASE WHEN lag(e.event_no) OVER (PARTITION BY w.webhook_id, e.batch_id, e.item_no ORDER BY e.event_no) IS NOT NULL
                  OR EXISTS (SELECT FROM webhook_delivery d WHERE d.book_id = p_book AND d.webhook_id = w.webhook_id
                                AND d.batch_id = e.batch_id AND d.item_no = e.item_no AND d.state = 'PENDING')
                THEN 'infinity' ELSE clock_timestamp() END, clock_timestamp()
      FROM webhook_event e
      JOIN webhook_event_kind k USING (kind)
      JOIN webhook_now w ON w.book_id = e.book_id AND w.state = 'ENABLED' AND w.event_types && ARRAY['*', k.name]
     WHERE e.book_id = p_book AND e.event_no > p_after AND NOT e.simulated
     ORDER BY e.event_no, w.webhook_id;
$$;

-- The first batch after p_batch: what became of it when it was taken. Answers its number; NULL: there is none.
CREATE OR REPLACE FUNCTION make_batch_events(p_book integer, p_batch bigint, p_event bigint, OUT batch_id bigint, OUT events bigint)
LANGUAGE plpgsql SET search_path = ujrat, pg_temp AS $$
DECLARE
    b payout_batch;
    n record;
BEGIN
    SELECT * INTO b FROM payout_batch p WHERE p.book_id = p_book AND p.batch_id > p_batch ORDER BY p.batch_id LIMIT 1;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    batch_id := b.batch_id;
    SELECT count(*) FILTER (WHERE i.payout_id IS NOT NULL)::integer AS pending, count(*) FILTER (WHERE i.reason IS NOT NULL) AS refused,
           coalesce(sum(o.fee), 0)::bigint AS fees INTO n
      FROM payout_batch_item i LEFT JOIN payout o ON o.book_id = i.book_id AND o.payout_id = i.payout_id
     WHERE i.book_id = p_book AND i.batch_id = b.batch_id;
    INSERT INTO webhook_batch (book_id, batch_id, pending, ended) VALUES (p_book, b.batch_id, n.pending, n.pending = 0);
    INSERT INTO webhook_event (book_id, event_no, kind, status, batch_id, item_no, seq, reason, fees, at)
    SELECT p_book, p_event + row_number() OVER (ORDER BY x.nth, x.item_no), x.kind, x.status, b.batch_id, x.item_no, x.seq, x.reason, x.fees,
           b.created_at
      FROM (SELECT 1 AS nth, 0 AS item_no, 1 AS kind, 'PROCESSING' AS status, NULL::bigint AS seq, NULL::smallint AS reason, n.fees AS fees
            UNION ALL
            SELECT 2, i.item_no, CASE WHEN i.reason IS NOT NULL THEN 5 ELSE 6 END, CASE WHEN i.reason IS NOT NULL THEN 'FAILED' ELSE 'UNCLAIMED' END,
                   i.unclaimed_id, i.reason, 0
              FROM payout_batch_item i WHERE i.book_id = p_book AND i.batch_id = b.batch_id AND i.payout_id IS NULL
            UNION ALL
            SELECT 3, 0, CASE WHEN n.refused = b.items THEN 3 ELSE 2 END, CASE WHEN n.refused = b.items THEN 'DENIED' ELSE 'SUCCESS' END,
                   NULL, NULL, n.fees
             WHERE n.pending = 0) x;
    GET DIAGNOSTICS events = ROW_COUNT;
END $$;

-- What became of items in the journals (p_after, p_upto]: a row each, also of those that are only counted (kind NULL). change: of how many
-- payouts of the batch are not at an end.
CREATE OR REPLACE FUNCTION item_news(p_book integer, p_after bigint, p_upto bigint)
RETURNS TABLE (seq bigint, batch_id bigint, item_no integer, payout_id bigint, kind smallint, status text, reason_code text, fees bigint, change integer)
LANGUAGE sql STABLE SET search_path = ujrat, pg_temp AS $$
    WITH moved AS (
        SELECT t.*, coalesce(i.batch_id, u.batch_id) AS batch_id, coalesce(i.item_no, u.item_no) AS item_no
          FROM payout_transition t
          LEFT JOIN payout_batch_item i ON i.book_id = t.book_id AND i.payout_id = t.payout_id
          LEFT JOIN unclaimed_end c ON c.book_id = t.book_id AND c.payout_id = t.payout_id
          LEFT JOIN unclaimed u ON u.book_id = c.book_id AND u.unclaimed_id = c.unclaimed_id
         WHERE t.book_id = p_book AND t.seq > p_after AND t.seq <= p_upto AND t.seq > 0   -- the index says so too
    )
    SELECT m.seq, m.batch_id, m.item_no, m.payout_id,
           CASE m.state WHEN 4 THEN 4 WHEN 5 THEN 5 WHEN 6 THEN 7 WHEN 10 THEN 10 WHEN 7 THEN 11 WHEN 2 THEN 8 WHEN 9 THEN 9 END::smallint,
           CASE m.state WHEN 4 THEN 'SUCCESS' WHEN 5 THEN 'FAILED' WHEN 6 THEN 'REVERSED' WHEN 10 THEN 'REFUNDED' WHEN 7 THEN 'RETURNED'
                        WHEN 2 THEN 'ONHOLD' WHEN 9 THEN 'BLOCKED' END,
           CASE WHEN m.state <> 4 THEN m.reason_code END, o.fee, CASE WHEN m.step = 1 THEN -1 ELSE 0 END
      FROM moved m JOIN payout o ON o.book_id = p_book AND o.payout_id = m.payout_id
     WHERE m.batch_id IS NOT NULL
    UNION ALL
    SELECT c.seq, u.batch_id, u.item_no, c.payout_id, CASE c.outcome WHEN 2 THEN 7 WHEN 3 THEN 11 END::smallint,
           CASE WHEN c.outcome <> 1 THEN 'RETURNED' END, NULL, 0, CASE c.outcome WHEN 1 THEN 1 ELSE 0 END
      FROM unclaimed_end c JOIN unclaimed u USING (book_id, unclaimed_id)
     WHERE c.book_id = p_book AND c.seq > p_after AND c.seq <= p_upto
    UNION ALL
    SELECT h.seq, coalesce(i.batch_id, u.batch_id), coalesce(i.item_no, u.item_no), h.payout_id, 8::smallint, 'ONHOLD', NULL, o.fee, 0
      FROM payout_hold h
      JOIN payout o ON o.book_id = h.book_id AND o.payout_id = h.payout_id
      LEFT JOIN payout_batch_item i ON i.book_id = h.book_id AND i.payout_id = h.payout_id
      LEFT JOIN unclaimed_end c ON c.book_id = h.book_id AND c.payout_id = h.payout_id
      LEFT JOIN unclaimed u ON u.book_id = c.book_id AND u.unclaimed_id = c.unclaimed_id
     WHERE h.book_id = p_book AND h.seq > p_after AND h.seq <= p_upto AND coalesce(i.batch_id, u.batch_id) IS NOT NULL;
$$;

-- Payouts of a batch that were not at an end after the journal p_seq.
CREATE OR REPLACE FUNCTION batch_pending(p_book integer, p_batch bigint, p_seq bigint) RETURNS integer
LANGUAGE sql STABLE SET search_path = ujrat, pg_temp AS $$
    SELECT count(*)::integer
      FROM payout_batch_item i
      LEFT JOIN unclaimed_end c ON c.book_id = i.book_id AND c.unclaimed_id = i.unclaimed_id AND c.outcome = 1 AND c.seq <= p_seq
     WHERE i.book_id = p_book AND i.batch_id = p_batch AND coalesce(i.payout_id, c.payout_id) <= p_seq
       AND NOT EXISTS (SELECT FROM payout_transition t WHERE t.book_id = p_book AND t.payout_id = coalesce(i.payout_id, c.payout_id)
                          AND t.step = 1 AND t.seq <= p_seq);
$$;

-- What the items of a batch had come to after the journal p_seq: the fees of its payouts, also of those that were claimed, and how many
-- of them were cancelled. Whatever happened later makes no difference.
CREATE OR REPLACE FUNCTION batch_sums(p_book integer, p_batch bigint, p_seq bigint, OUT items bigint, OUT cancelled bigint, OUT fees bigint)
LANGUAGE sql STABLE SET search_path = ujrat, pg_temp AS $$
    SELECT count(*), count(*) FILTER (WHERE c.outcome = 3 OR EXISTS (SELECT FROM payout_transition t WHERE t.book_id = p_book
                                                                        AND t.payout_id = o.payout_id AND t.state = 7 AND t.seq <= p_seq)),
           coalesce(sum(o.fee), 0)::bigint
      FROM payout_batch_item i
      LEFT JOIN unclaimed_end c ON c.book_id = i.book_id AND c.unclaimed_id = i.unclaimed_id AND c.seq <= p_seq
      LEFT JOIN payout o ON o.book_id = i.book_id AND o.payout_id = coalesce(i.payout_id, c.payout_id)
     WHERE i.book_id = p_book AND i.batch_id = p_batch
$$;

-- The events of the journals (p_after, p_upto]. A batch is over with the first journal after which none of its payouts is
-- under way: it has succeeded, or, all its items taken back, is cancelled, which PayPal has no event of its own for.
CREATE OR REPLACE FUNCTION make_item_events(p_book integer, p_after bigint, p_upto bigint, p_event bigint) RETURNS bigint
LANGUAGE plpgsql SET search_path = ujrat, pg_temp AS $$
DECLARE
    made bigint;
BEGIN
    -- Batches from before the book's first endpoint are counted when they are first met.
    INSERT INTO webhook_batch (book_id, batch_id, pending, ended)
    SELECT p_book, x.batch_id, x.pending, x.pending = 0
      FROM (SELECT b.batch_id, batch_pending(p_book, b.batch_id, p_after) AS pending
              FROM (SELECT DISTINCT n.batch_id FROM item_news(p_book, p_after, p_upto) n) b
             WHERE NOT EXISTS (SELECT FROM webhook_batch w WHERE w.book_id = p_book AND w.batch_id = b.batch_id)) x;
    WITH news AS MATERIALIZED (
        SELECT n.*, w.ended, w.pending + sum(n.change) OVER (PARTITION BY n.batch_id ORDER BY n.seq) AS left_over
          FROM item_news(p_book, p_after, p_upto) n JOIN webhook_batch w ON w.book_id = p_book AND w.batch_id = n.batch_id
    ), ending AS (
        SELECT n.batch_id, min(n.seq) AS seq FROM news n WHERE NOT n.ended AND n.left_over = 0 GROUP BY n.batch_id
    ), counted AS (
        UPDATE webhook_batch w
           SET pending = greatest(w.pending + t.change, 0), ended = w.ended OR t.ends
          FROM (SELECT n.batch_id, sum(n.change)::integer AS change, bool_or(e.batch_id IS NOT NULL) AS ends
                  FROM news n LEFT JOIN ending e USING (batch_id) GROUP BY n.batch_id) t
         WHERE w.book_id = p_book AND w.batch_id = t.batch_id
    ), event AS (
        SELECT n.seq, 1 AS nth, n.kind, n.status, n.batch_id, n.item_no, n.payout_id, n.reason_code, n.fees FROM news n WHERE n.kind IS NOT NULL
        UNION ALL
        SELECT e.seq, 2, 2::smallint, CASE WHEN s.cancelled = s.items THEN 'CANCELED' ELSE 'SUCCESS' END, e.batch_id, 0, NULL, NULL, s.fees
          FROM ending e CROSS JOIN LATERAL batch_sums(p_book, e.batch_id, e.seq) s
    )
    INSERT INTO webhook_event (book_id, event_no, kind, status, batch_id, item_no, payout_id, seq, reason_code, fees, at)
    SELECT p_book, p_event + row_number() OVER (ORDER BY e.seq, e.nth, e.batch_id, e.item_no), e.kind, e.status, e.batch_id, e.item_no, e.payout_id,
           CASE e.nth WHEN 1 THEN e.seq END, e.reason_code, e.fees, k.committed_at
      FROM event e
      JOIN journal j ON j.book_id = p_book AND j.seq = e.seq
      JOIN block k ON k.book_id = p_book AND k.block_no = j.block_no;
    GET DIAGNOSTICS made = ROW_COUNT;
    RETURN made;
END $$;

-- Makes the events of what was committed in the book since the last call: of one batch, or of at most p_limit journals. Rows, deliveries and
-- cursor in one commit: each event once, under one number. more: there may be some left.
CREATE OR REPLACE FUNCTION make_webhook_events(p_book integer, p_limit integer, OUT events bigint, OUT more boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ujrat, pg_temp AS $$
DECLARE
    c webhook_cursor;
    upto bigint;
    batch record;
BEGIN
    -- Once an event was sent its number must stay its own, whatever crashes: this commit is waited for.
    PERFORM set_config('synchronous_commit', 'on', true);
    SELECT * INTO c FROM webhook_cursor WHERE book_id = p_book FOR UPDATE;
    IF NOT FOUND THEN
        events := 0;
        more := false;
        RETURN;
    END IF;
    -- Looked at before the batches: what happened to the payouts of a batch is read only when the batch itself has been.
    SELECT least(next_seq - 1, c.seq + p_limit) INTO upto FROM book_head WHERE book_id = p_book;
    batch := make_batch_events(p_book, c.batch_id, c.event_no);
    IF batch.batch_id IS NOT NULL THEN
        c.batch_id := batch.batch_id;
        events := batch.events;
        more := true;
    ELSE
        events := make_item_events(p_book, c.seq, upto, c.event_no);
        more := upto = c.seq + p_limit;
        c.seq := upto;
    END IF;
    UPDATE webhook_cursor SET seq = c.seq, batch_id = c.batch_id, event_no = c.event_no + make_webhook_events.events WHERE book_id = p_book;
    PERFORM fan_out_events(p_book, c.event_no);
END $$;

-- Books with an endpoint where something was committed since their events were made.
CREATE OR REPLACE FUNCTION webhook_books() RETURNS SETOF integer
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = ujrat, pg_temp AS $$
    SELECT c.book_id FROM webhook_cursor c JOIN book_head h USING (book_id)
     WHERE h.next_seq - 1 > c.seq OR EXISTS (SELECT FROM payout_batch b WHERE b.book_id = c.book_id AND b.batch_id > c.batch_id)
     ORDER BY c.book_id;
$$;

-- An event that did not happen, for one endpoint to try itself with. Answers its number; NULL: there is no such endpoint, or kind.
CREATE OR REPLACE FUNCTION simulate_webhook_event(p_book integer, p_public_id text, p_url text, p_name text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ujrat, pg_temp AS $$
DECLARE
    w record;
    k webhook_event_kind;
    number bigint;
BEGIN
    PERFORM 1 FROM webhook_cursor WHERE book_id = p_book FOR UPDATE;
    SELECT * INTO w FROM webhook_now n WHERE n.book_id = p_book AND (n.public_id = p_public_id OR n.url = p_url);
    SELECT * INTO k FROM webhook_event_kind WHERE name = p_name;
    IF w.webhook_id IS NULL OR k.kind IS NULL THEN
        RETURN NULL;
    END IF;
    UPDATE webhook_cursor SET event_no = event_no + 1 WHERE book_id = p_book RETURNING event_no INTO number;
    INSERT INTO webhook_event (book_id, event_no, kind, status, batch_id, item_no, fees, at, simulated)
    VALUES (p_book, number, k.kind, (ARRAY['PROCESSING', 'SUCCESS', 'DENIED', 'SUCCESS', 'FAILED', 'UNCLAIMED', 'RETURNED', 'ONHOLD', 'BLOCKED',
                                           'REFUNDED', 'RETURNED', 'DENIED'])[k.kind],
            0, CASE WHEN k.kind <= 3 THEN 0 ELSE number % 15000 + 1 END, 0, clock_timestamp(), true);
    INSERT INTO webhook_delivery (book_id, webhook_id, event_no, batch_id, item_no, state, next_at, created_at)
    SELECT p_book, w.webhook_id, e.event_no, 0, e.item_no, 'PENDING', clock_timestamp(), clock_timestamp()
      FROM webhook_event e WHERE e.book_id = p_book AND e.event_no = number;
    RETURN number;
END $$;

-- ------------------------------------------------------------------ deliveries

-- What became of an attempt, the p_attempt-th. p_state: DELIVERED, FAILED (given up), or PENDING (again in p_wait_ms). The next event of the
-- same item is due when this one has ended. False: the delivery is not what it was when it was taken.
CREATE OR REPLACE FUNCTION record_webhook_delivery(p_book integer, p_webhook bigint, p_event bigint, p_attempt smallint, p_state text,
    p_status smallint, p_error text, p_wait_ms bigint)
RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = ujrat, pg_temp AS $$
DECLARE
    d webhook_delivery;
    following bigint;
BEGIN
    UPDATE webhook_delivery SET state = p_state, attempts = p_attempt, last_at = clock_timestamp(), last_status = p_status,
           last_error = left(p_error, 200), next_at = clock_timestamp() + coalesce(p_wait_ms, 0) * interval '1 ms'
     WHERE book_id = p_book AND webhook_id = p_webhook AND event_no = p_event AND state = 'PENDING' AND attempts = p_attempt - 1
    RETURNING * INTO d;
    IF NOT FOUND THEN
        RETURN false;
    ELSIF p_state <> 'PENDING' THEN
        SELECT event_no INTO following FROM webhook_delivery n
         WHERE n.book_id = p_book AND n.webhook_id = p_webhook AND n.batch_id = d.batch_id AND n.item_no = d.item_no AND n.state = 'PENDING'
         ORDER BY n.event_no LIMIT 1;
        UPDATE webhook_delivery SET next_at = clock_timestamp()
         WHERE book_id = p_book AND webhook_id = p_webhook AND event_no = following AND next_at = 'infinity';
    END IF;
    RETURN true;
END $$;

-- Tells the events p_from to p_upto again: to the endpoint, or to each that they were for (NULL). p_public_ids: NULL for all that are
-- enabled. Those that are waiting anyway are due at once. Answers how many deliveries that makes.
CREATE OR REPLACE FUNCTION resend_webhook_events(p_book integer, p_public_ids text[], p_from bigint, p_upto bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ujrat, pg_temp AS $$
DECLARE
    made bigint;
BEGIN
    PERFORM 1 FROM webhook_cursor WHERE book_id = p_book FOR UPDATE;
    INSERT INTO webhook_delivery AS d (book_id, webhook_id, event_no, batch_id, item_no, state, next_at, created_at)
    SELECT e.book_id, w.webhook_id, e.event_no, e.batch_id, e.item_no, 'PENDING',
           CASE WHEN lag(e.event_no) OVER (PARTITION BY w.webhook_id, e.batch_id, e.item_no ORDER BY e.event_no) IS NOT NULL
                THEN 'infinity' ELSE clock_timestamp() END, clock_timestamp()
      FROM webhook_event e
      JOIN webhook_event_kind k USING (kind)
      JOIN webhook_now w ON w.book_id = e.book_id AND w.state = 'ENABLED'
                        AND CASE WHEN p_public_ids IS NULL THEN w.event_types && ARRAY['*', k.name] ELSE w.public_id = ANY (p_public_ids) END
     WHERE e.book_id = p_book AND e.event_no BETWEEN p_from AND p_upto
       AND (NOT e.simulated OR EXISTS (SELECT FROM webhook_delivery x WHERE x.book_id = p_book AND x.event_no = e.event_no AND x.webhook_id = w.webhook_id))
     ORDER BY e.event_no, w.webhook_id
    ON CONFLICT (book_id, event_no, webhook_id) DO UPDATE SET state = 'PENDING', attempts = 0,
       next_at = CASE WHEN d.state = 'PENDING' AND d.next_at = 'infinity' THEN d.next_at ELSE EXCLUDED.next_at END;
    GET DIAGNOSTICS made = ROW_COUNT;
    RETURN made;
END $$;
