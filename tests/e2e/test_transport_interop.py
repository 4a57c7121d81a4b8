"""Our transport under stock clients: the public gRPC interoperability cases, and what must be refused.

Stands alone: it makes a PKI of its own and starts ujrat-interop (grpc.testing.TestService on our transport).
"""

import concurrent.futures
import json
import os
import pathlib
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import threading
import time

import grpc
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("UJRAT_BIN", ROOT / "build" / "release" / "bin"))
PROTOS = ["grpc/testing/test.proto", "grpc/health/v1/health.proto", "grpc/reflection/v1/reflection.proto",
          "grpc/reflection/v1alpha/reflection.proto"]
SERVICE = "/grpc.testing.TestService/"
ECHO_INITIAL, ECHO_TRAILING = "x-grpc-test-echo-initial", "x-grpc-test-echo-trailing-bin"
WAIT = 20  # seconds; nothing here takes one, but the machine may be busy


# ---------------------------------------------------------------- certificates
CA_CONFIG = """
[ca]
default_ca = this
[this]
dir = {0}
database = {0}/index
new_certs_dir = {0}
serial = {0}/serial
crlnumber = {0}/crlnumber
certificate = {0}/ca.pem
private_key = {0}/ca.key
default_md = sha256
default_crl_days = 30
policy = any
copy_extensions = copy
[any]
commonName = supplied
"""


class TestPki:
    __test__ = False

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()
        self.config = folder / "ca.cnf"
        self.config.write_text(CA_CONFIG.format(folder))
        (folder / "index").write_text("")
        (folder / "serial").write_text("1000\n")
        (folder / "crlnumber").write_text("01\n")
        self._openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
                      "/CN=test CA", "-days", "30", "-keyout", self / "ca.key", "-out", self / "ca.pem")
        self.crl()

    def __truediv__(self, name):
        return str(self.folder / name)

    def _openssl(self, *arguments):
        subprocess.run(["openssl", *arguments], check=True, capture_output=True)

    def issue(self, name, san, rsa=False, dates=("-days", "20")):
        key = ["rsa:2048"] if rsa else ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
        self._openssl("req", "-newkey", *key, "-nodes", "-subj", "/CN=" + name, "-addext", "subjectAltName=" + san,
                      "-keyout", self / (name + ".key"), "-out", self / (name + ".csr"))
        self._openssl("ca", "-batch", "-notext", "-config", str(self.config), *dates, "-in", self / (name + ".csr"),
                      "-out", self / (name + ".pem"))
        return self / (name + ".pem"), self / (name + ".key")

    def crl(self):
        self._openssl("ca", "-config", str(self.config), "-gencrl", "-out", self / "crl.pem")

    def revoke(self, name):
        self._openssl("ca", "-config", str(self.config), "-revoke", self / (name + ".pem"))
        self.crl()


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    pki = TestPki(tmp_path_factory.mktemp("transport") / "pki")
    pki.issue("server", "DNS:localhost,IP:127.0.0.1")
    pki.issue("server-rsa", "DNS:localhost,IP:127.0.0.1", rsa=True)
    pki.issue("client", "URI:ujrat://platform/upwork")
    pki.issue("lapsed", "URI:ujrat://platform/upwork",
              dates=("-startdate", "20200101000000Z", "-enddate", "20200201000000Z"))
    pki.issue("withdrawn", "URI:ujrat://platform/upwork")
    pki.revoke("withdrawn")
    return pki


