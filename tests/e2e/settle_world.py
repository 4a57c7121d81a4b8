"""ujrat-settle in a small world (world.py), and a bank that takes files: written from docs/settlement.md and the comments of
settle/manifest.h alone, with Python's own XML, JSON and Ed25519."""
import datetime
import hashlib
import json
import re
import signal
import subprocess
import xml.etree.ElementTree as ET

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from harness import BIN, PATIENCE, pii_keys_of, unique, wait_until

US = "UJRTPKKA"
KARACHI = datetime.timezone(datetime.timedelta(hours=5))
NS = "urn:iso:std:iso:20022:tech:xsd:"


def write_key(path, key):
    path.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                       serialization.NoEncryption()))
    path.chmod(0o600)


def write_public(path, key):
    path.write_bytes(key.public_key().public_bytes(serialization.Encoding.PEM,
                                                   serialization.PublicFormat.SubjectPublicKeyInfo))


class Settle:
    """A running ujrat-settle with its config, its folders and its log; several may share `like`'s."""

    def __init__(self, folder, database, like=None, **settings):
        self.folder = folder
        folder.mkdir(parents=True)
        self.database, self.process = database, None
        self.config, self.log_file = folder / "settle.conf", folder / "log"
        self.shared = like.shared if like else folder
        self.banks, self.bank_keys = self.shared / "banks", self.shared / "bank-keys"
        self.key_file = self.shared / "signing.pem"
        if like:
            self.key = like.key
        else:
            self.banks.mkdir()
            self.bank_keys.mkdir()
            self.key = Ed25519PrivateKey.generate()
            write_key(self.key_file, self.key)
        self.settings = dict(db=database.uri("ujrat_settle"), interval="50ms", standby="100ms", hand_out_interval="50ms",
                             bank_folders=self.banks, bank_keys=self.bank_keys, signing_key=self.key_file,
                             pii_keys=pii_keys_of(database, folder.parent), our_bic=US, our_name="Ujrat (Pvt) Limited",
                             our_town="Karachi", manifest_wait="1h", log_level="debug")
        self.settings.update(settings)

    def write_config(self, **settings):
        self.settings.update(settings)
        self.config.write_text("".join('%s = "%s"\n' % (k, {True: "true", False: "false"}.get(v, v) if isinstance(v, bool) else v)
                                       for k, v in self.settings.items() if v is not None))

    def once(self, *options, code=0):
        self.write_config()
        done = subprocess.run([str(BIN / "ujrat-settle"), "--config", str(self.config), "--once", *options], text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60 * PATIENCE)
        with open(self.log_file, "a") as log:
            log.write(done.stderr)
        assert done.returncode == code, (done.returncode, done.stderr[-4000:])
        return done.stderr

    def start(self):
        self.write_config()
        with open(self.log_file, "ab") as log:
            self.process = subprocess.Popen([str(BIN / "ujrat-settle"), "--config", str(self.config)],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder)
        return self

    def stop(self, sig=signal.SIGTERM):
        if self.process is None:
            return None
        self.process.send_signal(sig)
        code = self.process.wait(20 * PATIENCE)
        self.process = None
        if sig == signal.SIGTERM:
            assert code == 0, self.log()[-4000:]
        return code

    def log(self):
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def wait_log(self, pattern, seconds=15):
        return wait_until(lambda: re.search(pattern, self.log()), seconds, "the log to say " + pattern)


class File:
    """One of our files as the bank finds it: whole, signed, of the length and hash that its manifest says."""

    def __init__(self, folder, manifest_path, public_key):
        text = manifest_path.read_bytes()
        self.stem = manifest_path.name[: -len(".manifest.json")]
        public_key.verify((folder / (self.stem + ".sig")).read_bytes(), text)
        self.manifest = json.loads(text)
        self.bytes = (folder / self.manifest["file"]).read_bytes()
        assert self.manifest["format"] == "ujrat-file/1" and self.manifest["direction"] == "to_bank"
        assert self.manifest["file"] == self.stem + ".xml"
        assert len(self.bytes) == self.manifest["bytes"]
        assert hashlib.sha256(self.bytes).hexdigest() == self.manifest["sha256"]

    @property
    def number(self):
        return self.manifest["file_no"]

    @property
    def message(self):
        return self.manifest["message"]

    def items(self):
        """What each transaction says, as {"EndToEndId": ..., ...}: the text of all leaves by their last name or two."""
        name = {"pacs.008": "CdtTrfTxInf", "pain.001": "CdtTrfTxInf", "pacs.028": "TxInf", "camt.056": "TxInf",
                "pacs.009": "CdtTrfTxInf"}[self.message[:8]]
        found = []
        for tx in ET.fromstring(self.bytes).iter("{%s%s}%s" % (NS, self.message, name)):
            said = {}

            def walk(element, path):
                tag = element.tag.split("}")[1]
                if len(element):
                    for child in element:
                        walk(child, tag)
                said.setdefault(tag, element.text)
                said.setdefault(path + "/" + tag, element.text)

            walk(tx, "")
            found.append(said)
        return found


