// The interoperability cases by stock @grpc/grpc-js: node interop.js PORT CA_FILE PROTO_FOLDER
// Prints {"case": "ok" or what went wrong}; exit 1 if any did.
'use strict';
const fs = require('fs');
const assert = require('assert');
const grpc = require('@grpc/grpc-js');
const loader = require('@grpc/proto-loader');

const [port, ca, protos] = process.argv.slice(2);
const load = (file) =>
  grpc.loadPackageDefinition(loader.loadSync(file, { includeDirs: [protos], keepCase: true })).grpc;
const testing = load('grpc/testing/test.proto').testing;
const health = load('grpc/health/v1/health.proto').health.v1;
const credentials = grpc.credentials.createSsl(fs.readFileSync(ca));
const client = new testing.TestService('localhost:' + port, credentials);
const zeros = (n) => ({ body: Buffer.alloc(n) });
const soon = () => ({ deadline: Date.now() + 20000 });

const unary = (method, request, metadata = new grpc.Metadata(), options = soon(), on = client) =>
  new Promise((resolve, reject) => {
    on[method](request, metadata, options, (error, answer) => (error ? reject(error) : resolve(answer)));
  });
const collect = (stream) =>
  new Promise((resolve, reject) => {
    const answers = [];
    stream.on('data', (answer) => answers.push(answer));
    stream.on('error', reject);
    stream.on('end', () => resolve(answers));
  });
const refused = async (promise, code, text) => {
  const error = await promise.then(() => null, (e) => e);
  assert(error, 'was not refused');
  assert.strictEqual(error.code, code, error.message);
  if (text !== undefined) assert.strictEqual(error.details, text);
};