# ---------------------------------------------------------------- programs
class Server:
    def __init__(self, pki, *arguments, cert="server"):
        command = [str(BIN / "ujrat-interop"), "--cert", pki / (cert + ".pem"), "--key", pki / (cert + ".key")]
        # memory is measured here: a sanitizer must not keep much of what was freed
        options = os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=4"
        self.process = subprocess.Popen([*command, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        env={**os.environ, "ASAN_OPTIONS": options.lstrip(":")})
        self.port = int(self.process.stdout.readline() or 0)
        assert self.port, self.process.stderr.read().decode()
        self.log = b""
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stderr:
            self.log += line

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(WAIT)
        self.reader.join(WAIT)
        assert code == 0, self.log.decode()

    def rss_kb(self):
        for line in pathlib.Path("/proc/%d/status" % self.process.pid).read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
        raise AssertionError("no VmRSS")


@pytest.fixture(scope="module")
def start(pki):
    """Starts servers that are ended, and whose exit is looked at, when this file is done."""
    servers = []

    def start(*arguments, **options):
        servers.append(Server(pki, *arguments, **options))
        return servers[-1]

    yield start
    for server in servers:
        if server.process.poll() is None:
            server.stop()


@pytest.fixture(scope="module")
def server(start):
    return start()


@pytest.fixture(scope="module")
def mutual(start, pki):
    return start("--client-ca", pki / "ca.pem", "--crl", pki / "crl.pem", "--require-client-cert")


def credentials(pki, client=None):
    ca = open(pki / "ca.pem", "rb").read()
    if client is None:
        return grpc.ssl_channel_credentials(ca)
    return grpc.ssl_channel_credentials(ca, open(pki / (client + ".key"), "rb").read(),
                                        open(pki / (client + ".pem"), "rb").read())


def connect(server, pki, client=None, **options):
    # without a private pool one test would see the connection of another
    settings = [("grpc.use_local_subchannel_pool", 1), *((k.replace("__", "."), v) for k, v in options.items())]
    return grpc.secure_channel("localhost:%d" % server.port, credentials(pki, client), settings)


@pytest.fixture
def channel(server, pki):
    with connect(server, pki) as channel:
        yield channel


# ---------------------------------------------------------------- messages
@pytest.fixture(scope="module")
def api(tmp_path_factory):
    """The messages by name, without generated modules: those would be named as the grpc package itself."""
    out = tmp_path_factory.mktemp("descriptors") / "set"
    subprocess.run(["protoc", "-I", str(ROOT / "proto"), "--include_imports", "--descriptor_set_out=%s" % out,
                    *PROTOS], check=True)
    pool = descriptor_pool.DescriptorPool()
    for file in descriptor_pb2.FileDescriptorSet.FromString(out.read_bytes()).file:
        pool.Add(file)
    factory = message_factory.MessageFactory(pool)

    def by_name(name):
        return factory.GetPrototype(pool.FindMessageTypeByName(name))

    return by_name


class Stub:
    def __init__(self, channel, api):
        t = "grpc.testing."
        one, many = channel.unary_unary, channel.unary_stream
        self.Empty, self.SimpleRequest = api(t + "Empty"), api(t + "SimpleRequest")
        self.Input, self.Output = api(t + "StreamingInputCallRequest"), api(t + "StreamingOutputCallRequest")
        answer = api(t + "StreamingOutputCallResponse").FromString

        def make(kind, path, request, response):
            return kind(path, request_serializer=request.SerializeToString, response_deserializer=response)

        self.empty = make(one, SERVICE + "EmptyCall", self.Empty, self.Empty.FromString)
        self.unary = make(one, SERVICE + "UnaryCall", self.SimpleRequest, api(t + "SimpleResponse").FromString)
        self.unimplemented = make(one, SERVICE + "UnimplementedCall", self.Empty, self.Empty.FromString)
        self.no_service = make(one, "/grpc.testing.UnimplementedService/UnimplementedCall", self.Empty,
                               self.Empty.FromString)
        self.input = make(channel.stream_unary, SERVICE + "StreamingInputCall", self.Input,
                          api(t + "StreamingInputCallResponse").FromString)
        self.output = make(many, SERVICE + "StreamingOutputCall", self.Output, answer)
        self.duplex = make(channel.stream_stream, SERVICE + "FullDuplexCall", self.Output, answer)
        self.half_duplex = make(channel.stream_stream, SERVICE + "HalfDuplexCall", self.Output, answer)

    def payload(self, size):
        return {"body": b"\0" * size}

    def ask(self, *sizes, body=0, interval_us=0):
        return self.Output(response_parameters=[{"size": s, "interval_us": interval_us} for s in sizes],
                           payload=self.payload(body))


@pytest.fixture
def stub(channel, api):
    return Stub(channel, api)


class Script:
    """Requests that are sent when the test says so."""

    def __init__(self):
        self.condition, self.queue, self.closed = threading.Condition(), [], False

    def send(self, request):
        with self.condition:
            self.queue.append(request)
            self.condition.notify()

    def close(self):
        with self.condition:
            self.closed = True
            self.condition.notify()

    def __iter__(self):
        return self

    def __next__(self):
        with self.condition:
            self.condition.wait_for(lambda: self.queue or self.closed)
            if self.queue:
                return self.queue.pop(0)
            raise StopIteration


def refusal(call):
    with pytest.raises(grpc.RpcError) as caught:
        call()
    return caught.value


# ---------------------------------------------------------------- the 14 public cases
def test_empty_unary(stub):
    assert stub.empty(stub.Empty(), timeout=WAIT) == stub.Empty()


def test_large_unary(stub):
    request = stub.SimpleRequest(response_size=314159, payload=stub.payload(271828))
    assert stub.unary(request, timeout=WAIT).payload.body == b"\0" * 314159


def test_client_streaming(stub):
    sizes = [27182, 8, 1828, 45904]
    answer = stub.input((stub.Input(payload=stub.payload(n)) for n in sizes), timeout=WAIT)
    assert answer.aggregated_payload_size == 74922


def test_server_streaming(stub):
    sizes = [31415, 9, 2653, 58979]
    assert [len(a.payload.body) for a in stub.output(stub.ask(*sizes), timeout=WAIT)] == sizes


def test_ping_pong(stub):
    script = Script()
    answers = stub.duplex(script, timeout=WAIT)
    for asked, sent in [(31415, 27182), (9, 8), (2653, 1828), (58979, 45904)]:
        script.send(stub.ask(asked, body=sent))
        assert len(next(answers).payload.body) == asked
    script.close()
    assert list(answers) == []


def test_empty_stream(stub):
    assert list(stub.duplex(iter(()), timeout=WAIT)) == []


def test_half_duplex(stub):
    answers = stub.half_duplex(iter([stub.ask(10), stub.ask(20), stub.ask(30)]), timeout=WAIT)
    assert [len(a.payload.body) for a in answers] == [10, 20, 30]


def test_custom_metadata(stub):
    metadata = ((ECHO_INITIAL, "test_initial_metadata_value"), (ECHO_TRAILING, b"\x0a\x0b\x0a\x0b\x0a\x0b"))

    def check(call):
        assert (ECHO_INITIAL, "test_initial_metadata_value") in call.initial_metadata()
        assert (ECHO_TRAILING, b"\x0a\x0b\x0a\x0b\x0a\x0b") in call.trailing_metadata()

    request = stub.SimpleRequest(response_size=314159, payload=stub.payload(271828))
    _, call = stub.unary.with_call(request, metadata=metadata, timeout=WAIT)
    check(call)
    call = stub.duplex(iter([stub.ask(314159, body=271828)]), metadata=metadata, timeout=WAIT)
    assert len(list(call)) == 1
    check(call)


def test_status_code_and_message(stub):
    status = {"code": 2, "message": "test status message"}
    error = refusal(lambda: stub.unary(stub.SimpleRequest(response_status=status), timeout=WAIT))
    assert (error.code(), error.details()) == (grpc.StatusCode.UNKNOWN, "test status message")
    error = refusal(lambda: list(stub.duplex(iter([stub.Output(response_status=status)]), timeout=WAIT)))
    assert (error.code(), error.details()) == (grpc.StatusCode.UNKNOWN, "test status message")


def test_special_status_message(stub):
    text = "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP \U0001f608\t\n"
    request = stub.SimpleRequest(response_status={"code": 2, "message": text})
    error = refusal(lambda: stub.unary(request, timeout=WAIT))
    assert (error.code(), error.details()) == (grpc.StatusCode.UNKNOWN, text)


def test_unimplemented_method(stub):
    assert refusal(lambda: stub.unimplemented(stub.Empty(), timeout=WAIT)).code() == grpc.StatusCode.UNIMPLEMENTED


def test_unimplemented_service(stub):
    assert refusal(lambda: stub.no_service(stub.Empty(), timeout=WAIT)).code() == grpc.StatusCode.UNIMPLEMENTED


def test_cancel_after_begin(stub):
    call = stub.input.future(Script())
    call.cancel()
    assert call.cancelled() and call.code() == grpc.StatusCode.CANCELLED


def test_cancel_after_first_response(stub):
    script = Script()
    call = stub.duplex(script, timeout=WAIT)
    script.send(stub.ask(31415, body=27182))
    assert len(next(call).payload.body) == 31415
    call.cancel()
    assert refusal(lambda: next(call)).code() == grpc.StatusCode.CANCELLED


def test_timeout_on_sleeping_server(stub):
    script = Script()
    call = stub.duplex(script, timeout=0.01)
    script.send(stub.ask(31415, body=27182, interval_us=500000))
    assert refusal(lambda: list(call)).code() == grpc.StatusCode.DEADLINE_EXCEEDED


# ---------------------------------------------------------------- beyond them
def test_the_server_itself_enforces_the_deadline(server, pki):
    """A client that sends grpc-timeout and waits longer hears of it from us."""
    raw = RawH2(server.port, pki)
    raw.headers(1, path=SERVICE + "FullDuplexCall", extra=[(b"grpc-timeout", b"100m")])
    began = time.monotonic()
    frame = raw.wait_for(lambda f: f.type == RawH2.HEADERS and f.stream == 1 and f.flags & 1)
    assert frame and 0.09 < time.monotonic() - began < 5
    raw.close()


def test_a_thousand_calls_at_once(stub):
    calls = [stub.unary.future(stub.SimpleRequest(response_size=i), timeout=WAIT) for i in range(1000)]
    assert [len(c.result().payload.body) for c in calls] == list(range(1000))


def test_a_stream_that_nobody_reads_holds_little_memory(server, pki, api):
    with connect(server, pki) as channel:
        stub = Stub(channel, api)
        before = server.rss_kb()
        calls = [stub.output(stub.ask(*[1000000] * 400), timeout=WAIT) for _ in range(8)]  # 3.2 GB asked for
        for call in calls:
            next(call)
        time.sleep(0.5)
        assert server.rss_kb() - before < 64 * 1024
        for call in calls:
            call.cancel()


def test_health(channel, api):
    request, response = api("grpc.health.v1.HealthCheckRequest"), api("grpc.health.v1.HealthCheckResponse")
    check = channel.unary_unary("/grpc.health.v1.Health/Check", request.SerializeToString, response.FromString)
    watch = channel.unary_stream("/grpc.health.v1.Health/Watch", request.SerializeToString, response.FromString)
    assert check(request(), timeout=WAIT).status == 1
    assert check(request(service="grpc.testing.TestService"), timeout=WAIT).status == 1
    assert refusal(lambda: check(request(service="no.such"), timeout=WAIT)).code() == grpc.StatusCode.NOT_FOUND
    call = watch(request(service="no.such"), timeout=WAIT)
    assert next(call).status == 3
    call.cancel()


@pytest.mark.parametrize("version", ["v1", "v1alpha"])
def test_reflection(channel, api, version):
    package = "grpc.reflection.%s." % version
    request, response = api(package + "ServerReflectionRequest"), api(package + "ServerReflectionResponse")
    call = channel.stream_stream("/%sServerReflection/ServerReflectionInfo" % package, request.SerializeToString,
                                 response.FromString)

    def ask(*requests):
        return list(call(iter(requests), timeout=WAIT))

    (answer,) = ask(request(list_services="*"))
    names = [s.name for s in answer.list_services_response.service]
    assert names == sorted(names) and {"grpc.testing.TestService", "grpc.health.v1.Health",
                                       package + "ServerReflection"} <= set(names)
    for symbol in ["grpc.testing.TestService", "grpc.testing.TestService.UnaryCall", "grpc.testing.SimpleRequest",
                   "grpc.testing.SimpleRequest.payload"]:
        (answer,) = ask(request(file_containing_symbol=symbol))
        files = [descriptor_pb2.FileDescriptorProto.FromString(b)
                 for b in answer.file_descriptor_response.file_descriptor_proto]
        assert files and files[0].name.startswith("grpc/testing/")
        have = {f.name for f in files}
        assert all(set(f.dependency) <= have for f in files)
    (answer,) = ask(request(file_by_filename="grpc/testing/empty.proto", host="here"))
    assert len(answer.file_descriptor_response.file_descriptor_proto) == 1
    assert answer.valid_host == "here" and answer.original_request.host == "here"
    for bad in [request(file_by_filename="no/such.proto"), request(file_containing_symbol="no.such.Symbol"),
                request(file_containing_extension={"containing_type": "no.Such", "extension_number": 1})]:
        (answer,) = ask(bad)
        assert answer.error_response.error_code == grpc.StatusCode.NOT_FOUND.value[0]
    # what a stream has had is not sent again, unless asked for
    first, second = ask(request(file_by_filename="grpc/testing/test.proto"),
                        request(file_by_filename="grpc/testing/messages.proto"))
    assert len(first.file_descriptor_response.file_descriptor_proto) == 3
    assert len(second.file_descriptor_response.file_descriptor_proto) == 1


# ---------------------------------------------------------------- refused, and properly
def test_compression_is_refused_and_identity_offered(channel, api):
    stub = Stub(channel, api)
    error = refusal(lambda: stub.unary(stub.SimpleRequest(payload=stub.payload(1000)), timeout=WAIT,
                                       compression=grpc.Compression.Gzip))
    assert error.code() == grpc.StatusCode.UNIMPLEMENTED and "identity" in error.details()


def test_an_over_long_message_is_refused_with_the_limit_named(channel, api):
    stub = Stub(channel, api)
    error = refusal(lambda: stub.unary(stub.SimpleRequest(payload=stub.payload(5 << 20)), timeout=WAIT))
    assert error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED and str(4 << 20) in error.details()
    assert b"google.rpc.RetryInfo" in dict(error.trailing_metadata())["grpc-status-details-bin"]
    assert stub.empty(stub.Empty(), timeout=WAIT) == stub.Empty()  # the connection lives on


def test_not_protobuf_is_refused(channel):
    call = channel.unary_unary(SERVICE + "UnaryCall")
    assert refusal(lambda: call(b"\xff\xff\xff", timeout=WAIT)).code() == grpc.StatusCode.INVALID_ARGUMENT


def curl(server, *arguments, scheme="https"):
    """(HTTP version, status, content-type, body)"""
    form = "\n%{http_version} %{response_code} %{content_type}"
    result = subprocess.run(["curl", "-sk", "-m", str(WAIT), "-w", form, *arguments,
                             "%s://localhost:%d%s" % (scheme, server.port, SERVICE + "EmptyCall")],
                            capture_output=True, check=True)
    body, _, tail = result.stdout.decode().rpartition("\n")
    version, status, kind = (tail.split(" ", 2) + [""])[:3]
    return version, int(status), kind, body


needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="no curl on this machine")


