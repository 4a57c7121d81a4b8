"""Receivers: a beneficiary is found by an e-mail address or a phone number, over gRPC, by `ujrat receiver`, and in batches of the REST
API; and the boxes that hold them are encrypted anew with all else."""
import json
import os
import subprocess

import grpc
import pytest

from harness import BIN, unique
from rest_world import add_client, batch_of, item


@pytest.fixture(scope="module")
def world(new_world):
    return new_world(rest=True)


@pytest.fixture(scope="module")
def bank(world):
    return world.bank()


@pytest.fixture(scope="module")
def platform(world, bank):
    return world.platform(USD=1_000_000_00)


@pytest.fixture
def payee(platform, bank):
    return platform.register(bank).name


@pytest.fixture(scope="module")
def contract(world):
    return world.gateway.api.payout


def add(platform, contract, name, **receiver):
    return platform.beneficiaries.AddReceiver(contract.AddReceiverRequest(beneficiary=name, **receiver), timeout=20)


def receivers(platform, contract, name):
    answer = platform.beneficiaries.ListReceivers(contract.ListReceiversRequest(beneficiary=name), timeout=20)
    return [(r.email, r.phone) for r in answer.receivers]


def test_receivers_are_kept_in_one_form_and_once(platform, contract, payee):
    email = unique("Sana").replace("_", "") + "@Example.COM"
    first = add(platform, contract, payee, email="  %s " % email)
    assert (first.beneficiary, first.email, first.phone) == (payee, email.lower(), "")
    again = add(platform, contract, payee, email=email.upper())
    assert again == first
    phone = add(platform, contract, payee, phone="0300-%07d" % (os.getpid() % 10_000_000))
    assert phone.phone == "+92300%07d" % (os.getpid() % 10_000_000)
    assert receivers(platform, contract, payee) == [(email.lower(), ""), ("", phone.phone)]
    platform.beneficiaries.RemoveReceiver(contract.RemoveReceiverRequest(beneficiary=payee, email=email), timeout=20)
    platform.beneficiaries.RemoveReceiver(contract.RemoveReceiverRequest(beneficiary=payee, email=email), timeout=20)
    assert receivers(platform, contract, payee) == [("", phone.phone)]


def test_a_receiver_goes_over_to_who_gets_it_last(platform, bank, contract, payee):
    other = platform.register(bank).name
    email = unique("moves") + "@example.com"
    add(platform, contract, payee, email=email)
    add(platform, contract, other, email=email)
    assert receivers(platform, contract, payee) == [] and receivers(platform, contract, other) == [(email, "")]
    platform.beneficiaries.RemoveReceiver(contract.RemoveReceiverRequest(beneficiary=payee, email=email), timeout=20)     # not theirs
    assert receivers(platform, contract, other) == [(email, "")]


def test_each_platform_has_its_own(world, bank, platform, contract, payee):
    email = unique("own") + "@example.com"
    add(platform, contract, payee, email=email)
    stranger = world.platform(USD=100_00)
    theirs = stranger.register(bank).name
    add(stranger, contract, theirs, email=email)
    assert receivers(platform, contract, payee) == [(email, "")] and receivers(stranger, contract, theirs) == [(email, "")]
    got = world.refused(stranger.beneficiaries.ListReceivers, contract.ListReceiversRequest(beneficiary=payee))
    assert (got.code, got.reason, got.fields) == (grpc.StatusCode.PERMISSION_DENIED, "RESOURCE_FORBIDDEN", ["beneficiary"])


@pytest.mark.parametrize("receiver, reason, field", [
    ({}, "FIELD_REQUIRED", "email"), ({"email": "a@b.pk", "phone": "+923001234567"}, "FIELD_INVALID", "phone"),
    ({"email": "nobody"}, "FIELD_INVALID", "email"), ({"email": "a@b@c"}, "FIELD_INVALID", "email"),
    ({"email": "a b@c.pk"}, "FIELD_INVALID", "email"), ({"email": "@c.pk"}, "FIELD_INVALID", "email"),
    ({"email": "x" * 127 + "@c.pk"}, "FIELD_INVALID", "email"), ({"phone": "12"}, "FIELD_INVALID", "phone"),
    ({"phone": "+0123456789"}, "FIELD_INVALID", "phone"), ({"phone": "+12345678901234567"}, "FIELD_INVALID", "phone"),
])
def test_what_is_no_receiver_is_refused_by_its_field(world, platform, contract, payee, receiver, reason, field):
    for call, kind in ((platform.beneficiaries.AddReceiver, contract.AddReceiverRequest), (platform.beneficiaries.RemoveReceiver,
                                                                                    contract.RemoveReceiverRequest)):
        got = world.refused(call, kind(beneficiary=payee, **receiver))
        assert (got.reason, got.fields) == (reason, [field])
    assert receivers(platform, contract, payee) == []


