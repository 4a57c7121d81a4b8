"""Bank statements for tests: camt.053.001.02, .08 and .12, with namespaces as banks write them, or not."""
import datetime
import decimal
import os
import pathlib
import subprocess
from xml.sax.saxutils import escape

from harness import ROOT

D = decimal.Decimal
PAKISTAN = datetime.timezone(datetime.timedelta(hours=5))
SHARED = pathlib.Path(os.environ.get("UJRAT_SHARED", ROOT.parent / "shared"))


def today():
    return datetime.datetime.now(PAKISTAN).date()


def element(name, *inside, **attributes):
    """An element with children that were made before, or text; None among them is left out."""
    text = "".join(i for i in inside if i is not None)
    return "<%s%s>%s</%s>" % (name, "".join(' %s="%s"' % a for a in attributes.items()), text, name)


def leaf(name, value):
    return None if value is None else element(name, escape(str(value)))


def amount(minor, name="Amt", ccy="PKR"):
    return element(name, str(D(abs(minor)).scaleb(-2)), Ccy=ccy)


def sign(minor):
    return element("CdtDbtInd", "CRDT" if minor >= 0 else "DBIT")


class Entry:
    """minor: as we see it, a debit negative. transactions: a batch, each a dict of what of() below takes."""

    def __init__(self, minor, e2e=None, ref=None, date=None, status="BOOK", charges=None, code=None, reason=None,
                 reversal=False, transactions=None, ntry_ref=None, ccy="PKR", entry_ref=None):
        self.__dict__.update(locals())

    def charges_of(self, version):
        if self.charges is None:
            return None
        if version == 2:
            return element("Chrgs", amount(self.charges), element("CdtDbtInd", "DBIT"))
        return element("Chrgs", element("Rcrd", amount(self.charges), element("CdtDbtInd", "DBIT")))

    def transaction(self, version, t):
        with_amount = t.get("minor") is not None
        return element("TxDtls",
                       element("Refs", leaf("AcctSvcrRef", t.get("ref")), leaf("EndToEndId", t.get("e2e") or "NOTPROVIDED")),
                       amount(t["minor"]) if with_amount and version > 2 else None,
                       sign(t["minor"]) if with_amount and version > 2 else None,
                       element("AmtDtls", element("TxAmt", amount(t["minor"]))) if with_amount and version == 2 else None,
                       element("RtrInf", element("Rsn", leaf("Cd", t["reason"]))) if t.get("reason") else None)

    def xml(self, version, day):
        day = self.date or day
        transactions = self.transactions
        if transactions is None and (self.e2e or self.ref or self.reason):
            transactions = [dict(minor=self.minor, e2e=self.e2e, ref=self.ref, reason=self.reason)]
        code = element("BkTxCd", element("Domn", leaf("Cd", "PMNT"), element("Fmly", leaf("Cd", "ICDT"), leaf("SubFmlyCd", self.code or "DMCT"))))
        return element("Ntry", leaf("NtryRef", self.ntry_ref), amount(self.minor, ccy=self.ccy), sign(self.minor),
                       element("RvslInd", "true") if self.reversal else None,
                       leaf("Sts", self.status) if version == 2 else element("Sts", leaf("Cd", self.status)),
                       element("BookgDt", leaf("Dt", day)), leaf("AcctSvcrRef", self.entry_ref), code, self.charges_of(version),
                       None if transactions is None else element("NtryDtls", *(self.transaction(version, t) for t in transactions)))


class Statement:
    def __init__(self, account, entries=(), opening=0, closing=None, first=None, last=None, number=None, sequence=None, bic=None,
                 ccy="PKR", period=True, codes=("OPBD", "CLBD"), more_balances=()):
        self.__dict__.update(locals())
        self.first, self.last = first or today(), last or today()
        booked = sum(e.minor for e in entries if e.status == "BOOK")
        self.closing = opening + booked if closing is None else closing
        self.number = number or "S-%s" % self.first

    def balance(self, code, minor, day):
        return element("Bal", element("Tp", element("CdOrPrtry", leaf("Cd", code))), amount(minor, ccy=self.ccy), sign(minor),
                       element("Dt", leaf("Dt", day)))

    def xml(self, version):
        end = datetime.datetime.combine(self.last, datetime.time()) + datetime.timedelta(days=1)
        bank = None
        if self.bic:
            bank = element("Svcr", element("FinInstnId", leaf("BIC" if version == 2 else "BICFI", self.bic)))
        account = element("IBAN", self.account) if self.account.startswith("PK") else element("Othr", leaf("Id", self.account))
        return element("Stmt", leaf("Id", self.number), leaf("ElctrncSeqNb", self.sequence), leaf("CreDtTm", "%sT23:00:00" % self.last),
                       element("FrToDt", leaf("FrDtTm", "%sT00:00:00+05:00" % self.first), leaf("ToDtTm", "%s+05:00" % end.isoformat()))
                       if self.period else None,
                       element("Acct", element("Id", account), leaf("Ccy", self.ccy), bank),
                       self.balance(self.codes[0], self.opening, self.first), self.balance(self.codes[1], self.closing, self.last),
                       *(self.balance(code, minor, self.last) for code, minor in self.more_balances),
                       *(e.xml(version, self.first) for e in self.entries))


def document(*statements, version=8, style="default"):
    uri = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.%02d" % version
    inside = element("BkToCstmrStmt", element("GrpHdr", leaf("MsgId", "M-1"), leaf("CreDtTm", "2026-07-17T23:00:00")),
                     *(s.xml(version) for s in statements))
    if style == "prefix":
        inside = inside.replace("</", "</n:").replace("<", "<n:").replace("<n:/n:", "</n:")
        body = '<n:Document xmlns:n="%s">%s</n:Document>' % (uri, inside)
    else:
        body = "<Document%s>%s</Document>" % (' xmlns="%s"' % uri if style == "default" else "", inside)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + body


def schema(version):
    """The XSD of that version, or None if it is not at hand."""
    path = SHARED / "data" / "iso20022-xsd" / ("camt.053.001.%02d.xsd" % version)
    return path if path.exists() else None


def validate(path, version):
    subprocess.run(["xmllint", "--nonet", "--noout", "--schema", str(schema(version)), str(path)], check=True, capture_output=True)