@needs_curl
@pytest.mark.parametrize("arguments,status", [
    (["-X", "GET"], 405),
    (["-I"], 405),
    (["-X", "PUT", "-d", "x"], 405),
    (["-d", "{}", "-H", "content-type: application/json"], 415),
    (["-d", "{}", "-H", "content-type: application/grpc-web"], 415),
    (["-d", "{}", "-H", "content-type: application/grpc+json"], 415),
    (["-H", "x-long: " + "x" * 20000], 431),
])
def test_what_is_not_grpc_gets_a_proper_http_answer(server, arguments, status):
    version, got, kind, body = curl(server, "--http2", *arguments)
    assert (version, got, kind) == ("2", status, "text/plain; charset=utf-8")
    assert "-I" in arguments or body.strip()


@needs_curl
def test_http_1_1_is_told_to_use_http_2(server):
    assert curl(server, "--http1.1")[:2] == ("1.1", 505)


@needs_curl
def test_plain_text_is_told_to_use_tls(server):
    assert curl(server, scheme="http")[:2] == ("1.1", 400)


def test_garbage_instead_of_tls_is_closed(server):
    with socket.create_connection(("localhost", server.port), WAIT) as plain:
        plain.sendall(b"\0" * 100)
        plain.settimeout(WAIT)
        while plain.recv(4096):
            pass