class FileBank:
    """A bank's side of the folders."""

    def __init__(self, settle, bank, database):
        self.settle, self.code, self.database = settle, bank.code, database
        self.key = Ed25519PrivateKey.generate()
        write_public(settle.bank_keys / (bank.code + ".pem"), self.key)
        self.folder = settle.banks / bank.code
        self.number, self.previous = 0, None
        self.bank_id = database.value("SELECT bank_id FROM ujrat.bank WHERE code = %s", (bank.code,))
        with database.connect(autocommit=True) as db:
            db.execute("UPDATE ujrat.bank SET bic = %s WHERE bank_id = %s", (bank.code + "PKKA", self.bank_id))

    def terms(self, mode="windows", channel="file", cutoffs=("23:59:59",), answer_within="1 hour", escalate_after="4 hours",
              settle_within="4 hours", file_format="pacs.008.001.08", instruction_max=None, window_max=None, cap=None, low=None,
              open=True):
        """open: the first window is open, as ujrat-settle would have it soon."""
        with self.database.connect("ujrat_operator", autocommit=True, options="-c search_path=ujrat") as db:
            db.execute("SELECT set_bank_terms(%s::smallint, %s, %s, %s::time[], %s::time[], 586::smallint, %s, %s, %s, %s, %s::interval,"
                       " %s::interval, %s::interval, %s, 'test')",
                       (self.bank_id, mode, channel, list(cutoffs), list(cutoffs), instruction_max, window_max, cap, low, answer_within,
                        escalate_after, settle_within, file_format))
            # so that cut-offs are on any day that the tests run
            for day in range(-2, 3):
                date = (datetime.datetime.now(KARACHI) + datetime.timedelta(days=day)).date()
                db.execute("SELECT record_calendar_day(%s, 'working', 'test', 'test')", (date,))
        for part in ("in", "out", "archive", "quarantine"):
            self.part(part).mkdir(parents=True, exist_ok=True)
        if open:
            with self.database.connect("ujrat_settle", autocommit=True, options="-c search_path=ujrat") as db:
                db.execute("SELECT open_first_window(%s::smallint, now() + interval '1 day')", (self.bank_id,))

    def part(self, name):
        return self.folder / name

    def files(self):
        """All that are whole in out/, in order."""
        folder = self.part("out")
        if not folder.exists():
            return []
        return [File(folder, m, self.settle.key.public_key()) for m in sorted(folder.glob("*.manifest.json"))]

    # ---- answers
    def status(self, *items):
        """pacs.002: (id, status, more as XML before and after the amount)."""
        return "pacs.002.001.10", len(items), (
            '<Document xmlns="%spacs.002.001.10"><FIToFIPmtStsRpt><GrpHdr><MsgId>%s</MsgId><CreDtTm>%s</CreDtTm>'
            "<InstgAgt><FinInstnId><BICFI>%sPKKA</BICFI></FinInstnId></InstgAgt>"
            "<InstdAgt><FinInstnId><BICFI>%s</BICFI></FinInstnId></InstdAgt></GrpHdr>%s</FIToFIPmtStsRpt></Document>" % (
                NS, unique("st").replace("_", "-"), datetime.datetime.now(KARACHI).isoformat(timespec="seconds"), self.code, US,
                "".join("<TxInfAndSts>%s</TxInfAndSts>\n" % item for item in items)))

    @staticmethod
    def settled(id, reference=None, amount=None, status="ACSC"):
        return "<OrgnlEndToEndId>%s</OrgnlEndToEndId><TxSts>%s</TxSts><AcctSvcrRef>%s</AcctSvcrRef>%s" % (
            id, status, reference or "BR-" + id, "" if amount is None else
            '<OrgnlTxRef><IntrBkSttlmAmt Ccy="PKR">%s</IntrBkSttlmAmt></OrgnlTxRef>' % amount)

    @staticmethod
    def rejected(id, code="AC04"):
        return ("<OrgnlEndToEndId>%s</OrgnlEndToEndId><TxSts>RJCT</TxSts><StsRsnInf><Rsn><Cd>%s</Cd></Rsn></StsRsnInf>" % (id, code))

    @staticmethod
    def noted(id, status):
        return "<OrgnlEndToEndId>%s</OrgnlEndToEndId><TxSts>%s</TxSts>" % (id, status)

    def manifest(self, stem, message, count, body, **changes):
        self.number += 1
        told = dict(format="ujrat-file/1", bank=self.code, direction="from_bank", file=stem + ".xml", file_no=self.number,
                    message=message, bytes=len(body), sha256=hashlib.sha256(body).hexdigest(), previous_sha256=self.previous,
                    created_at=datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"), count=count)
        told.update(changes)
        return told

    def send(self, name, items, body, stem=None, key=None, sign=True, chained=False, **changes):
        """Puts a file into in/, its manifest last. Returns its stem."""
        body = body if isinstance(body, bytes) else body.encode()
        stem = stem or "ans-%06d" % (self.number + 1)
        folder = self.part("in")
        told = self.manifest(stem, changes.pop("message", name), changes.pop("count", items), body, **changes)
        if not chained:
            told.setdefault("previous_sha256", None)
            if "previous_sha256" not in changes:
                told["previous_sha256"] = None
        self.previous = told["sha256"]
        text = json.dumps(told).encode()
        (folder / (stem + ".xml")).write_bytes(body)
        if sign:
            (folder / (stem + ".sig")).write_bytes((key or self.key).sign(text))
        (folder / ("." + stem)).write_bytes(text)
        (folder / ("." + stem)).rename(folder / (stem + ".manifest.json"))
        return stem

    def names(self, part):
        return sorted(p.name for p in self.part(part).iterdir())

    def report(self, stem, part="quarantine"):
        return (self.part(part) / (stem + ".report.txt")).read_text()

    def windows(self):
        with self.database.connect("ujrat_auditor", options="-c search_path=ujrat") as db:
            return {no: (state, n) for no, state, n in db.execute(
                "SELECT window_no, state, instructed_count FROM windows_of_bank(%s::smallint, 1000000, 1000)", (self.bank_id,))}
