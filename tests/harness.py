"""What tests that run the real programs are made of; tests/conftest.py makes fixtures of it."""

import contextlib
import hashlib
import hmac
import importlib
import itertools
import os
import pathlib
import re
import signal
import struct
import subprocess
import sys
import time
import types

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = pathlib.Path(os.environ.get("UJRAT_BUILD", ROOT / "build" / "release"))
BIN = pathlib.Path(os.environ.get("UJRAT_BIN", BUILD / "bin"))
# a sanitizer makes everything a few times slower
PATIENCE = 3 if BUILD.name in ("asan", "tsan", "cov") else 1


def wait_until(condition, seconds=10, what="a condition", every=0.02):
    """The first true value of condition(), or a failure after so many seconds."""
    end = time.monotonic() + seconds * PATIENCE
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise TimeoutError("waited %d s for %s" % (seconds * PATIENCE, what))
        time.sleep(every)


def run(*argv, **options):
    """Runs a program to its end; on failure its words are in the exception."""
    done = subprocess.run([str(a) for a in argv], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, **options)
    if done.returncode != 0:
        raise AssertionError("%s: exit %d\n%s%s" % (" ".join(map(str, argv)), done.returncode, done.stdout, done.stderr))
    return done.stdout


_numbers = itertools.count(1)


def unique(stem):
    return "%s_%d_%d" % (stem, os.getpid(), next(_numbers))


# ---------------------------------------------------------------- PostgreSQL
class Cluster:
    """A private PostgreSQL cluster, as tools/pg_cluster.sh makes it."""

    def __init__(self, folder, tune="test"):
        self.folder, self.tune = pathlib.Path(folder), tune
        self._uris = {}  # each costs a process to ask for

    def _tool(self, command, *arguments):
        return run(ROOT / "tools" / "pg_cluster.sh", command, *arguments).strip()

    def start(self):
        self._uris.clear()  # the port may be another now
        self._tool("start", "--tune", self.tune, self.folder)
        return self

    def stop(self, mode="fast"):
        self._tool("stop", "-m", mode, self.folder)

    def kill(self, pid=None, sig="KILL"):
        """The postmaster, or one of its processes."""
        self._tool("kill", self.folder, sig, *([pid] if pid else []))

    def destroy(self):
        self._tool("destroy", self.folder)

    def pid(self):
        return int(self._tool("pid", self.folder))

    def uri(self, database="postgres", role="postgres", tcp=False):
        asked = database, role, tcp
        if asked not in self._uris:
            self._uris[asked] = self._tool("tcp-uri" if tcp else "uri", self.folder, role, database)
        return self._uris[asked]

    def connect(self, database="postgres", role="postgres", **options):
        import psycopg

        return psycopg.connect(self.uri(database, role), **options)


class Database:
    """A migrated database of its own."""

    def __init__(self, cluster, name):
        self.cluster, self.name = cluster, name

    def uri(self, role="postgres"):
        return self.cluster.uri(self.name, role)

    def connect(self, role="postgres", **options):
        return self.cluster.connect(self.name, role, **options)

    def rows(self, query, parameters=(), role="postgres"):
        with self.connect(role, autocommit=True) as connection:
            return connection.execute(query, parameters).fetchall()

    def value(self, query, parameters=(), role="postgres"):
        return self.rows(query, parameters, role)[0][0]


def new_database(cluster, name=None):
    name = name or unique("t")
    cluster._tool("createdb", cluster.folder, name)
    database = Database(cluster, name)
    run(BIN / "ujrat", "db", "migrate", "--db", database.uri())
    return database