def test_an_oversized_header_is_refused_as_grpc(server, pki):
    raw = RawH2(server.port, pki)
    raw.headers(1, extra=[(b"x-long", b"x" * 9000), (b"x-more", b"x" * 9000)])
    assert raw.wait_for(lambda f: f.type == RawH2.HEADERS and f.stream == 1 and f.flags & 1)
    raw.close()


def test_a_message_cut_short_is_refused(server, pki):
    raw = RawH2(server.port, pki)
    raw.headers(1)
    raw.frame(RawH2.DATA, 1, 1, b"\0\0\0\0\x10abc")
    assert raw.wait_for(lambda f: f.type == RawH2.HEADERS and f.stream == 1 and f.flags & 1)
    raw.close()


def test_over_tls_1_2_nobody_is_served(server, pki):
    context = ssl.create_default_context(cafile=pki / "ca.pem")
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with socket.create_connection(("localhost", server.port), WAIT) as plain:
        with pytest.raises(ssl.SSLError):
            context.wrap_socket(plain, server_hostname="localhost")


class RawH2:
    """Frames by hand, for what no proper client would send."""

    DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, CONTINUATION = 0, 1, 3, 4, 6, 7, 9

    class Frame:
        def __init__(self, type, flags, stream, payload):
            self.type, self.flags, self.stream, self.payload = type, flags, stream, payload

    def __init__(self, port, pki, client=None):
        context = ssl.create_default_context(cafile=pki / "ca.pem")
        context.set_alpn_protocols(["h2"])
        if client:
            context.load_cert_chain(pki / (client + ".pem"), pki / (client + ".key"))
        self.socket = context.wrap_socket(socket.create_connection(("localhost", port), WAIT),
                                          server_hostname="localhost")
        self.buffer = b""
        self.socket.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + self.pack(self.SETTINGS, 0, 0, b""))

    @staticmethod
    def pack(type, flags, stream, payload):
        return struct.pack("!I", len(payload))[1:] + bytes([type, flags]) + struct.pack("!I", stream) + payload

    @staticmethod
    def hpack(fields):
        def text(value):
            if len(value) < 127:
                return bytes([len(value)]) + value
            out, n = b"\x7f", len(value) - 127
            while n >= 128:
                out += bytes([n % 128 + 128])
                n //= 128
            return out + bytes([n]) + value

        return b"".join(b"\0" + text(name) + text(value) for name, value in fields)

    def block(self, path=SERVICE + "EmptyCall", extra=()):
        return self.hpack([(b":method", b"POST"), (b":scheme", b"https"), (b":path", path.encode()),
                           (b":authority", b"localhost"), (b"te", b"trailers"),
                           (b"content-type", b"application/grpc"), *extra])

    def frame(self, type, flags, stream, payload):
        self.socket.sendall(self.pack(type, flags, stream, payload))

    def headers(self, stream, end=False, **options):
        block, first, out = self.block(**options), True, b""
        while first or block:
            part, block = block[:16384], block[16384:]
            flags = (4 if not block else 0) | (1 if end and first else 0)
            out += self.pack(self.HEADERS if first else self.CONTINUATION, flags, stream, part)
            first = False
        self.socket.sendall(out)

    def frames(self):
        """What comes until the server closes or is silent for long."""
        while True:
            while len(self.buffer) >= 9:
                length = int.from_bytes(self.buffer[:3], "big")
                if len(self.buffer) < 9 + length:
                    break
                head, payload = self.buffer[:9], self.buffer[9:9 + length]
                self.buffer = self.buffer[9 + length:]
                yield self.Frame(head[3], head[4], int.from_bytes(head[5:9], "big"), payload)
            try:
                more = self.socket.recv(65536)
            except (OSError, ssl.SSLError):
                more = b""
            if not more:
                return
            self.buffer += more

    def wait_for(self, condition):
        return next((f for f in self.frames() if condition(f)), None)

    def close(self):
        self.socket.close()


