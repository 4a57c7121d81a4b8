"""`ujrat operator`: a second factor from its QR code to its end; and what a crash between two approvals leaves."""
import base64
import json
import os
import pty
import re
import subprocess
import time
import urllib.parse

import pytest

from harness import BIN, Operator, new_database, run, totp, unique, wait_until


@pytest.fixture(scope="module")
def database(cluster):
    return new_database(cluster)


def a_login(database, stem="op"):
    name = unique(stem)
    with database.connect(autocommit=True) as db:
        db.execute("CREATE ROLE %s LOGIN IN ROLE ujrat_operator" % name)
    return name


def ujrat(database, login, *words, code="", fails=None, status=1):
    """Its output; fails: what it complains of."""
    done = subprocess.run([str(BIN / "ujrat"), *map(str, words), "--db", database.uri(login)], input=code, capture_output=True, text=True,
                          start_new_session=True)
    if fails is None:
        assert done.returncode == 0, done
        return done.stdout
    assert done.returncode == status and fails in done.stderr, done
    return done.stderr


def secret_of(uri, login):
    """What an authenticator app takes from the URI."""
    parts = urllib.parse.urlsplit(uri)
    query = dict(urllib.parse.parse_qsl(parts.query))
    assert (parts.scheme, parts.netloc, parts.path) == ("otpauth", "totp", "/Ujrat:" + login)
    assert {k: query[k] for k in ("issuer", "algorithm", "digits", "period")} == {"issuer": "Ujrat", "algorithm": "SHA1", "digits": "6", "period": "30"}
    secret = base64.b32decode(query["secret"])
    assert len(secret) == 20
    return secret


def state_of(database, login):
    rows = json.loads(ujrat(database, "ujrat_auditor", "operator", "list", "--json"))
    return next((r["state"] for r in rows if r["operator"] == "ujrat://operator/" + login.replace("_", "-")), None)


def test_an_operator_enrols_and_confirms(database, tmp_path):
    login = a_login(database)
    ujrat(database, login, "operator", "confirm", "--code-fd", 0, code="123456", fails="enrol first: ujrat operator enroll")
    out = ujrat(database, login, "operator", "enroll")
    secret = secret_of(re.search("otpauth://.*", out)[0], login)
    assert "operator confirm" in out and "\u2588" not in out and state_of(database, login) == "NOT_CONFIRMED"
    file = tmp_path / "code"
    file.write_text(totp(secret) + "\n")
    file.chmod(0o644)
    ujrat(database, login, "operator", "confirm", "--code-file", file, fails="0600", status=2)
    file.chmod(0o600)
    assert "is confirmed" in ujrat(database, login, "operator", "confirm", "--code-file", file)
    assert "confirmed already" in ujrat(database, login, "operator", "confirm", "--code-file", file)
    assert state_of(database, login) == "ENROLLED"
    ujrat(database, login, "operator", "enroll", fails="must revoke it first")
    acts = json.loads(ujrat(database, "ujrat_auditor", "operator", "list", "--acts", "--json"))
    assert [a["act"] for a in acts if a["login"] == login] == ["CONFIRMED", "ENROLLED"]
    assert secret.hex() not in json.dumps(acts) and file.read_text().strip() not in json.dumps(acts)


def test_the_qr_code_of_a_file_is_the_uri_and_only_its_owner_reads_it(database, tmp_path):
    login, file = a_login(database), tmp_path / "qr.png"
    file.write_text("x")
    ujrat(database, login, "operator", "enroll", "--qr", file, fails="File exists")
    assert state_of(database, login) is None, "nothing was made"
    file.unlink()
    out = ujrat(database, login, "operator", "enroll", "--qr", file)
    assert "otpauth" not in out and file.stat().st_mode & 0o777 == 0o600
    secret = secret_of(run("zbarimg", "--quiet", "--raw", file).strip(), login)
    ujrat(database, login, "operator", "confirm", "--code-fd", 0, code=" %s %s \n" % (totp(secret)[:3], totp(secret)[3:]))
    again = tmp_path / "again.png"
    ujrat(database, login, "operator", "enroll", "--qr", again, fails="must revoke it first")
    assert not again.exists()


def on_a_terminal(*argv, typed=None, until=b""):
    """What the program shows on a terminal of its own, and its exit status; typed once it has shown until."""
    pid, fd = pty.fork()
    if pid == 0:
        os.execv(argv[0], [str(a) for a in argv])
    shown = b""
    while True:
        try:
            part = os.read(fd, 65536)
        except OSError:
            part = b""
        if not part:
            break
        shown += part
        if typed is not None and until in shown:
            os.write(fd, typed)
            typed = None
    os.close(fd)
    return shown.decode(), os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def seen_by_a_camera(text, folder):
    """What the half blocks of a terminal's text say as a QR code."""
    rows = []
    for line in re.findall("\033\\[40;97m(.*?)\033\\[0m", text):
        rows += ["".join("1" if c in " \u2584" else "0" for c in line), "".join("1" if c in " \u2580" else "0" for c in line)]
    pixels = "\n".join(" ".join(b for b in row for _ in range(6)) for row in rows for _ in range(6))
    image = folder / "terminal.pbm"
    image.write_text("P1\n%d %d\n%s\n" % (6 * len(rows[0]), 6 * len(rows), pixels))
    return run("zbarimg", "--quiet", "--raw", image).strip()


