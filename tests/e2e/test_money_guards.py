"""What a stale or hostile caller may try with money, and the surroundings that change between a call and its retry."""
import base64

import grpc
import pytest

from harness import wait_until
from world import SECONDS

S = grpc.StatusCode


def varint(value):
    out = b""
    while value > 127:
        out, value = out + bytes([value & 127 | 128]), value >> 7
    return out + bytes([value])


def instruction_token(bank_id, book, payout):
    """As gateway/rpc/settlement_id.c writes it; its sum is no secret."""
    body = bytes([1, ord("i")]) + bank_id.to_bytes(2, "big") + varint(book) + varint(payout)
    total = 2166136261
    for byte in body:
        total = (total ^ byte) * 16777619 & 0xffffffff
    return base64.urlsafe_b64encode(body + total.to_bytes(4, "big")).decode().rstrip("=")


@pytest.fixture
def disconnected(world):
    """Takes a bank's connection away for the time of a test."""
    taken = []

    def take(bank):
        with world.database.connect(autocommit=True) as db:
            db.execute("UPDATE ujrat.bank SET connected = false WHERE code = %s", (bank.code,))
        taken.append(bank)

    yield take
    for bank in taken:
        world.gateway.ujrat("bank", "connect", bank.code, "--quiet")


@pytest.mark.parametrize("ahead", (1, 1000, 2**63 - 2, 2**63 - 1))
def test_a_token_from_a_future_that_was_restored_away_is_refused_rather_than_skip_payouts(world, api, ahead):
    platform, bank = world.platform(), world.bank()
    payout = platform.submit(platform.register(bank).name)
    payout_id = int(payout.name.rsplit("/", 1)[1])
    book = world.value("SELECT book_id FROM book WHERE code = %s", platform.code)
    bank_id = world.value("SELECT bank_id FROM bank WHERE code = %s", bank.code)
    (instruction,) = bank.take(1)
    future = min(payout_id + ahead, 2**63 - 1)
    assert instruction_token(bank_id, book, payout_id) == instruction.resume_token   # we write them as the gateway does
    error = bank.watch(instruction_token(bank_id, book, future)).ended()
    assert error.code() == S.INVALID_ARGUMENT


def test_payouts_to_a_bank_that_was_disconnected_are_refused_and_retries_answered(world, api, disconnected):
    platform, bank = world.platform(), world.bank()
    to = platform.register(bank).name
    request = platform.request(to, 5_000)
    payout = platform.payouts.SubmitPayout(request, timeout=SECONDS)
    disconnected(bank)
    with world.nothing_changes():
        no = world.refused(platform.payouts.SubmitPayout, platform.request(to, 5_000))
        assert (no.code, no.reason) == (S.FAILED_PRECONDITION, "BANK_NOT_CONNECTED")
        assert platform.payouts.SubmitPayout(request, timeout=SECONDS) == payout


def test_an_update_is_answered_again_after_its_bank_was_disconnected(world, api, disconnected):
    platform, bank, other = world.platform(), world.bank(), world.bank()
    registered = platform.register(bank)
    update = api.payout.UpdateBeneficiaryRequest(name=registered.name, version=1, details=platform.details(other, display_name="Moved"))
    updated = platform.beneficiaries.UpdateBeneficiary(update, timeout=SECONDS)
    assert updated.version == 2
    disconnected(other)

    def is_known():   # to the gateway: it then refuses new ones without asking the ledger
        try:
            platform.register(other)
        except grpc.RpcError:
            return True

    wait_until(is_known, 10, "the gateway to know that the bank is gone")
    assert platform.beneficiaries.UpdateBeneficiary(update, timeout=SECONDS) == updated
    update.details.display_name = "Moved again"
    update.version = 2
    no = world.refused(platform.beneficiaries.UpdateBeneficiary, update)
    assert (no.code, no.reason, no.fields) == (S.FAILED_PRECONDITION, "BANK_NOT_CONNECTED", ["details.iban"])
