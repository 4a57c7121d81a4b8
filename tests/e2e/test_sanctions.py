"""Sanctions lists in the ledger, version by version, and names held against them, with the real program."""
import json
import os
import subprocess

import pytest

from harness import BIN, PATIENCE

HEADER = "id,type,name,aliases,dob,country,cnic,passport,program\n"
ROWS = ["M%03d,person,Qudratullah Zar%szai,,19%02d,Pakistan,,,A\n" % (i, chr(97 + i) * 2, 50 + i) for i in range(20)]
UN = """<?xml version="1.0" encoding="UTF-8"?>
<CONSOLIDATED_LIST dateGenerated="2026-02-27T00:00:09.554Z"><INDIVIDUALS><INDIVIDUAL><FIRST_NAME>DMITRIY</FIRST_NAME>
<SECOND_NAME>SHINMALENKO</SECOND_NAME><UN_LIST_TYPE>Made up</UN_LIST_TYPE><REFERENCE_NUMBER>XXi.001</REFERENCE_NUMBER>
<NAME_ORIGINAL_SCRIPT>Дмитрий Шинмаленко</NAME_ORIGINAL_SCRIPT></INDIVIDUAL></INDIVIDUALS><ENTITIES/></CONSOLIDATED_LIST>"""


def ujrat(*arguments, db=None, role="ujrat_operator"):
    env = {k: v for k, v in os.environ.items() if not k.startswith(("UJRAT_", "PG"))}
    where = ["--db", db.uri(role)] if db else []
    done = subprocess.run([str(BIN / "ujrat"), *map(str, arguments), *where], env=env, capture_output=True, text=True, timeout=60 * PATIENCE)
    return done.returncode, done.stdout, done.stderr


def ok(*arguments, **options):
    code, out, err = ujrat(*arguments, **options)
    assert code == 0, err
    return out


def rows(*arguments, **options):
    return json.loads(ok(*arguments, "--json", **options))


@pytest.fixture
def written(tmp_path):
    def write(name, text, header=HEADER):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else (header + text).encode())
        return path

    return write


def test_a_list_is_imported_once_and_what_changed_is_shown(database, written):
    first = written("one.csv", "".join(ROWS))
    assert "NACTA: version 1, 20 entries; 20 added, 0 changed, 0 removed" in ok("sanctions", "import", "NACTA", first, db=database)
    assert "nothing was changed" in ok("sanctions", "import", "NACTA", first, db=database)
    changed = ROWS[1:] + ["M900,organisation,Zar Welfare,,,,,,B\n"]
    changed[0] = changed[0].replace(",1951,", ",1952,").replace(",A\n", ",A;B\n")
    out = ok("sanctions", "import", "NACTA", written("two.csv", "".join(changed)), "--published", "2026-03-01", db=database)
    assert "version 2, 20 entries; 1 added, 1 changed, 1 removed" in out
    diff = rows("sanctions", "diff", "NACTA", db=database)
    assert [(d["change"], d["entry"], d["what"]) for d in diff] == [
        ("added", "M900", None), ("changed", "M001", "dates of birth, programs"), ("removed", "M000", None)]
    assert len(rows("sanctions", "diff", "NACTA", 1, db=database)) == 20
    versions = rows("sanctions", "list", db=database, role="ujrat_auditor")
    assert [(v["version"], v["published"], v["entries"]) for v in versions] == [(2, "2026-03-01", 20), (1, None, 20)]
    history = rows("sanctions", "show", "M000", db=database)
    assert [(h["version"], h["change"]) for h in history] == [(2, "removed"), (1, "added")]
    # whoever is removed is no hit any more, whoever was added is one
    assert rows("screen", "Qudratullah Zaraazai", "--threshold", 950, db=database) == []
    assert [h["entry"] for h in rows("screen", "Zar Welfare Ltd", "--org", db=database)] == ["M900"]


def test_the_first_list_comes_back_when_it_is_published_again(database, written):
    one, two = written("one.csv", "".join(ROWS)), written("two.csv", "".join(ROWS[:19]))
    for n, path in enumerate([one, two, one], 1):
        assert "version %d" % n in ok("sanctions", "import", "NACTA", path, db=database)
    assert [d["change"] for d in rows("sanctions", "diff", "NACTA", db=database)] == ["added"]
    assert database.value("SELECT count(*) FROM ujrat.sanctions_entry_now") == 20


def test_a_list_that_shrank_is_refused_unless_it_is_said(database, written):
    ok("sanctions", "import", "NACTA", written("one.csv", "".join(ROWS)), db=database)
    short = written("two.csv", "".join(ROWS[:17]))
    code, _, err = ujrat("sanctions", "import", "NACTA", short, db=database)
    assert code == 1 and "has 17 entries, and had 20: more than a tenth fewer" in err and "FIELD_INVALID" in err
    assert len(rows("sanctions", "list", db=database)) == 1
    ok("sanctions", "import", "NACTA", written("nine-tenths.csv", "".join(ROWS[:18])), db=database)
    ok("sanctions", "import", "NACTA", written("three.csv", "".join(ROWS[:3])), "--allow-shrink", db=database)
    assert database.value("SELECT count(*) FROM ujrat.sanctions_entry_now") == 3