# ---------------------------------------------------------------- operators' second factor
def totp(secret, at=None, digits=6):
    """The code of RFC 6238 at that time (default: now)."""
    mac = hmac.new(secret, struct.pack(">Q", int((time.time() if at is None else at) // 30)), hashlib.sha1).digest()
    offset = mac[19] & 15
    return "%0*d" % (digits, (int.from_bytes(mac[offset:offset + 4], "big") & 0x7FFFFFFF) % 10**digits)


class Operator:
    """A login with a confirmed second factor; its login is made if there is none."""

    def __init__(self, uri, login):
        """uri: the superuser's."""
        self.uri, self.login = uri, login
        with self._superuser() as db:
            if db.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (login,)).fetchone() is None:
                db.execute('CREATE ROLE "%s" LOGIN IN ROLE ujrat_operator' % login)
            db.execute('SET SESSION AUTHORIZATION "%s"' % login)
            self.secret, = db.execute("SELECT enroll_operator()").fetchone()
            db.execute("SELECT confirm_operator(%s)", (totp(self.secret),))
        with self._superuser() as db:
            self.id, = db.execute("SELECT principal_id FROM principal WHERE uri = 'ujrat://operator/' || replace(%s, '_', '-')", (login,)).fetchone()

    def _superuser(self):
        import psycopg

        return psycopg.connect(self.uri, autocommit=True, options="-c search_path=ujrat")

    def code(self, at=None):
        """A code that is good, as if those before had been shown long ago: a test does not wait half a minute for the next."""
        with self._superuser() as db:
            db.execute("SELECT setval('operator_%d_used', 0)" % self.id)
        return totp(self.secret, at)

    def session(self):
        """A session of this login."""
        db = self._superuser()
        db.execute('SET SESSION AUTHORIZATION "%s"' % self.login)
        return db


_operators = {}


def operator(uri, login):
    """The operator of that login in that database, enrolled once; uri: the superuser's."""
    from psycopg.conninfo import conninfo_to_dict

    where = conninfo_to_dict(uri)  # however it is written
    key = where.get("host"), where.get("port"), where.get("dbname"), login
    if key not in _operators:
        _operators[key] = Operator(uri, login)
    return _operators[key]


# ---------------------------------------------------------------- certificates
class Pki:
    """A folder of NAME.pem and NAME.key, as tools/pki.sh makes it."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self._tool(self.folder)
        self.ca, self.crl = self.folder / "ca.pem", self.folder / "crl.pem"

    def _tool(self, *arguments):
        run(ROOT / "tools" / "pki.sh", *arguments)

    def pair(self, name):
        return self.folder / (name + ".pem"), self.folder / (name + ".key")

    def issue(self, uri, days=30, name=None):
        """A client certificate for a SAN URI; with negative days it expired. Returns its name."""
        name = name or unique("client").replace("_", "-")
        self._tool("issue", self.folder, name, uri, days)
        return name

    def server(self, *arguments, name=None):
        name = name or unique("server").replace("_", "-")
        self._tool("server", self.folder, name, *arguments)
        return name

    def revoke(self, name):
        self._tool("revoke", self.folder, name)


# ---------------------------------------------------------------- the contract, as stock clients see it
def compile_stubs(out):
    out.mkdir()
    protos = sorted(p for p in (str(q.relative_to(ROOT / "proto")) for q in (ROOT / "proto").rglob("*.proto"))
                    if not p.startswith("grpc/testing/"))
    run("/usr/bin/python3", "-m", "grpc_tools.protoc", "-I", ROOT / "proto", "-I", "/usr/include",
        "--python_out", out, "--grpc_python_out", out, *protos)
    sys.path.insert(0, str(out))
    import grpc

    grpc.__path__.append(str(out / "grpc"))  # grpc.health and the like, beside the library of that name
    stubs = types.SimpleNamespace(folder=out)
    for proto in protos:
        stem = pathlib.PurePath(proto).stem
        for suffix, name in (("_pb2", stem), ("_pb2_grpc", stem + "_grpc")):
            module = proto[: -len(".proto")].replace("/", ".").replace("-", "_") + suffix
            setattr(stubs, name, importlib.import_module(module))
    return stubs


def details(error, api):
    """What an RpcError carries: {"ErrorInfo": message, "BadRequest": ..., ...}; empty if nothing."""
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            status = api.status.Status.FromString(value)
            found = {}
            for any_ in status.details:
                name = any_.type_url.rsplit(".", 1)[-1]
                message = getattr(api.error_details, name)()
                assert any_.Unpack(message)
                found[name] = message
            return found
    return {}


def reason(error, api):
    """The machine-readable reason of a refusal."""
    info = details(error, api).get("ErrorInfo")
    return info.reason if info else None


# ---------------------------------------------------------------- the gateway
def pii_keys_of(database, folder):
    """The database's file of keys, whichever of its gateways comes first: they all read what any of them wrote."""
    path = pathlib.Path(folder) / ("pii-%s.keys" % database.name)
    if not path.exists():
        run(BIN / "ujrat", "pii", "key", "new", path, "--quiet")
    return path


class Gateway:
    """A running ujratd with its config, its database and its log."""

    def __init__(self, folder, database, pki, api, seal=False, **settings):
        """seal: a folder of keys (True: one of its own); the gateway seals with those in it. add_key() makes one."""
        self.folder, self.database, self.pki, self.api = pathlib.Path(folder), database, pki, api
        self.folder.mkdir(parents=True)
        self.config, self.log_file, self.port_file = (self.folder / n for n in ("ujratd.conf", "log", "port"))
        self.process, self.port, self._channels = None, None, []
        cert, key = pki.pair("server")
        self.settings = {
            "listen": "127.0.0.1:0",
            "port_file": self.port_file,
            "tls_cert": cert,
            "tls_key": key,
            "tls_client_ca": pki.ca,
            "tls_crl": pki.crl,
            "db": database.uri("ujrat_app"),
            "pii_keys": pii_keys_of(database, self.folder.parent),
            "workers": 1,
        }
        self.keys = None
        if seal:
            self.keys = self.folder / "keys" if seal is True else pathlib.Path(seal)
            self.keys.mkdir(mode=0o700, exist_ok=True)
            self.settings.update(seal_keys=self.keys, seal_db=database.uri("ujrat_sealer"), seal_interval="20ms")
        self.settings.update(settings)

    def write_config(self, **settings):
        """Settings for the next start or reload; None takes one out."""
        self.settings.update(settings)

        def quoted(value):
            text = {True: "true", False: "false"}.get(value, str(value)) if isinstance(value, bool) else str(value)
            return '"%s"' % re.sub(r'(["\\])', r"\\\1", text)

        self.config.write_text("".join("%s = %s\n" % (k, quoted(v)) for k, v in self.settings.items() if v is not None))

    def start(self, wait=True):
        self.write_config()
        self.port_file.unlink(missing_ok=True)
        with open(self.log_file, "ab") as log:
            self.process = subprocess.Popen([str(BIN / "ujratd"), "--config", str(self.config)],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder)
        if wait:
            self.port = wait_until(self._listening, 20, "ujratd to listen")
        return self

    def _listening(self):
        if self.process.poll() is not None:
            raise AssertionError("ujratd ended with %d:\n%s" % (self.process.returncode, self.log()[-4000:]))
        text = self.port_file.read_text().strip() if self.port_file.exists() else ""
        return int(text) if text else None

    def stop(self, sig=signal.SIGTERM, seconds=30):
        """Ends it and returns its exit code; a graceful end that is not 0 is a failure."""
        self.close_channels()
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.send_signal(sig)
        try:
            code = self.process.wait(seconds * PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError("ujratd did not end on signal %d:\n%s" % (sig, self.log()[-4000:]))
        self.process = None
        if sig == signal.SIGTERM:
            assert code == 0, "ujratd ended with %d:\n%s" % (code, self.log()[-4000:])
        return code

    def kill(self):
        return self.stop(signal.SIGKILL)

    def reload(self):
        self.process.send_signal(signal.SIGHUP)

    def _children(self):
        """(process id, name) of the master's."""
        children = pathlib.Path("/proc/%d/task/%d/children" % (self.process.pid, self.process.pid)).read_text()
        named = []
        for p in children.split():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # one that has just ended
                named.append((int(p), pathlib.Path("/proc/%s/comm" % p).read_text().strip()))
        return named

    def workers(self):
        """Process ids of the workers."""
        return [pid for pid, name in self._children() if name not in ("ujratd-sealer", "ujratd-hooks")]

    def notifier(self):
        """The process id of who delivers webhooks; None while there is none."""
        return next((pid for pid, name in self._children() if name == "ujratd-hooks"), None)

    def sealer(self):
        """The sealer's process id; None while there is none."""
        return next((pid for pid, name in self._children() if name == "ujratd-sealer"), None)

    def add_key(self, book, *options):
        """A new key for a book, the successor of the one it has."""
        self.ujrat("log", "key", "add", book, "--keys", self.keys, "--quiet", *options)

    def unsealed(self):
        """How many blocks of books with a key are not sealed yet."""
        return self.database.value(
            "SELECT coalesce(sum(h.next_block - 1 - coalesce((SELECT max(block_no) FROM ujrat.block_seal s"
            " WHERE s.book_id = h.book_id), 0)), 0)::int FROM ujrat.book_head h"
            " WHERE EXISTS (SELECT FROM ujrat.log_key k WHERE k.book_id = h.book_id)")

    def wait_sealed(self, seconds=20):
        wait_until(lambda: self.unsealed() == 0, seconds, "every block to be sealed")

    def log(self):
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    @property
    def address(self):
        return "localhost:%d" % self.port

    def credentials(self, principal="upwork", pki=None, ca=None):
        """principal None: no client certificate. pki: whose certificate and key to show."""
        import grpc

        key = cert = None
        if principal:
            cert, key = (f.read_bytes() for f in (pki or self.pki).pair(principal))
        return grpc.ssl_channel_credentials((ca or self.pki.ca).read_bytes(), key, cert)

    def channel(self, principal="upwork", pki=None, options=(), address=None):
        """A stock gRPC channel with a principal's certificate; closed with the gateway."""
        import grpc

        # each channel its own connections, or certificates would be mixed up
        options = [("grpc.use_local_subchannel_pool", 1), *options]
        channel = grpc.secure_channel(address or self.address, self.credentials(principal, pki), options)
        self._channels.append(channel)
        return channel

    def stub(self, area, service, principal="upwork", **options):
        """gateway.stub("payout", "PayoutService", "fiverr")"""
        return getattr(getattr(self.api, area + "_grpc"), service + "Stub")(self.channel(principal, **options))

    def close_channels(self):
        for channel in self._channels:
            channel.close()
        self._channels.clear()

    def ujrat(self, *arguments):
        """The operator's command on this gateway's database."""
        return run(BIN / "ujrat", *arguments, "--db", self.database.uri("ujrat_operator"))
