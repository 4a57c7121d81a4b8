"""What end-to-end tests share: one world (gateway, database, rates) for the tests of a file."""
import pytest

from harness import new_database
from world import World

# quick to notice new principals and news for streams; the rates in the tree may be as old as they like
QUICK = dict(registry_refresh="100ms", watch_poll="20ms", rate_age_max="3650d")


@pytest.fixture(scope="module")
def new_world(cluster, new_gateway):
    """new_world(**settings): a gateway of its own, with a database of its own, and nobody else in it."""
    made = []

    def make(database=None, **settings):
        world = World(new_gateway(database or new_database(cluster), **{**QUICK, **settings}))
        made.append(world)
        return world

    yield make
    for world in made:
        world.close()
        world.gateway.stop()


@pytest.fixture(scope="module")
def world(new_world):
    return new_world()
