"""Thousands of random histories of settlement against the reference model, and proof that the model notices what it should."""
import os
import pathlib
import sys
import time

import pytest

from harness import new_database
from ledger_model import ROOT
from settlement_walk import *

# About 35 s of one core, and how many more `make model` asks for.
HISTORIES = int(os.environ.get("UJRAT_MODEL_HISTORIES", 1000))
FIRST_SEED = int(os.environ.get("UJRAT_MODEL_SEED", 1))
PROGRESS = os.environ.get("UJRAT_MODEL_PROGRESS")


@pytest.fixture(scope="module")
def template(cluster):
    database = new_database(cluster)
    with database.connect(autocommit=True, options="-c search_path=ujrat") as db:
        make_worlds(db)
        db.execute("ANALYZE")
    return database.name


@pytest.fixture
def pool(cluster, template):
    pool = Pool(cluster, template)
    yield pool
    pool.close()


@pytest.mark.seconds_max(120 + HISTORIES // 4)
def test_histories_of_settlement_go_as_the_model_says(pool):
    seen, steps, began = set(), 0, time.monotonic()
    for n, seed in enumerate(range(FIRST_SEED, FIRST_SEED + HISTORIES), 1):
        history = history_of(seed)
        steps += len(history)
        failure, walk = failure_of(pool, history)
        if failure:
            pytest.fail(told(seed, *shrunk(pool, history)), pytrace=False)
        seen |= walk.seen
        if pool.next == WORLDS or n == HISTORIES:
            sound(pool.db)
        if PROGRESS and n % 500 == 0:
            print(f"  {n} histories, {steps} steps, {time.monotonic() - began:.0f} s", file=sys.__stderr__, flush=True)
    if HISTORIES >= 1000:
        assert MUST_BE_SEEN <= seen, f"never tried: {MUST_BE_SEEN - seen}"


# What so many histories must have met, or they prove less than they seem to.
MUST_BE_SEEN = set()
