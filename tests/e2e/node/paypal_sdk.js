// PayPal's own Payouts SDK, as it comes from npm, against a gateway: node paypal_sdk.js PLAN.json. All that a platform
// changes is the base URL. Prints {"case": what it saw}, and what went wrong instead; exit 1 if anything did. What the
// ledger holds afterwards is looked at by test_paypal_sdk.py.
'use strict';
const assert = require('assert');
const fs = require('fs');
const { core, payouts } = require('@paypal/payouts-sdk');

const plan = JSON.parse(fs.readFileSync(process.argv[2]));

class UjratEnvironment extends core.PayPalEnvironment {
  constructor(id, secret) {
    super(id, secret, plan.base_url, plan.base_url);
  }
}
const client = new core.PayPalHttpClient(new UjratEnvironment(plan.client_id, plan.client_secret));

// No answer is not a failure: the same request once more. With a PayPal-Request-Id it is done once.
const surely = async (request) => {
  for (;;) {
    try {
      return await client.execute(request());
    } catch (error) {
      if (error.statusCode !== undefined && error.statusCode !== 503) throw error;
    }
  }
};
const post = (body, request_id) => {
  const request = new payouts.PayoutsPostRequest().requestBody(body);
  return request_id === undefined ? request : request.payPalRequestId(request_id);
};
const refused = async (promise) => {
  const error = await promise.then((answer) => assert.fail('was not refused: ' + JSON.stringify(answer)), (e) => e);
  if (error instanceof assert.AssertionError || error.statusCode === undefined) throw error;
  // as PayPal's samples read it
  const failure = JSON.parse(error.message);
  assert.strictEqual(error.headers['paypal-debug-id'], failure.debug_id);
  return { status: error.statusCode, ...failure };
};
const item = (receiver, value, more = {}) => ({ receiver, amount: { currency: 'USD', value }, ...more });
const batch = (sender_batch_id, ...items) => ({
  sender_batch_header: { sender_batch_id, recipient_type: 'EMAIL', email_subject: 'You have a payout' }, items,
});
const link = (answer, rel) => answer.links.find((l) => l.rel === rel).href;

const first = batch('sdk-1', ...plan.receivers.map((r, i) => item(r, `${20 + i}.50`, { sender_item_id: `first-${i}`, note: `Invoice ${i}` })),
  item('nobody@example.com', '12.00', { sender_item_id: 'nobody' }));
let first_id;