def test_what_cannot_be_read_is_refused_with_its_place_and_leaves_nothing(database, written):
    for text, words in [(b"<!DOCTYPE x [<!ENTITY a 'b'>]><CONSOLIDATED_LIST/>", "line 1: it has a DOCTYPE"),
                        ((HEADER + "1,person,A\n").encode(), "line 2: there are 3 columns, and 9 are wanted"),
                        ((HEADER + "1,person,A\xff,,,,,,\n").encode("latin-1"), "line 2: it is not UTF-8"),
                        ((HEADER + "1,person,A,,,,,,\n1,person,B,,,,,,\n").encode(), "two entries have the id 1"),
                        (b"36,1,\"aka\",\"B\",-0- \n", "SDN first")]:
        code, _, err = ujrat("sanctions", "import", "NACTA", written("bad", text), db=database)
        assert code == 1 and words in err, err
    code, _, err = ujrat("sanctions", "import", "nacta", written("one.csv", ROWS[0]), db=database)
    assert code == 2 and "capitals" in err
    code, _, err = ujrat("screen", "Anybody", db=database)
    assert code == 1 and "there are no sanctions lists" in err


def test_only_an_operator_imports_and_nobody_changes_a_version(database, written):
    path = written("one.csv", ROWS[0])
    assert ujrat("sanctions", "import", "NACTA", path, db=database, role="ujrat_auditor")[0] == 1
    ok("sanctions", "import", "NACTA", path, db=database)
    for statement in ["UPDATE ujrat.sanctions_change SET names = '{x}'", "DELETE FROM ujrat.sanctions_change", "TRUNCATE ujrat.sanctions_version CASCADE"]:
        with pytest.raises(Exception, match="append-only"):
            database.rows(statement)


def test_the_ledgers_lists_and_files_give_the_same_hits(database, written):
    un = written("un.xml", UN.encode())
    own = written("own.csv", "O1,person,Abd al-Rahman Turkhani,,1971-04-28,Pakistan,0000012345671,AB 12,A\n")
    ok("sanctions", "import", "UN", un, db=database)
    ok("sanctions", "import", "NACTA", own, db=database)
    assert rows("sanctions", "list", db=database)[1]["published"] == "2026-02-27"
    for asked in [("Dmitri Shinmalenko",), ("Шинмаленко Дмитрий",), ("Abdur Rehman Turkhani", "--dob", "1971"), ("Nobody", "--cnic", "00000-1234567-1"),
                  ("Nobody", "--passport", "ab12")]:
        ledger = rows("screen", *asked, db=database)
        files = rows("screen", *asked, "--list", un, "--list", own)
        assert len(ledger) == 1 and [{**h, "list": None} for h in ledger] == [{**h, "list": None} for h in files], asked
    hit, = rows("screen", "Abdur Rehman Turkhani", "--dob", "1950", "--threshold", 500, db=database)
    assert hit["score"] == hit["name_score"] - 150 and "born otherwise -150" in hit["why"]
    assert "5671" not in ok("sanctions", "show", "O1", db=database).replace("*********5671", "")


def test_a_file_of_names_is_screened(written):
    own = written("own.csv", "O1,person,Abd al-Rahman Turkhani,,1971-04-28,Pakistan,0000012345671,,A\nO2,organisation,Kholoni Trading,,,,,,A\n")
    names = written("names.csv", "Abdul Rehman Turkhani,1971,,\nSana Khan,,,\nKholoni Trading LLC,,,organisation\nX,,0000012345671,\n",
                    header="name,dob,cnic,kind\n")
    hits = rows("screen", "--file", names, "--list", own)
    assert [(h["line"], h["asked"], h["entry"]) for h in hits] == [
        (2, "Abdul Rehman Turkhani", "O1"), (4, "Kholoni Trading LLC", "O2"), (5, "X", "O1")]
    assert "3 hits of 700 or more for 4 names, in 2 entries with 2 names" in ok("screen", "--file", names, "--list", own)
    for text, words in [("A,1971-13,,\n", "line 2: dob"), ("A,,12,\n", "line 2: cnic"), ("A,,,robot\n", "line 2: kind"), (",,,\n", "line 2: name")]:
        code, _, err = ujrat("screen", "--file", written("bad.csv", text, header="name,dob,cnic,kind\n"), "--list", own)
        assert code == 1 and words in err
    code, _, err = ujrat("screen", "--file", written("bad.csv", "A\n", header="who\n"), "--list", own)
    assert code == 1 and "no column 'name'" in err
    assert ujrat("screen", "A", "--file", names, "--list", own)[0] == 2
