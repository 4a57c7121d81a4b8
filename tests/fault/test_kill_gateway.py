"""kill -9 of workers and of the whole daemon, under load; afterwards nothing is lost and nothing paid twice."""

import pytest

import fault_world


@pytest.fixture(scope="module")
def world(work, pki, api):
    with fault_world.World(work, pki, api, seed="gateway", seal=True) as world:
        yield world


def sound(world, name):
    found, events, left, said = world.check()
    fault_world.report(name, said)
    assert not found, "\n".join(found)
    assert left == 0, "%d payouts have no answer of their bank" % left
    assert not world.verified()
    return events


@pytest.mark.seconds_max(90)
def test_without_a_fault_nothing_is_found(world):
    with world.load():
        world.wait_for_acks(300)
    events = sound(world, "no fault")
    for kind in ("ack", "refused", "cancelled", "confirmed", "returned"):
        assert events[kind], "the load has no %s: it tests less than it should" % kind


@pytest.mark.seconds_max(90)
def test_killed_workers(world):
    with world.load():
        for _ in range(5):
            world.under_load(0.4)
            world.kill_worker()
            world.kill_sealer()
        world.wait_for_acks()
    events = sound(world, "kill -9 of workers and sealers")
    assert events["unknown"]


@pytest.mark.seconds_max(90)
def test_killed_daemon(world):
    with world.load():
        for _ in range(3):
            world.under_load(0.5)
            world.kill_daemon()
            world.wait_for_acks()
    sound(world, "kill -9 of the daemon")


@pytest.mark.seconds_max(90)
def test_killed_while_banks_return_in_parts_and_take_returns_back(world):
    """Workers and the daemon. Each bank's own books, of what it paid, sent back, kept and took back, are ours to the paisa."""
    with world.load(parts_share=6):
        for kill in (world.kill_worker, world.kill_daemon, world.kill_worker, world.kill_daemon):
            world.under_load(0.5)
            kill()
            world.wait_for_acks()
    events = sound(world, "kill -9 while payments come back in parts")
    assert events["part_returned"] and events["return_reversed"]
