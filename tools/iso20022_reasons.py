#!/usr/bin/env python3
"""Makes domain/iso20022_reason_table.h of the ISO 20022 external code sets.

    iso20022_reasons.py FOLDER >domain/iso20022_reason_table.h

FOLDER has external_*_code.json as the registration authority's sets are published in JSON: {"codes": {code: text}}.
Names (ClosedAccountNumber) are not in those files; those that the table has already are kept.
"""
import json
import pathlib
import re
import sys

SETS = ["status_reason", "return_reason", "cancellation_reason", "payment_cancellation_rejection"]
TEXT_MAX = 110


def short(text):
    """The first sentence, in ASCII, cut at a word."""
    text = text.replace("\u2019", "'").replace("\u2018", "'").replace("\u2013", "-")
    text = " ".join(text.encode("ascii", "ignore").decode().split())
    text = re.split(r"(?<=[a-z)])\. ", text)[0].rstrip(". ")
    if len(text) > TEXT_MAX:
        text = text[:TEXT_MAX].rsplit(" ", 1)[0].rstrip(",;( ") + " ..."
    return text.replace("\\", "").replace('"', "'")


def main():
    folder = pathlib.Path(sys.argv[1])
    sets = [json.loads((folder / f"external_{name}_code.json").read_text())["codes"] for name in SETS]
    here = pathlib.Path(__file__).resolve().parent.parent / "domain"
    names = {}
    for path in (here / "iso20022_reason_table.h", here / "iso20022_reason.c"):
        if path.exists():
            for code, name in re.findall(r'\{"(\w{4})", \w+, \w+,.*?"(\w*)"', path.read_text()):
                if name:
                    names.setdefault(code, name)
    print("/* Made by tools/iso20022_reasons.py of the external code sets of 2025: see data/SOURCES.md. In which of them a code")
    print(" * stands (status, return, cancellation, cancellation rejection), its name where we know it, what it means. */")
    for code in sorted(set().union(*sets)):
        flags = ", ".join("true" if code in s else "false" for s in sets)
        text = next(short(s[code]) for s in sets if code in s)
        print(f'{{"{code}", {flags}, "{names.get(code, "")}", "{text}"}},')


main()