def test_ten_thousand_resets_end_their_own_connection_only(server, pki, stub):
    raw = RawH2(server.port, pki)
    before = server.rss_kb()
    block, reset = raw.block(), struct.pack("!I", 8)
    try:
        for stream in range(1, 20001, 200):
            raw.socket.sendall(b"".join(raw.pack(RawH2.HEADERS, 4, s, block) +
                                        raw.pack(RawH2.RST_STREAM, 0, s, reset)
                                        for s in range(stream, stream + 200, 2)))
    except OSError:
        pass  # sent away before the end
    gone = raw.wait_for(lambda f: f.type == RawH2.GOAWAY)
    assert gone is not None
    assert not any(True for _ in raw.frames())
    raw.close()
    assert server.rss_kb() - before < 32 * 1024
    assert stub.empty(stub.Empty(), timeout=WAIT) == stub.Empty()


def test_a_few_hundred_cancelled_calls_are_no_attack(stub):
    for _ in range(5):
        calls = [stub.input.future(Script()) for _ in range(200)]
        for call in calls:
            call.cancel()
    assert stub.empty(stub.Empty(), timeout=WAIT) == stub.Empty()


# ---------------------------------------------------------------- certificates
def call_empty(server, pki, api, client):
    with connect(server, pki, client) as channel:
        stub = Stub(channel, api)
        return stub.empty(stub.Empty(), timeout=5)


