"""HTTP/1.1 beside gRPC on one port: who gets which, what must be refused, and stock clients of both.

Stands alone: it starts ujrat-interop with its HTTP routes (tests/e2e/interop/http.c).
"""

import gzip
import http.client
import json
import signal
import socket
import ssl
import subprocess
import threading
import time
import urllib.error
import urllib.request

import grpc
import pytest

# The same tests as without HTTP/1.1, against this file's `server` and `mutual`: gRPC must not feel its neighbour.
from test_transport_interop import (  # noqa: F401
    SERVICE, WAIT, Stub, api, channel, connect, pki, refusal, start, stub, test_a_bad_certificate_is_refused,
    test_a_good_certificate_is_served, test_a_message_cut_short_is_refused, test_a_thousand_calls_at_once,
    test_an_oversized_header_is_refused_as_grpc, test_cancel_after_begin, test_cancel_after_first_response,
    test_client_streaming, test_custom_metadata, test_empty_stream, test_empty_unary,
    test_garbage_instead_of_tls_is_closed, test_half_duplex, test_health, test_large_unary, test_ping_pong,
    test_plain_text_is_told_to_use_tls, test_server_streaming, test_special_status_message,
    test_status_code_and_message, test_stock_node_client, test_timeout_on_sleeping_server,
    test_unimplemented_method, test_unimplemented_service)

HOST = b"Host: localhost\r\n"
HELLO = b"GET /hello HTTP/1.1\r\n" + HOST + b"\r\n"
SHORT = ("--http-header-timeout-ms", "500", "--http-idle-timeout-ms", "500", "--http-grace-ms", "500")


@pytest.fixture(scope="module")
def server(start):
    return start("--http")


@pytest.fixture(scope="module")
def mutual(start, pki):
    return start("--http", "--client-ca", pki / "ca.pem", "--crl", pki / "crl.pem", "--require-client-cert")


# ---------------------------------------------------------------- a client that may do anything
def context_of(pki, alpn=("http/1.1",), version=None, client=None):
    context = ssl.create_default_context(cafile=pki / "ca.pem")
    if alpn:
        context.set_alpn_protocols(list(alpn))
    if version:
        context.minimum_version = context.maximum_version = version
    if client:
        context.load_cert_chain(pki / (client + ".pem"), pki / (client + ".key"))
    return context


class Raw:
    def __init__(self, server, pki, context=None, session=None, receive_bytes=None):
        plain = socket.socket()
        if receive_bytes:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        plain.settimeout(WAIT)
        plain.connect(("127.0.0.1", server.port))
        self.tls = (context or context_of(pki)).wrap_socket(plain, server_hostname="localhost", session=session)
        self.file = self.tls.makefile("rb")

    def send(self, *parts):
        for part in parts:
            self.tls.sendall(part)

    def answer(self, head_only=False):
        """(status, headers, body); headers by lower-case name."""
        line = self.file.readline()
        assert line.startswith(b"HTTP/1.1 ") and line.endswith(b"\r\n"), line
        headers = {}
        while (header := self.file.readline()) != b"\r\n":
            name, value = header.decode("ascii").split(":", 1)
            assert name.lower() not in headers, name
            headers[name.lower()] = value.strip()
        status = int(line.split()[1])
        length = 0 if head_only or status in (100, 204) else int(headers["content-length"])
        return status, headers, self.file.read(length)

    def ask(self, *parts, head_only=False):
        self.send(*parts)
        return self.answer(head_only)

    def is_closed(self):
        """Waits for the end; nothing may come before it."""
        try:
            return self.file.read(1) == b""
        except (ConnectionError, ssl.SSLError):
            return True

    def close(self):
        self.file.close()
        self.tls.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def stats(server, pki):
    with Raw(server, pki) as raw:
        return json.loads(raw.ask(b"GET /stats HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n")[2])


def until(look, what):
    for _ in range(WAIT * 20):
        if look():
            return
        time.sleep(0.05)
    raise AssertionError(what)


def post(path, body, *headers):
    head = "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n" % (path, len(body))
    return head.encode() + b"".join(h.encode() + b"\r\n" for h in headers) + b"\r\n" + body