const cases = {
  async empty_unary() {
    assert.deepStrictEqual(await unary('EmptyCall', {}), {});
  },
  async large_unary() {
    const answer = await unary('UnaryCall', { response_size: 314159, payload: zeros(271828) });
    assert.strictEqual(answer.payload.body.length, 314159);
  },
  async client_streaming() {
    const answer = await new Promise((resolve, reject) => {
      const call = client.StreamingInputCall(new grpc.Metadata(), soon(), (e, a) => (e ? reject(e) : resolve(a)));
      for (const n of [27182, 8, 1828, 45904]) call.write({ payload: zeros(n) });
      call.end();
    });
    assert.strictEqual(answer.aggregated_payload_size, 74922);
  },
  async server_streaming() {
    const sizes = [31415, 9, 2653, 58979];
    const call = client.StreamingOutputCall({ response_parameters: sizes.map((size) => ({ size })) });
    assert.deepStrictEqual((await collect(call)).map((a) => a.payload.body.length), sizes);
  },
  async ping_pong() {
    const rounds = [[31415, 27182], [9, 8], [2653, 1828], [58979, 45904]];
    const got = [];
    await new Promise((resolve, reject) => {
      const call = client.FullDuplexCall(new grpc.Metadata(), soon());
      const next = () => {
        if (got.length === rounds.length) return call.end();
        const [size, sent] = rounds[got.length];
        call.write({ response_parameters: [{ size }], payload: zeros(sent) });
      };
      call.on('data', (answer) => { got.push(answer.payload.body.length); next(); });
      call.on('error', reject);
      call.on('end', resolve);
      next();
    });
    assert.deepStrictEqual(got, rounds.map((r) => r[0]));
  },
  async empty_stream() {
    const call = client.FullDuplexCall(new grpc.Metadata(), soon());
    call.end();
    assert.deepStrictEqual(await collect(call), []);
  },
  async custom_metadata() {
    const metadata = new grpc.Metadata();
    metadata.set('x-grpc-test-echo-initial', 'test_initial_metadata_value');
    metadata.set('x-grpc-test-echo-trailing-bin', Buffer.from('0a0b0a0b0a0b', 'hex'));
    const call = client.FullDuplexCall(metadata, soon());
    let initial, trailing;
    call.on('metadata', (m) => { initial = m; });
    const ended = new Promise((resolve) => call.on('status', (s) => { trailing = s.metadata; resolve(); }));
    call.end({ response_parameters: [{ size: 314159 }], payload: zeros(271828) });
    assert.strictEqual((await collect(call)).length, 1);
    await ended;
    assert.deepStrictEqual(initial.get('x-grpc-test-echo-initial'), ['test_initial_metadata_value']);
    assert.strictEqual(trailing.get('x-grpc-test-echo-trailing-bin')[0].toString('hex'), '0a0b0a0b0a0b');
  },
  async status_code_and_message() {
    const response_status = { code: 2, message: 'test status message' };
    await refused(unary('UnaryCall', { response_status }), 2, 'test status message');
    const call = client.FullDuplexCall(new grpc.Metadata(), soon());
    call.write({ response_status });
    await refused(collect(call), 2, 'test status message');
  },
  async special_status_message() {
    const message = '\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n';
    await refused(unary('UnaryCall', { response_status: { code: 2, message } }), 2, message);
  },
  async unimplemented_method() {
    await refused(unary('UnimplementedCall', {}), grpc.status.UNIMPLEMENTED);
  },
  async unimplemented_service() {
    const other = new testing.UnimplementedService('localhost:' + port, credentials);
    await refused(unary('UnimplementedCall', {}, undefined, soon(), other), grpc.status.UNIMPLEMENTED);
    other.close();
  },
  async cancel_after_begin() {
    await refused(new Promise((resolve, reject) => {
      const call = client.StreamingInputCall(new grpc.Metadata(), soon(), (e, a) => (e ? reject(e) : resolve(a)));
      setImmediate(() => call.cancel());
    }), grpc.status.CANCELLED);
  },
  async cancel_after_first_response() {
    const call = client.FullDuplexCall(new grpc.Metadata(), soon());
    call.write({ response_parameters: [{ size: 31415 }], payload: zeros(27182) });
    call.on('data', () => call.cancel());
    await refused(collect(call), grpc.status.CANCELLED);
  },
  async timeout_on_sleeping_server() {
    const call = client.FullDuplexCall(new grpc.Metadata(), { deadline: Date.now() + 50 });
    call.write({ response_parameters: [{ size: 9, interval_us: 2000000 }] });
    await refused(collect(call), grpc.status.DEADLINE_EXCEEDED);
  },
  async gzip_is_refused() {
    const options = { 'grpc.default_compression_algorithm': grpc.compressionAlgorithms.gzip };
    const other = new testing.TestService('localhost:' + port, credentials, options);
    await refused(unary('UnaryCall', { payload: zeros(1000) }, undefined, soon(), other), grpc.status.UNIMPLEMENTED);
    other.close();
  },
  async over_long_message() {
    await refused(unary('UnaryCall', { payload: zeros(5 << 20) }), grpc.status.RESOURCE_EXHAUSTED);
    await unary('EmptyCall', {});
  },
  async health() {
    const other = new health.Health('localhost:' + port, credentials);
    const answer = await unary('Check', { service: '' }, undefined, soon(), other);
    assert.strictEqual(answer.status, 1);
    other.close();
  },
  async many_at_once() {
    const sizes = Array.from({ length: 500 }, (_, i) => i + 1);
    const answers = await Promise.all(sizes.map((n) => unary('UnaryCall', { response_size: n })));
    assert.deepStrictEqual(answers.map((a) => a.payload.body.length), sizes);
  },
};

(async () => {
  const results = {};
  for (const [name, run] of Object.entries(cases)) {
    try {
      await run();
      results[name] = 'ok';
    } catch (error) {
      results[name] = String(error && error.stack);
    }
  }
  client.close();
  console.log(JSON.stringify(results));
  process.exit(Object.values(results).every((r) => r === 'ok') ? 0 : 1);
})();
