"""Backends and servers that die under load; afterwards nothing is lost and nothing paid twice."""

import pytest

import fault_world
from test_kill_gateway import sound


@pytest.fixture(scope="module")
def world(work, pki, api):
    with fault_world.World(work, pki, api, seed="postgres", seal=True) as world:
        yield world


@pytest.mark.seconds_max(90)
def test_terminated_backends(world):
    with world.load():
        for _ in range(8):
            world.under_load(0.2)
            world.terminate_backend()
        world.wait_for_acks()
    sound(world, "pg_terminate_backend")


@pytest.mark.seconds_max(90)
def test_killed_backends(world):
    with world.load():
        for _ in range(3):
            world.under_load(0.5)
            world.kill_backend()
            world.wait_for_acks()
    sound(world, "kill -9 of backends")


@pytest.mark.seconds_max(90)
def test_killed_wal_writer(world):
    with world.load():
        for _ in range(2):
            world.under_load(0.3)
            world.kill_wal_writer()
            world.wait_for_acks()
    sound(world, "kill -9 of the WAL writer")


@pytest.mark.seconds_max(90)
def test_stopped_server(world):
    with world.load():
        for down in (0, 1.5, 0):  # once for longer than calls wait
            world.under_load(0.5)
            world.stop_cluster(down)
            world.wait_for_acks()
    events = sound(world, "pg_ctl stop -m immediate")
    assert events["abandoned"], "nobody was told that nothing was done"


@pytest.mark.seconds_max(90)
def test_everything_at_once(world):
    faults = [world.kill_worker, world.kill_sealer, world.terminate_backend, world.kill_backend, world.kill_daemon, world.stop_cluster]
    with world.load():
        world.rng.shuffle(faults)
        for fault in faults:
            world.under_load(0.3)
            fault()
        world.wait_for_acks()
    sound(world, "all of them in turn")