# ---------------------------------------------------------------- TLS
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("alpn,selected", [(["http/1.1"], "http/1.1"), (["h2", "http/1.1"], "http/1.1"),
                                           (["http/1.1", "h2"], "http/1.1"), ([], None)])
def test_who_can_speak_http_1_1_is_answered_without_a_certificate(mutual, pki, version, alpn, selected):
    with Raw(mutual, pki, context_of(pki, alpn, version)) as raw:
        assert raw.tls.selected_alpn_protocol() == selected
        assert raw.ask(HELLO)[::2] == (200, b"hello\n")


def s_client(server, pki, *arguments, typed=""):
    done = subprocess.run(["openssl", "s_client", "-connect", "127.0.0.1:%d" % server.port, "-CAfile",
                           pki / "ca.pem", *arguments], input=typed, capture_output=True, text=True, timeout=WAIT)
    return done.stdout + done.stderr


def test_a_certificate_is_asked_for_on_h2_alone(mutual, pki):
    asked = "Acceptable client certificate CA names"
    assert asked in s_client(mutual, pki, "-alpn", "h2")
    for arguments in ["-alpn", "http/1.1"], ["-alpn", "h2,http/1.1"], [], ["-alpn", "http/1.1", "-tls1_2"]:
        text = s_client(mutual, pki, *arguments)
        assert "Verify return code: 0" in text and asked not in text


def hears_h2(raw):
    """Is our preface answered? In TLS 1.3 a client without a certificate learns of it when it reads."""
    try:
        raw.tls.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0")
        return raw.tls.recv(1) != b""
    except (ssl.SSLError, ConnectionError):
        return False


def is_refused(make):
    try:
        with make() as raw:
            return not hears_h2(raw)
    except (ssl.SSLError, ConnectionError):
        return True


def test_h2_is_tls_1_3_with_a_certificate(mutual, server, pki):
    def raw(where, **options):
        return lambda: Raw(where, pki, context_of(pki, ["h2"], **options))

    assert not is_refused(raw(mutual, client="client"))
    assert is_refused(raw(mutual))
    assert is_refused(raw(mutual, client="withdrawn"))
    assert is_refused(raw(mutual, client="client", version=ssl.TLSVersion.TLSv1_2))
    assert is_refused(raw(server, version=ssl.TLSVersion.TLSv1_2))
    assert is_refused(lambda: Raw(server, pki, context_of(pki, ["spdy/3"])))


def resume(server, pki, context, first, then):
    """Is the session of a first connection, by its protocol, taken for a second? Leaves the second open."""
    context.set_alpn_protocols([first])
    with Raw(server, pki, context) as raw:
        if first == "h2":
            assert hears_h2(raw)
        else:
            assert raw.ask(HELLO)[0] == 200
        session = raw.tls.session
    assert session is not None
    context.set_alpn_protocols([then])
    raw = Raw(server, pki, context, session)
    return raw, raw.tls.session_reused


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_session_is_resumed_by_its_own_protocol(mutual, pki, version):
    raw, reused = resume(mutual, pki, context_of(pki, version=version), "http/1.1", "http/1.1")
    with raw:
        assert reused and raw.ask(HELLO)[0] == 200


def test_a_session_of_http_1_1_never_stands_in_for_a_certificate(mutual, pki):
    raw, reused = resume(mutual, pki, context_of(pki, version=ssl.TLSVersion.TLSv1_3), "http/1.1", "h2")
    assert not reused and is_refused(lambda: raw)
    # whoever has one shows it again
    raw, reused = resume(mutual, pki, context_of(pki, client="client"), "http/1.1", "h2")
    assert not reused and not is_refused(lambda: raw)


def test_a_session_of_h2_is_resumed_on_h2_alone(mutual, pki):
    context = context_of(pki, client="client")
    raw, reused = resume(mutual, pki, context, "h2", "h2")
    assert reused and not is_refused(lambda: raw)
    raw, reused = resume(mutual, pki, context, "h2", "http/1.1")
    with raw:
        assert not reused and raw.ask(HELLO)[0] == 200