def test_nobody_has_no_receivers(world, platform, contract, payee):
    missing = payee.rsplit("/", 1)[0] + "/999999"
    got = world.refused(platform.beneficiaries.AddReceiver, contract.AddReceiverRequest(beneficiary=missing, email="a@b.pk"))
    assert (got.reason, got.fields) == ("BENEFICIARY_NOT_FOUND", ["beneficiary"])
    assert receivers(platform, contract, missing) == []


def test_a_batch_pays_by_them(world, platform, contract, payee):
    email = unique("paid") + "@example.com"
    add(platform, contract, payee, email=email)
    rest = add_client(world, platform)
    batch = rest.created(batch_of(item(email.upper(), "12.00"), sender_batch_id=unique("batch")))
    (got,) = rest.items(batch)
    assert got["transaction_status"] == "PENDING" and got["payout_item"]["receiver"] == email.upper()
    rest.close()


def test_the_command_adds_lists_and_removes(world, platform, payee):
    def ujrat(*arguments):
        cert, key = world.gateway.pki.pair(platform.principal)
        p = subprocess.run([str(BIN / "ujrat"), "receiver", *arguments, "--addr", world.gateway.address, "--ca", str(world.gateway.pki.ca),
                            "--cert", str(cert), "--key", str(key)], capture_output=True, text=True, timeout=60)
        return p.returncode, p.stdout, p.stderr
    email = unique("typed") + "@example.com"
    code, out, err = ujrat("add", payee, email)
    assert code == 0 and email in out, err
    code, out, err = ujrat("add", payee, "03001112233", "--json")
    assert code == 0 and json.loads(out)["phone"] == "+923001112233", err
    code, out, err = ujrat("list", payee, "--json")
    assert code == 0 and [r.get("email") or r["phone"] for r in json.loads(out)["receivers"]] == [email, "+923001112233"]
    code, out, err = ujrat("remove", payee, email)
    assert code == 0 and email in out, err
    code, out, err = ujrat("add", payee, "nonsense")
    assert code == 1 and "FIELD_INVALID" in err


# ---------------------------------------------------------------- keys
def test_boxes_are_encrypted_anew_with_all_else(world, platform, bank, contract, payee):
    gateway, keys = world.gateway, world.gateway.settings["pii_keys"]
    email, nobody = unique("rotated") + "@example.com", unique("nobody") + "@example.com"
    add(platform, contract, payee, email=email)
    rest = add_client(world, platform)
    batch = rest.created(batch_of(item(email, "12.00", note="Thanks"), item(nobody, "5.00"), sender_batch_id=unique("batch")))
    before = rest.items(batch)
    sealed = "SELECT key_id, sealed FROM ujrat.receiver UNION ALL SELECT key_id, sealed FROM ujrat.payout_batch_item ORDER BY 2"
    old = gateway.database.rows(sealed)
    assert len(old) >= 3 and not any(email.encode() in bytes(s) for _, s in old)
    gateway.ujrat("pii", "rotate", "--keys", keys)                                          # nothing to do
    assert gateway.database.rows(sealed) == old
    subprocess.run([str(BIN / "ujrat"), "pii", "key", "new", str(keys)], check=True, capture_output=True)
    gateway.ujrat("pii", "rotate", "--keys", keys)
    new = gateway.database.rows(sealed)
    assert len(new) == len(old) and {k for k, _ in new} == {max(k for k, _ in old) + 1}
    assert receivers(platform, contract, payee) == [(email, "")] and rest.items(batch) == before
    out = gateway.ujrat("pii", "status", "--keys", keys, "--json")
    assert {int(r["key"]) for r in json.loads(out)} == {new[0][0]}
    rest.close()


def test_a_box_in_another_place_does_not_open(world, platform, contract, payee):
    email = unique("moved") + "@example.com"
    rest = add_client(world, platform)
    batch = rest.created(batch_of(item(email, "12.00"), item("other-" + email, "5.00"), sender_batch_id=unique("batch")))
    with world.gateway.database.connect() as connection:
        connection.execute("ALTER TABLE ujrat.payout_batch_item DISABLE TRIGGER USER; UPDATE ujrat.payout_batch_item i SET sealed = o.sealed"
                           " FROM ujrat.payout_batch_item o WHERE o.batch_id = i.batch_id AND o.item_no = 2 AND i.item_no = 1;"
                           " ALTER TABLE ujrat.payout_batch_item ENABLE TRIGGER USER")
    first, second = rest.items(batch)
    assert first["payout_item"].get("receiver", "") == "" and second["payout_item"]["receiver"] == "other-" + email
    assert "event=rest.item_not_opened" in world.gateway.log()
    rest.close()