def test_a_good_certificate_is_served(mutual, pki, api):
    assert call_empty(mutual, pki, api, "client") is not None


@pytest.mark.parametrize("client", [None, "lapsed", "withdrawn", "stranger"])
def test_a_bad_certificate_is_refused(mutual, pki, api, tmp_path, client):
    if client == "stranger":
        other = TestPki(tmp_path / "other")
        for suffix, path in zip((".pem", ".key"), other.issue("stranger", "URI:ujrat://platform/upwork")):
            shutil.copy(path, pki / ("stranger" + suffix))
    error = refusal(lambda: call_empty(mutual, pki, api, client))
    assert error.code() == grpc.StatusCode.UNAVAILABLE


def test_where_certificates_are_optional_a_bad_one_is_still_refused(start, pki, api):
    server = start("--client-ca", pki / "ca.pem", "--crl", pki / "crl.pem")
    assert call_empty(server, pki, api, None) is not None
    assert refusal(lambda: call_empty(server, pki, api, "withdrawn")).code() == grpc.StatusCode.UNAVAILABLE


def test_rsa_server_keys_work(start, pki, api):
    assert call_empty(start(cert="server-rsa"), pki, api, None) is not None


def test_a_reload_sends_away_who_was_revoked_meanwhile(start, pki, api):
    pki.issue("suspect", "URI:ujrat://platform/fiverr")
    server = start("--client-ca", pki / "ca.pem", "--crl", pki / "crl.pem", "--require-client-cert")
    with connect(server, pki, "suspect") as channel, connect(server, pki, "client") as innocent:
        suspect, innocent = Stub(channel, api), Stub(innocent, api)
        call = suspect.duplex(Script())
        for stub in (suspect, innocent):
            stub.empty(stub.Empty(), timeout=WAIT)
        pki.revoke("suspect")
        server.process.send_signal(signal.SIGHUP)
        assert refusal(lambda: next(call)).code() == grpc.StatusCode.UNAVAILABLE
        assert refusal(lambda: suspect.empty(suspect.Empty(), timeout=5)).code() == grpc.StatusCode.UNAVAILABLE
        innocent.empty(innocent.Empty(), timeout=WAIT)