@pytest.mark.parametrize("ciphers", ["ECDHE+SHA:@SECLEVEL=0", "ECDHE+SHA256:!AESGCM:!CHACHA20", "kRSA", "DHE"])
@pytest.mark.parametrize("cert", ["server", "server-rsa"])
def test_tls_1_2_has_modern_suites_only(start, pki, cert, ciphers):
    server = start("--http", cert=cert)
    context = context_of(pki, version=ssl.TLSVersion.TLSv1_2)
    with Raw(server, pki, context) as raw:
        assert raw.tls.cipher()[0].startswith("ECDHE-") and raw.ask(HELLO)[0] == 200
    context.set_ciphers(ciphers)
    with pytest.raises(ssl.SSLError):
        Raw(server, pki, context)


def test_older_tls_is_refused_and_nobody_renegotiates(server, pki):
    assert "Cipher is (NONE)" in s_client(server, pki, "-tls1_1", "-cipher", "ALL:@SECLEVEL=0")
    text = s_client(server, pki, "-tls1_2", "-alpn", "http/1.1", typed="R\n")
    assert "Secure Renegotiation IS supported" in text and "no renegotiation" in text
    assert "Compression: NONE" in text


def test_a_reload_keeps_both_protocols(start, pki, api):
    server = start("--http", "--client-ca", pki / "ca.pem", "--require-client-cert")
    server.process.send_signal(signal.SIGHUP)
    with Raw(server, pki, context_of(pki, version=ssl.TLSVersion.TLSv1_2)) as raw:
        assert raw.ask(HELLO)[0] == 200
    test_a_good_certificate_is_served(server, pki, api)


