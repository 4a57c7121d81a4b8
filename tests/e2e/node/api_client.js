// The contract by stock @grpc/grpc-js: node api_client.js PLAN.json, where the plan names the gateway's address, the
// folder of the proto files, certificates and keys, and a bank's and a platform's IBANs to pay.
// Prints {"case": "ok" or what went wrong}; exit 1 if any did.
'use strict';
const assert = require('assert');
const fs = require('fs');
const grpc = require('@grpc/grpc-js');
const loader = require('@grpc/proto-loader');
const protobuf = require('protobufjs');

const plan = JSON.parse(fs.readFileSync(process.argv[2]));
const options = { includeDirs: [plan.protos, '/usr/include'], keepCase: true, enums: String, longs: Number, defaults: true };
const load = (file) => grpc.loadPackageDefinition(loader.loadSync(file, options)).ujrat;
const services = {
  payouts: load('ujrat/payout/v1/payout.proto').payout.v1.PayoutService,
  settlement: load('ujrat/settlement/v1/settlement.proto').settlement.v1.SettlementService,
  audit: load('ujrat/audit/v1/audit.proto').audit.v1.AuditService,
};
const clients = [];
const connect = (service, who) => {
  const [cert, key] = plan.principals[who].map((file) => fs.readFileSync(file));
  const client = new services[service](plan.address, grpc.credentials.createSsl(fs.readFileSync(plan.ca), key, cert));
  clients.push(client);
  return client;
};
const platform = connect('payouts', 'platform');
const bank = connect('settlement', 'bank');
const auditor = connect('audit', 'auditor');

const soon = () => ({ deadline: Date.now() + 20000 });
const ask = (client, method, request, when = soon()) =>
  new Promise((resolve, reject) => {
    client[method](request, when, (error, answer) => (error ? reject(error) : resolve(answer)));
  });
const refused = async (promise) => {
  const error = await promise.then((answer) => assert.fail('was not refused: ' + JSON.stringify(answer)), (e) => e);
  if (error instanceof assert.AssertionError) throw error;
  return error;
};
// The first n items of a stream; then it is cancelled.
const take = (stream, items, n) =>
  new Promise((resolve, reject) => {
    const got = [];
    const late = setTimeout(() => { stream.cancel(); reject(new Error(`${got.length} of ${n} came`)); }, 15000);
    stream.on('error', (e) => { if (got.length < n) { clearTimeout(late); reject(e); } });
    stream.on('data', (message) => {
      got.push(...message[items]);
      if (got.length >= n) { clearTimeout(late); stream.cancel(); resolve(got.slice(0, n)); }
    });
  });

const details = new protobuf.Root();
details.resolvePath = (origin, target) =>
  [plan.protos, '/usr/include'].map((folder) => folder + '/' + target).find((file) => fs.existsSync(file)) || target;
details.loadSync(['google/rpc/status.proto', 'google/rpc/error_details.proto']);
// {reason, fields, retry_ms} of a refusal, out of grpc-status-details-bin.
const why = (error) => {
  const [bytes] = error.metadata.get('grpc-status-details-bin');
  assert(bytes, 'no details: ' + error.message);
  const found = {};
  for (const any of details.lookupType('google.rpc.Status').decode(bytes).details) {
    const name = any.type_url.split('/').pop();
    found[name] = details.lookupType(name).decode(any.value);
  }
  const bad = found['google.rpc.BadRequest'];
  return { reason: found['google.rpc.ErrorInfo'].reason, domain: found['google.rpc.ErrorInfo'].domain,
           fields: bad ? bad.fieldViolations.map((v) => v.field) : [] };
};

let numbers = 0;
const usd = (minor_units) => ({ currency_code: 'USD', minor_units });
const request = (changes = {}) => ({
  reference: 'node-' + ++numbers, gross: usd(12345), remittance_information: 'from Node',
  beneficiary_details: { display_name: 'عائشہ خان', iban: plan.iban, cnic: '4210112345671', channel: 'EXPORT_OF_SERVICES' },
  ...changes,
});

