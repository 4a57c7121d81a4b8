"""The sealer: blocks are sealed as they come, whoever dies meanwhile, by one gateway of several, with the key in force."""
import pytest

from harness import new_database, wait_until


@pytest.fixture(scope="module")
def world(new_world):
    return new_world(seal=True)


def test_every_block_is_sealed_soon(world):
    platform, bank = world.platform(), world.bank()
    name = platform.register(bank).name
    platform.submit(name)
    quote = platform.quote()
    platform.submit(name, quote=quote.name)
    platform.submit(platform.details(bank), remittance_information="an invoice")
    instructions = bank.take(3)
    bank.confirm(bank.settled(instructions[0], tax=1), bank.rejected(instructions[1]), bank.settled(instructions[2]))
    bank.send_back(instructions[0])
    cancelled = platform.submit(name)
    platform.cancel(cancelled.name)
    world.gateway.wait_sealed()
    print(world.gateway.ujrat("log", "status"))
    print(world.gateway.log())