def test_a_terminal_shows_the_code_and_asks_for_one_without_showing_it(database, tmp_path):
    try:
        for fd in pty.openpty():
            os.close(fd)
    except OSError as no:
        pytest.skip("there are no terminals here (%s): what is asked for on one is not tried" % no)
    login = a_login(database)
    uri = database.uri(login)
    shown, status = on_a_terminal(BIN / "ujrat", "operator", "enroll", "--db", uri)
    assert status == 0
    told = re.search("otpauth://[^\\s]*", shown)[0]
    assert seen_by_a_camera(shown, tmp_path) == told
    confirm = (BIN / "ujrat", "operator", "confirm", "--db", uri)
    shown, status = on_a_terminal(*confirm, typed=b"12\x03", until=b"authenticator: ")
    assert status == 2 and "no code was given" in shown
    code = totp(secret_of(told, login)).encode()
    shown, status = on_a_terminal(*confirm, typed=code[:5] + b"x\x7f" + code[5:] + b"\r", until=b"authenticator: ")
    assert status == 0 and "is confirmed" in shown and not re.search("[0-9]", shown.replace(login, ""))


def test_a_code_is_not_taken_from_the_command_line(database, tmp_path):
    login = a_login(database)
    for words, says in ((("--code", "123456"), "code"), (("123456",), "confirm"), (("--code-fd", 0, "--code-file", tmp_path / "x"), "not both"),
                        (("--code-fd", "x"), "code-fd"), ((), "no terminal")):
        ujrat(database, login, "operator", "confirm", *words, fails=says, status=2)
    for code in ("", "12345", "1234567", "12345x", "code 123456", "1" * 100):
        ujrat(database, login, "operator", "confirm", "--code-fd", 0, code=code, fails="six digits", status=2)


def test_two_operators_revoke_a_third_ones(database):
    anna, bilal, chand = (Operator(database.uri(), a_login(database)) for _ in range(3))
    revoke = lambda who, **more: ujrat(database, who.login, "operator", "revoke", chand.login, "--reason", "lost phone", "--code-fd", 0, code=who.code(), **more)
    assert "when a second operator" in revoke(anna)
    revoke(chand, fails="nobody revokes his own")
    row, = [r for r in json.loads(ujrat(database, anna.login, "operator", "list", "--json")) if r["revocation_by"]]
    assert row["operator"].endswith(chand.login.replace("_", "-")) and row["revocation_why"] == "lost phone"
    assert "has ended" in revoke(bilal)
    assert state_of(database, chand.login) == "NONE"
    # an administrator needs no code
    assert "has ended" in ujrat(database, "postgres", "operator", "revoke", anna.login, "--reason", "left")
    ujrat(database, "postgres", "operator", "revoke", anna.login, "--reason", "left", fails="has no second factor")
    ujrat(database, "postgres", "operator", "revoke", anna.login, fails="--reason is required", status=2)


def propose(database, who, code, **more):
    return ujrat(database, who.login, "recon", "adjust", "one", "--line", "suspense.PKR=5", "--line", "charge.PKR=-5", "--reason", "x", "--code-fd", 0,
                 code=code, **more)


@pytest.mark.seconds_max(240)
def test_a_crash_between_the_two_loses_nothing(own_cluster):
    database = new_database(own_cluster)
    run(BIN / "ujrat", "platform", "add", "one", "--name", "One", "--currency", "USD", "--fee-bps", "50", "--margin-bps", "50", "--db", database.uri())
    anna, bilal = (Operator(database.uri(), a_login(database)) for _ in range(2))
    code = anna.code()
    assert "Proposal 1" in propose(database, anna, code)
    own_cluster.kill()
    own_cluster.start()
    # the code stays used, and the proposal proposed
    propose(database, anna, code, fails="SECOND_FACTOR_USED")
    assert "already: proposal 1" in propose(database, anna, anna.code())
    bad = next(c for c in ("000000", "111111", "222222", "333333") if c not in {totp(bilal.secret, time.time() + 30 * n) for n in range(-3, 4)})
    approve = lambda code, **more: ujrat(database, bilal.login, "recon", "approve", "one", 1, "--code-fd", 0, code=code, **more)
    approve(bad, fails="SECOND_FACTOR_WRONG")
    code = bilal.code()
    assert "approved: journal" in approve(code)
    own_cluster.kill()
    own_cluster.start()
    wait_until(lambda: database.value("SELECT count(*) FROM ujrat.journal WHERE kind = 9") == 1)
    assert database.rows("SELECT act, what FROM ujrat.operator_act WHERE principal_id = %s AND act NOT IN ('ENROLLED', 'CONFIRMED') ORDER BY act_no",
                         (bilal.id,))[-1] == ("PROVED", "approve adjustment 1 in book 1")
    approve(code, fails="SECOND_FACTOR_USED")
    assert "(as before)" in approve(bilal.code())
    assert database.value("SELECT count(*) FROM ujrat.journal WHERE kind = 9") == 1


def test_pgcrypto_is_used_where_it_is_if_the_owner_may(cluster):
    name = unique("t")
    cluster._tool("createdb", cluster.folder, name)
    with cluster.connect(name, autocommit=True) as db:
        db.execute("CREATE SCHEMA elsewhere")
        db.execute("CREATE EXTENSION pgcrypto SCHEMA elsewhere")
        migrate = [str(BIN / "ujrat"), "db", "migrate", "--quiet", "--db", cluster.uri(name)]
        done = subprocess.run(migrate, capture_output=True, text=True)
        assert done.returncode == 1 and "GRANT USAGE ON SCHEMA elsewhere TO ujrat_owner" in done.stderr, done
        db.execute("GRANT USAGE ON SCHEMA elsewhere TO ujrat_owner")
        run(*migrate)
        assert db.execute("SELECT ujrat.totp_code('12345678901234567890', 1)").fetchone() == ("287082",)
        assert db.execute("SELECT count(*) FROM pg_namespace WHERE nspname = 'ujrat_crypto'").fetchone() == (0,)
        db.execute("SELECT ujrat.enroll_operator()")