const cases = {
  async creates() {
    const answer = await surely(() => post(first, 'request-1'));
    assert.strictEqual(answer.statusCode, 201);
    const header = answer.result.batch_header;
    first_id = header.payout_batch_id;
    assert.strictEqual(link(answer.result, 'self'), `${plan.base_url}/v1/payments/payouts/${first_id}`);
    return { status: header.batch_status, sender_batch_id: header.sender_batch_header.sender_batch_id };
  },
  async gets_by_pages() {
    const seen = [];
    let total;
    for (let page = 1; total === undefined || page <= total; page++) {
      const { statusCode, result } = await client.execute(
        new payouts.PayoutsGetRequest(first_id).page(page).pageSize(2).totalRequired(true));
      assert.strictEqual(statusCode, 200);
      assert.strictEqual(result.batch_header.payout_batch_id, first_id);
      total = result.total_pages;
      seen.push(...result.items);
    }
    return { pages: total, items: seen.map((i) => [i.payout_item.sender_item_id, i.transaction_status, i.payout_item.amount.value]) };
  },
  async gets_some_fields() {
    const of = async (fields) => (await client.execute(new payouts.PayoutsGetRequest(first_id).fields(fields))).result;
    return { header: 'items' in (await of('batch_header')), items: 'batch_header' in (await of('items')) };
  },
  async gets_an_item() {
    const [one] = (await client.execute(new payouts.PayoutsGetRequest(first_id))).result.items;
    const { result } = await client.execute(new payouts.PayoutsItemGetRequest(one.payout_item_id));
    assert.deepStrictEqual({ ...result, sender_batch_id: undefined }, { ...one, sender_batch_id: undefined });
    return { receiver: result.payout_item.receiver, to: result.currency_conversion.to_amount, transaction_id: result.transaction_id };
  },
  async cancels_what_nobody_claimed() {
    const { items } = (await client.execute(new payouts.PayoutsGetRequest(first_id))).result;
    const { payout_item_id } = items.find((i) => i.transaction_status === 'UNCLAIMED');
    const { result } = await client.execute(new payouts.PayoutsItemCancelRequest(payout_item_id));
    const again = await refused(client.execute(new payouts.PayoutsItemCancelRequest(payout_item_id)));
    return { status: result.transaction_status, again: [again.status, again.name] };
  },
  async is_told_of_a_duplicate() {
    const same = await client.execute(post(first, 'request-1'));
    const error = await refused(client.execute(post(first)));
    const other = await refused(client.execute(post(batch('sdk-other', item(plan.receivers[0], '1.00')), 'request-1')));
    return { same: same.result.batch_header.payout_batch_id === first_id, status: error.status, name: error.name,
             original: error.links[0].href.endsWith('/' + first_id), field: error.details[0].field, other: [other.status, other.name] };
  },
  async is_refused_with_a_wrong_secret() {
    // The SDK keeps tokens by client id: a wrong id beside a wrong secret, or it would use the good one's.
    const out = [];
    for (const id of [plan.second_id, 'A'.repeat(33)]) {
      const wrong = new core.PayPalHttpClient(new UjratEnvironment(id, plan.client_secret + 'x'));
      const error = await refused(wrong.execute(new payouts.PayoutsGetRequest(first_id)));
      out.push([error.status, error.error]);
    }
    return out;
  },
  async is_told_what_is_malformed() {
    const bad = batch('sdk-bad', item(plan.receivers[0], '10.00'), item('no address', '10.00'), item(plan.receivers[1], 'ten'),
      { receiver: plan.receivers[2] });
    const error = await refused(client.execute(post(bad)));
    const none = await refused(client.execute(new payouts.PayoutsGetRequest('no-such-batch')));
    const much = await refused(client.execute(post(batch('sdk-much', ...plan.receivers.map((r) => item(r, '20000.00'))))));
    return { status: error.status, name: error.name, fields: error.details.map((d) => d.field), locations: [...new Set(error.details.map((d) => d.location))],
             none: [none.status, none.name], much: [much.status, much.name] };
  },
  async sends_fifteen_thousand() {
    const items = Array.from({ length: plan.many }, (_, i) => item(plan.receivers[i % plan.receivers.length], '2.25', { sender_item_id: `many-${i}` }));
    const body = batch('sdk-many', ...items);
    const { statusCode, result } = await surely(() => post(body, 'request-many'));
    assert.strictEqual(statusCode, 201);
    const id = result.batch_header.payout_batch_id;
    const names = new Set();
    for (let page = 1, pages = 1; page <= pages; page++) {
      const answer = (await surely(() => new payouts.PayoutsGetRequest(id).page(page).pageSize(1000).totalRequired(true))).result;
      pages = answer.total_pages;
      answer.items.forEach((i) => names.add(i.payout_item.sender_item_id));
    }
    const tooMany = await refused(client.execute(post(batch('sdk-too-many', ...items, items[0]))));
    return { items: names.size, tooMany: [tooMany.status, tooMany.details[0].field] };
  },
  // The SDK asks for another token half a second before the one it has expires ...
  async fetches_a_token_when_its_own_is_old() {
    const fetched = [];
    const watched = new core.PayPalHttpClient(new UjratEnvironment(plan.second_id, plan.second_secret));
    const fetch = watched.fetchAccessToken;
    watched.fetchAccessToken = function () { fetched.push('token'); return fetch.call(this); };
    const ask = async (request) => { const { statusCode } = await watched.execute(request); fetched.push(statusCode); };
    await ask(new payouts.PayoutsGetRequest(first_id));
    await ask(new payouts.PayoutsGetRequest(first_id));
    await new Promise((done) => setTimeout(done, plan.token_seconds * 1000 + 200));
    await ask(new payouts.PayoutsGetRequest(first_id));
    return fetched;
  },
  // ... and when it was told 401. A request that is sent again still carries its old token.
  async fetches_a_token_when_it_is_told_401() {
    let fetched = 0;
    const watched = new core.PayPalHttpClient(new UjratEnvironment(plan.third_id, plan.third_secret));
    const fetch = watched.fetchAccessToken;
    watched.fetchAccessToken = function () { fetched++; return fetch.call(this); };
    const request = post(batch('sdk-expiring', item(plan.receivers[0], '33.00')), 'request-expiring');
    const before = (await watched.execute(request)).result.batch_header.payout_batch_id;
    const token = request.headers.Authorization;
    await new Promise((done) => setTimeout(done, plan.token_seconds * 1000 + 1200));
    const answer = await watched.execute(request);
    return { status: answer.statusCode, same: answer.result.batch_header.payout_batch_id === before, fetched, another: request.headers.Authorization !== token };
  },
};

(async () => {
  const seen = {};
  for (const [name, test] of Object.entries(cases)) {
    try {
      seen[name] = await test();
    } catch (error) {
      seen[name] = error.stack + (error.statusCode ? ` (${error.statusCode})` : '');
      process.exitCode = 1;
    }
  }
  console.log(JSON.stringify(seen, null, 1));
})();