def test_a_reload_of_broken_files_keeps_the_old(start, pki, api, tmp_path):
    crl = tmp_path / "crl.pem"
    shutil.copy(pki / "crl.pem", crl)
    server = start("--client-ca", pki / "ca.pem", "--crl", str(crl), "--require-client-cert")
    crl.write_text("nothing of the kind\n")
    server.process.send_signal(signal.SIGHUP)
    deadline = time.monotonic() + WAIT
    while b"reload" not in server.log and time.monotonic() < deadline:
        time.sleep(0.02)
    assert b"CRL" in server.log
    assert call_empty(server, pki, api, "client") is not None


# ---------------------------------------------------------------- bounds and endings
def test_over_the_bound_of_connections_calls_are_refused_with_retry_info(start, pki, api):
    server = start("--connections-max", "2")
    channels = [connect(server, pki) for _ in range(3)]
    stubs = [Stub(c, api) for c in channels]
    for stub in stubs[:2]:
        stub.empty(stub.Empty(), timeout=WAIT)
    error = refusal(lambda: stubs[2].empty(stubs[2].Empty(), timeout=WAIT))
    assert error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert b"google.rpc.RetryInfo" in dict(error.trailing_metadata())["grpc-status-details-bin"]
    stubs[0].empty(stubs[0].Empty(), timeout=WAIT)
    channels[0].close()
    deadline = time.monotonic() + WAIT
    while time.monotonic() < deadline:  # there is room again
        try:
            stubs[2].empty(stubs[2].Empty(), timeout=WAIT)
            break
        except grpc.RpcError:
            time.sleep(0.1)
    else:
        raise AssertionError("never let in")
    for channel in channels:
        channel.close()