# ---------------------------------------------------------------- ordinary requests
def test_an_answer_says_how_it_is_framed_and_the_connection_goes_on(server, pki):
    with Raw(server, pki) as raw:
        for _ in range(3):
            status, headers, body = raw.ask(HELLO)
            assert (status, body, headers["connection"]) == (200, b"hello\n", "keep-alive")
            assert headers["keep-alive"] == "timeout=75" and headers["content-type"] == "text/plain"
            time.strptime(headers["date"], "%a, %d %b %Y %H:%M:%S GMT")
        assert raw.ask(b"HEAD /hello HTTP/1.1\r\n" + HOST + b"\r\n", head_only=True)[1]["content-length"] == "6"
        status, headers, _ = raw.ask(b"DELETE /none HTTP/1.1\r\n" + HOST + b"\r\n")
        assert status == 204 and "content-length" not in headers and "content-type" not in headers
        status, headers, body = raw.ask(post("/echo", b"abc" * 1000))
        assert (status, headers["x-body-bytes"], body) == (200, "3000", b"abc" * 1000)
        status, headers, _ = raw.ask(HELLO.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"), HELLO)
        assert headers["connection"] == "close" and raw.is_closed()


def test_http_1_0_is_answered_and_closed(server, pki):
    with Raw(server, pki) as raw:
        status, headers, body = raw.ask(b"GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        assert (status, headers["connection"], body) == (200, "close", b"hello\n")
        assert raw.is_closed()


def test_pipelined_requests_are_answered_in_order(server, pki):
    with Raw(server, pki) as raw:
        raw.send(b"GET /slow?300 HTTP/1.1\r\n" + HOST + b"\r\n" + post("/echo", b"x" * 40000) + HELLO +
                 b"GET /nowhere HTTP/1.1\r\n" + HOST + b"\r\n" + post("/echo", b"last", "Connection: close"))
        assert [raw.answer()[::2] for _ in range(5)] == [
            (200, b"slow\n"), (200, b"x" * 40000), (200, b"hello\n"), (404, b"no such path\n"), (200, b"last")]
        assert raw.is_closed()


def test_answers_that_nobody_reads_hold_little_memory(start, pki):
    server = start("--http")
    size, count = 4 << 20, 32
    with Raw(server, pki, receive_bytes=4096) as raw:
        raw.ask(HELLO)
        before = server.rss_kb()
        request = b"GET /large?%d HTTP/1.1\r\n" % size + HOST + b"\r\n"
        raw.send(request * count)
        until(lambda: stats(server, pki)["requests_total"] > 1, "no request came")
        assert stats(server, pki)["requests_total"] < 10  # mostly those that ask for the counters
        assert server.rss_kb() - before < 4 * size // 1024
        for _ in range(count):
            assert len(raw.answer()[2]) == size


@pytest.mark.parametrize("cut", [1, 7, 1000])
def test_chunks_are_put_together(server, pki, cut):
    body = bytes(range(256)) * 20
    chunks = b"".join(b"%x;a=b\r\n%s\r\n" % (len(body[i:i + cut]), body[i:i + cut]) for i in range(0, len(body), cut))
    with Raw(server, pki) as raw:
        raw.send(b"POST /echo HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n" + chunks +
                 b"0\r\nX-Trailer: dropped\r\n\r\n" + HELLO)
        assert raw.answer()[2] == body and raw.answer()[2] == b"hello\n"


def test_whoever_waits_for_100_gets_it_when_his_body_is_wanted(server, pki):
    with Raw(server, pki) as raw:
        whole = post("/echo", b"hello", "Expect: 100-Continue")
        raw.send(whole[:-5])
        assert raw.answer() == (100, {}, b"")
        assert raw.ask(b"hello")[::2] == (200, b"hello")
        assert raw.ask(post("/hello", b"", "Expect: 100-continue"))[0] == 200  # no body: none to wait for
        # refused: no 100, and as nobody knows whether the body comes, the connection ends
        status, headers, _ = raw.ask(post("/no", b"hello", "Expect: 100-continue")[:-5])
        assert (status, headers["connection"], headers["www-authenticate"]) == (401, "close", "Bearer")
        assert raw.is_closed()
    for head, want in [(post("/echo", b"", "Expect: 200"), 417),
                       (post("/echo", b"x" * (1 << 20 | 1), "Expect: 100-continue")[:-(1 << 20)], 413)]:
        with Raw(server, pki) as raw:
            assert raw.ask(head)[0] == want and raw.is_closed()


def test_a_refused_body_is_thrown_away_if_it_is_small(server, pki):
    with Raw(server, pki) as raw:
        for size in 0, 10, 65536:
            status, headers, _ = raw.ask(post("/no", b"x" * size))
            assert (status, headers["connection"]) == (401, "keep-alive")
            assert raw.ask(HELLO)[::2] == (200, b"hello\n")
        status, headers, _ = raw.ask(post("/no", b"x" * 65537))
        assert (status, headers["connection"]) == (401, "close") and raw.is_closed()


def test_a_body_over_the_limit_is_413(server, pki):
    with Raw(server, pki) as raw:
        assert len(raw.ask(post("/echo", b"x" * (1 << 20)))[2]) == 1 << 20
        assert raw.ask(post("/echo", b"x" * ((1 << 20) + 1))[:100])[0] == 413 and raw.is_closed()
    with Raw(server, pki) as raw:
        raw.send(b"POST /echo HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n")
        raw.send(b"10000\r\n" + b"x" * 65536 + b"\r\n")
        raw.send(b"F0001\r\n" + b"x" * (65536 * 15) + b"x")
        assert raw.answer()[0] == 413 and raw.is_closed()
    assert stats(server, pki)["body_bytes"] == 0


# ---------------------------------------------------------------- smuggling
def header(line):
    return b"POST /echo HTTP/1.1\r\n" + HOST + line + b"\r\n\r\n"


@pytest.mark.parametrize("request_bytes,status", [
    (b"GET /hello HTTP/1.1\r\n\r\n", 400),
    (b"GET /hello HTTP/1.1\r\n" + HOST * 2 + b"\r\n", 400),
    (b"GET /hello HTTP/1.1\r\nHost: a b\r\n\r\n", 400),
    (b"GET /hello HTTP/1.1\nHost: localhost\n\n", 400),
    (b"GET https://elsewhere/hello HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    (b"GET http://localhost/hello HTTP/1.1\r\n" + HOST + b"\r\n", 421),
    (b"CONNECT localhost:443 HTTP/1.1\r\n" + HOST + b"\r\n", 501),
    (b"GET localhost:443 HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    (b"GET /hello\r\n", 400),
    (b"GET /" + b"a" * 8192, 414),
    (header(b"X: " + b"a" * 16384), 431),
    (header(b"X: y\r\n" * 100 + b"X: y"), 431),
    (header(b"Content-Length: +5"), 400),
    (header(b"Content-Length: 5\r\nContent-Length: 5"), 400),
    (header(b"Content-Length: 5, 5"), 400),
    (header(b"Content-Length: 5\r\nTransfer-Encoding: chunked"), 400),
    (header(b"Transfer-Encoding: xchunked"), 501),
    (header(b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity"), 501),
    (header(b"Transfer-Encoding : chunked"), 400),
    (header(b"X: y\r\n Transfer-Encoding: chunked"), 400),
    (header(b"X: y\rTransfer-Encoding: chunked"), 400),
    (header(b"X: y\0"), 400),
    (header(b"Transfer-Encoding: \x0bchunked"), 400),
    (header(b"Transfer-Encoding: chunked") + b"1 \r\n", 400),
    (header(b"Transfer-Encoding: chunked") + b"0x1\r\n", 400),
    (header(b"Transfer-Encoding: chunked") + b"1\r\nab\r\n", 400),
    (header(b"Transfer-Encoding: chunked") + b"1;" + b"a" * 300 + b"\r\n", 400),
    (header(b"Transfer-Encoding: chunked") + b"0\r\nX\r\n\r\n", 400),
])
def test_what_two_readers_could_read_in_two_ways_is_refused(server, pki, request_bytes, status):
    with Raw(server, pki) as raw:
        assert raw.ask(HELLO)[0] == 200
        got, headers, body = raw.ask(request_bytes + HELLO)
        assert (got, headers["connection"], headers["content-type"]) == (status, "close", "application/json")
        assert json.loads(body)["status"] == status and json.loads(body)["why"]
        assert raw.is_closed()  # the second request was not answered


# ---------------------------------------------------------------- time and bounds
@pytest.fixture(scope="module")
def impatient(start):
    return start("--http", *SHORT)


@pytest.mark.parametrize("begin", [b"G", HELLO[:-1], post("/echo", b"12345")[:-1],
                                   header(b"Transfer-Encoding: chunked") + b"5\r\nhell"])
@pytest.mark.parametrize("first", [True, False])
def test_a_request_that_stops_coming_is_408(impatient, pki, begin, first):
    with Raw(impatient, pki) as raw:
        if not first:
            assert raw.ask(HELLO)[0] == 200
        status, headers, _ = raw.ask(begin)
        assert (status, headers["connection"]) == (408, "close") and raw.is_closed()


def test_a_head_byte_by_byte_is_408_too(impatient, pki):
    with Raw(impatient, pki) as raw:
        with pytest.raises((OSError, AssertionError)):
            for byte in HELLO[:-4] + b"\r\nX: " + b"y" * 10000:
                raw.send(bytes([byte]))
                time.sleep(0.02)
                raw.tls.setblocking(False)
                try:
                    assert not raw.tls.recv(1)
                except ssl.SSLWantReadError:
                    pass
                raw.tls.setblocking(True)


@pytest.mark.parametrize("first", [True, False])
def test_an_idle_connection_is_closed_without_a_word(impatient, pki, first):
    with Raw(impatient, pki) as raw:
        if not first:
            assert raw.ask(HELLO)[0] == 200
        assert raw.is_closed()


def test_a_slow_handler_is_not_timed_out(impatient, pki):
    with Raw(impatient, pki) as raw:
        assert raw.ask(b"GET /slow?2000 HTTP/1.1\r\n" + HOST + b"\r\n")[::2] == (200, b"slow\n")
        assert raw.ask(HELLO)[0] == 200


def test_a_client_that_does_not_read_is_dropped(impatient, pki):
    with Raw(impatient, pki, receive_bytes=4096) as raw:
        open_before = stats(impatient, pki)["http_connections_open"]
        raw.send(b"GET /large?60000000 HTTP/1.1\r\n" + HOST + b"\r\n")
        until(lambda: stats(impatient, pki)["http_connections_open"] < open_before, "it is still there")


def test_a_client_that_goes_away_is_told_of(start, pki):
    server = start("--http")
    for pipelined in False, True:
        with Raw(server, pki) as raw:
            raw.send(b"GET /slow?%d HTTP/1.1\r\n" % (500 if pipelined else 60000) + HOST + b"\r\n")
            until(lambda: stats(server, pki)["exchanges_open"] == 2, "not begun")  # with that of the counters
        until(lambda: stats(server, pki)["exchanges_open"] == 1, "not ended")
    assert stats(server, pki)["requests_gone"] >= 1


def test_the_last_request_of_a_connection_says_so(start, pki):
    server = start("--http", "--http-requests-max", "3")
    with Raw(server, pki) as raw:
        assert [raw.ask(HELLO)[1]["connection"] for _ in range(3)] == ["keep-alive", "keep-alive", "close"]
        assert raw.is_closed()


def test_bodies_of_all_connections_have_one_bound(start, pki):
    server = start("--http", "--http-body-bytes-max-total", "100000")
    whole = post("/echo", b"x" * 90000)
    with Raw(server, pki) as one, Raw(server, pki) as other:
        one.send(whole[:-1])
        until(lambda: stats(server, pki)["body_bytes"] == 89999, "not held")
        status, headers, _ = other.ask(whole)
        assert (status, headers["retry-after"], headers["connection"]) == (503, "1", "close")
        assert one.ask(whole[-1:])[0] == 200
        assert stats(server, pki)["body_bytes"] == 0


def test_both_protocols_share_the_bound_of_connections(start, pki, api):
    server = start("--http", "--connections-max", "2")
    with Raw(server, pki) as raw, connect(server, pki) as channel:
        assert raw.ask(HELLO)[0] == 200
        stub = Stub(channel, api)
        stub.empty(stub.Empty(), timeout=WAIT)
        with Raw(server, pki) as third:
            status, headers, _ = third.ask(HELLO)
            assert (status, headers["retry-after"]) == (503, "1") and third.is_closed()
        assert raw.ask(HELLO)[0] == 200


def test_a_drain_lets_requests_finish_and_closes_the_idle(start, pki):
    server = start("--http")
    with Raw(server, pki) as busy, Raw(server, pki) as idle, Raw(server, pki) as half:
        assert idle.ask(HELLO)[0] == 200
        busy.send(b"GET /slow?1500 HTTP/1.1\r\n" + HOST + b"\r\n" + HELLO)
        half.send(HELLO[:10])
        until(lambda: stats(server, pki)["exchanges_open"] == 2, "not begun")
        server.process.send_signal(signal.SIGTERM)
        assert idle.is_closed()
        assert half.ask(HELLO[10:])[1]["connection"] == "close" and half.is_closed()
        status, headers, body = busy.answer()
        assert (status, headers["connection"], body) == (200, "close", b"slow\n")
        assert busy.is_closed()
    assert server.process.wait(WAIT) == 0


# ---------------------------------------------------------------- gzip
@pytest.mark.parametrize("accepted,packed", [("gzip", True), ("br, *;q=0.1", True), ("gzip;q=0", False),
                                             ("identity", False), (None, False)])
def test_gzip_is_for_those_who_take_it(server, pki, accepted, packed):
    line = b"Accept-Encoding: %s\r\n" % accepted.encode() if accepted else b""
    with Raw(server, pki) as raw:
        plain = raw.ask(b"GET /large?100000 HTTP/1.1\r\n" + HOST + b"\r\n")[2]
        status, headers, body = raw.ask(b"GET /large?100000 HTTP/1.1\r\n" + HOST + line + b"\r\n")
        assert (headers.get("content-encoding") == "gzip") == packed and headers["vary"] == "Accept-Encoding"
        assert (gzip.decompress(body) if packed else body) == plain and len(plain) == 100000
        head = raw.ask(b"HEAD /large?100000 HTTP/1.1\r\n" + HOST + line + b"\r\n", head_only=True)[1]
        assert head["content-length"] == headers["content-length"] == str(len(body))
        small = raw.ask(b"GET /large?1023 HTTP/1.1\r\n" + HOST + line + b"\r\n")
        assert "content-encoding" not in small[1] and "vary" not in small[1] and len(small[2]) == 1023


# ---------------------------------------------------------------- stock clients
def test_stock_curl(mutual, pki, tmp_path):
    def curl(*arguments):
        done = subprocess.run(["curl", "-sS", "--cacert", pki / "ca.pem", *arguments], capture_output=True,
                              timeout=WAIT)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    base = "https://localhost:%d" % mutual.port
    body = tmp_path / "body"
    body.write_bytes(b"z" * 1000000)  # large enough for curl to wait for 100
    assert curl("-w", "%{http_version}", base + "/hello") == b"hello\n1.1"  # it offers h2 as well
    assert curl("--tls-max", "1.2", base + "/hello", base + "/hello") == b"hello\n" * 2
    assert curl("--data-binary", "@%s" % body, base + "/echo") == body.read_bytes()
    assert curl("-T", str(body), "-X", "POST", "-H", "Transfer-Encoding: chunked", base + "/echo") == body.read_bytes()
    assert len(curl("--compressed", base + "/large?5000")) == 5000


def test_stock_python_clients(mutual, pki):
    context = ssl.create_default_context(cafile=pki / "ca.pem")
    client = http.client.HTTPSConnection("localhost", mutual.port, context=context, timeout=WAIT)
    for body in [b"abc", iter([b"a" * 10000, b"b", b"c"])]:
        client.request("POST", "/echo", body, encode_chunked=True)
        answer = client.getresponse()
        assert answer.status == 200 and len(answer.read()) in (3, 10002)
    client.close()
    with urllib.request.urlopen("https://localhost:%d/hello" % mutual.port, context=context, timeout=WAIT) as answer:
        assert answer.read() == b"hello\n"
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen("https://localhost:%d/no" % mutual.port, b"data", context=context, timeout=WAIT)
    assert caught.value.code == 401


NODE = """
const base = process.argv[1];
async function main() {
    const many = await Promise.all([...Array(50).keys()].map(
        i => fetch(base + '/echo', {method: 'POST', body: 'n' + i}).then(r => r.text())));
    const large = await (await fetch(base + '/large?200000')).text();
    const no = (await fetch(base + '/no', {method: 'POST', body: 'x'})).status;
    const stream = await fetch(base + '/echo', {method: 'POST', duplex: 'half', body: new ReadableStream({
        start(c) { c.enqueue(new TextEncoder().encode('streamed')); c.close(); }})});
    console.log(JSON.stringify({many, large: large.length, no, stream: await stream.text()}));
}
main().catch(e => { console.error(e); process.exit(1); });
"""


def test_stock_node_fetch(mutual, pki):
    import os

    done = subprocess.run(["node", "-e", NODE, "https://localhost:%d" % mutual.port], capture_output=True, text=True,
                          env={**os.environ, "NODE_EXTRA_CA_CERTS": pki / "ca.pem", "NODE_OPTIONS": "--dns-result-order=ipv4first"}, timeout=WAIT)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"many": ["n%d" % i for i in range(50)], "large": 200000, "no": 401,
                                       "stream": "streamed"}


def test_both_protocols_at_once(mutual, pki, api):
    """Many of each, in threads; every answer is its own."""
    failures = []

    def rest(number):
        with Raw(mutual, pki) as raw:
            for i in range(30):
                body = b"%d-%d" % (number, i)
                if raw.ask(post("/echo", body))[2] != body:
                    failures.append(body)

    threads = [threading.Thread(target=rest, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    with connect(mutual, pki, "client") as channel:
        stub = Stub(channel, api)
        for n in range(200):
            request = stub.SimpleRequest(response_size=n)
            assert len(stub.unary(request, timeout=WAIT).payload.body) == n
    for thread in threads:
        thread.join(WAIT)
    assert failures == [] and stats(mutual, pki)["exchanges_open"] == 1


def test_grpc_without_a_certificate_stays_out(mutual, pki, api):
    with connect(mutual, pki) as channel:
        stub = Stub(channel, api)
        assert refusal(lambda: stub.empty(stub.Empty(), timeout=WAIT)).code() == grpc.StatusCode.UNAVAILABLE