const cases = {
  async submits_and_gets() {
    const one = request();
    const payout = await ask(platform, 'SubmitPayout', one);
    assert.strictEqual(payout.state, 'ACCEPTED');
    assert.deepStrictEqual(payout.pricing.net, { currency_code: 'PKR', minor_units: plan.net_of_12345 });
    assert.deepStrictEqual(await ask(platform, 'GetPayout', { name: payout.name }), payout);
    assert.deepStrictEqual(await ask(platform, 'GetPayoutByReference', { reference: one.reference }), payout);
    assert.deepStrictEqual(await ask(platform, 'SubmitPayout', one), payout, 'the same again is the same');
  },
  async is_told_why_not() {
    let error = await refused(ask(platform, 'SubmitPayout', request({ gross: usd(0) })));
    assert.strictEqual(error.code, grpc.status.INVALID_ARGUMENT);
    assert.deepStrictEqual(why(error), { reason: 'AMOUNT_ZERO', domain: 'ujrat', fields: ['gross.minor_units'] });
    const bad = request();
    bad.beneficiary_details.iban = 'PK27MPBL1181017140122674';
    error = await refused(ask(platform, 'SubmitPayout', bad));
    assert.deepStrictEqual(why(error).fields, ['beneficiary_details.iban']);
    error = await refused(ask(platform, 'GetPayout', { name: 'platforms/another/payouts/1' }));
    assert.strictEqual(error.code, grpc.status.PERMISSION_DENIED);
    assert.strictEqual(why(error).reason, 'RESOURCE_FORBIDDEN');
    error = await refused(ask(connect('audit', 'platform'), 'GetTrialBalance', {}));
    assert.strictEqual(why(error).reason, 'ROLE_FORBIDDEN');
  },
  async sends_a_batch() {
    const good = request();
    const { results } = await ask(platform, 'SubmitPayouts', { payouts: [good, request({ reference: '' }), good, request()] });
    assert.deepStrictEqual(results.map((r) => r.outcome),
      ['OUTCOME_ACCEPTED', 'OUTCOME_REFUSED', 'OUTCOME_DUPLICATE', 'OUTCOME_ACCEPTED']);
    assert.deepStrictEqual([results[1].reason, results[1].field], ['REFERENCE_EMPTY', 'payouts[1].reference']);
    assert.strictEqual(results[2].payout, results[0].payout);
  },
  async thousand_calls_at_once() {
    const answers = await Promise.all(Array.from({ length: 1000 }, () => ask(platform, 'SubmitPayout', request({ gross: usd(500) }))));
    assert.strictEqual(new Set(answers.map((a) => a.name)).size, 1000);
  },
  async bank_hears_and_confirms() {
    const instructions = await take(bank.WatchInstructions({}), 'instructions', 1003);
    assert(instructions.every((i) => i.creditor_iban === plan.iban && i.creditor_name === 'عائشہ خان'));
    const [first] = instructions;
    assert.strictEqual(first.amount.minor_units, plan.net_of_12345);
    const confirmation = { instruction_id: first.instruction_id, status: 'SETTLED', amount: first.amount, bank_reference: 'NODE-1',
                           eprc_number: 'PRC-1', tax_withheld: { currency_code: 'PKR', minor_units: 17 } };
    for (const outcome of ['OUTCOME_RECORDED', 'OUTCOME_DUPLICATE']) {
      const { results } = await ask(bank, 'ConfirmInstructions', { confirmations: [confirmation] });
      assert.deepStrictEqual(results.map((r) => r.outcome), [outcome]);
    }
    const rest = await take(bank.WatchInstructions({ resume_token: first.resume_token }), 'instructions', 1002);
    assert.deepStrictEqual(rest, instructions.slice(1));
  },
  async platform_watches_and_resumes() {
    const events = await take(platform.WatchPayouts({}), 'events', 2 * 1003 + 1);
    const settled = events.filter((e) => e.state === 'SETTLED');
    assert.strictEqual(settled.length, 1);
    assert.strictEqual(settled[0].bank_reference, 'NODE-1');
    const from = events[1500];
    assert.deepStrictEqual(await take(platform.WatchPayouts({ resume_token: from.resume_token }), 'events', 506), events.slice(1501));
    const payout = await ask(platform, 'GetPayout', { name: settled[0].payout });
    assert.deepStrictEqual([payout.state, payout.eprc_number, payout.tax_withheld.minor_units], ['SETTLED', 'PRC-1', 17]);
  },
  async lists_by_pages() {
    const names = new Set();
    let page_token = '';
    do {
      const page = await ask(platform, 'ListPayouts', { page_size: 400, page_token });
      page.payouts.forEach((p) => names.add(p.name));
      page_token = page.next_page_token;
    } while (page_token);
    assert.strictEqual(names.size, 1003);
  },
  async auditor_finds_the_books_in_balance() {
    const { totals, lines } = await ask(auditor, 'GetTrialBalance', { book: plan.book });
    assert(lines.length > 5 && totals.length === 2);
    for (const total of totals) assert.strictEqual(total.debit_minor_units, total.credit_minor_units);
    const balance = await ask(platform, 'GetBalance', {});
    const float = lines.find((l) => l.account === plan.book + '/accounts/float.USD');
    assert.deepStrictEqual(balance.available, [usd(float.credit_minor_units)]);
  },
  async cancels_and_is_late() {
    const stream = platform.WatchPayouts({});
    const ended = new Promise((resolve) => stream.on('error', resolve));
    stream.on('data', () => stream.cancel());
    assert.strictEqual((await ended).code, grpc.status.CANCELLED);
    const error = await refused(ask(platform, 'GetBalance', {}, { deadline: Date.now() - 1 }));
    assert.strictEqual(error.code, grpc.status.DEADLINE_EXCEEDED);
    assert((await ask(platform, 'GetBalance', {})).available.length === 1, 'the connection lives on');
  },
};

(async () => {
  const results = {};
  for (const [name, test] of Object.entries(cases)) {
    try {
      await test();
      results[name] = 'ok';
    } catch (error) {
      results[name] = error.stack || String(error);
    }
  }
  clients.forEach((client) => client.close());
  console.log(JSON.stringify(results, null, 1));
  process.exitCode = Object.values(results).every((r) => r === 'ok') ? 0 : 1;
})();