def test_streams_over_the_bound_wait_their_turn(start, pki, api):
    server = start("--streams-max", "4")
    with connect(server, pki) as channel:
        stub = Stub(channel, api)
        calls = [stub.unary.future(stub.SimpleRequest(response_size=1000), timeout=WAIT) for _ in range(64)]
        assert all(len(c.result().payload.body) == 1000 for c in calls)


def test_a_slow_handshake_is_given_up(start):
    server = start("--handshake-timeout-ms", "300")
    with socket.create_connection(("localhost", server.port), WAIT) as plain:
        plain.settimeout(WAIT)
        began = time.monotonic()
        assert plain.recv(1) == b""
        assert 0.25 < time.monotonic() - began < 10


def test_an_idle_connection_is_sent_home(start, pki):
    server = start("--idle-timeout-ms", "500")
    raw = RawH2(server.port, pki)
    assert raw.wait_for(lambda f: f.type == RawH2.GOAWAY)
    assert not any(True for _ in raw.frames())
    raw.close()


def test_a_drain_lets_calls_finish(start, pki, api):
    server = start()
    with connect(server, pki) as channel:
        stub = Stub(channel, api)
        script = Script()
        call = stub.duplex(script, timeout=WAIT)
        script.send(stub.ask(10))
        assert len(next(call).payload.body) == 10
        server.process.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        assert server.process.poll() is None
        script.send(stub.ask(20))
        assert len(next(call).payload.body) == 20
        script.close()
        assert list(call) == []
        assert server.process.wait(WAIT) == 0


def test_a_drain_ends_health_watches(start, pki, api):
    server = start()
    request, response = api("grpc.health.v1.HealthCheckRequest"), api("grpc.health.v1.HealthCheckResponse")
    with connect(server, pki) as channel:
        watch = channel.unary_stream("/grpc.health.v1.Health/Watch", request.SerializeToString, response.FromString)
        call = watch(request(), timeout=WAIT)
        assert next(call).status == 1
        server.process.send_signal(signal.SIGTERM)
        assert next(call).status == 2
        assert refusal(lambda: next(call)).code() == grpc.StatusCode.UNAVAILABLE
        assert server.process.wait(WAIT) == 0


def test_many_clients_come_and_go(server, pki, api):
    def visit(i):
        with connect(server, pki) as channel:
            stub = Stub(channel, api)
            return len(stub.unary(stub.SimpleRequest(response_size=i), timeout=WAIT).payload.body)

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert list(pool.map(visit, range(64))) == list(range(64))


# ---------------------------------------------------------------- Node
def test_stock_node_client(server, pki, tmp_path):
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("NODE IS MISSING: the transport was not tried with @grpc/grpc-js")
    here = pathlib.Path(__file__).parent / "node"
    for name in ("package.json", "package-lock.json", "interop.js"):
        shutil.copy(here / name, tmp_path)
    installed = subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline"],
                               cwd=tmp_path, capture_output=True, text=True)
    if installed.returncode != 0:
        pytest.skip("NPM COULD NOT INSTALL @grpc/grpc-js: " + installed.stderr[-300:])
    result = subprocess.run(["node", "interop.js", str(server.port), pki / "ca.pem", str(ROOT / "proto")],
                            cwd=tmp_path, capture_output=True, text=True, timeout=90)
    assert result.returncode == 0, result.stdout + result.stderr
    assert set(json.loads(result.stdout).values()) == {"ok"}
