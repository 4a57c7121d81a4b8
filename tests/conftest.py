"""Fixtures for tests that run the real programs: a private PostgreSQL, a PKI, a gateway, stock gRPC stubs.

Everything lives in a folder of this run and is ended with it, by process id. Plain use:

    def test_something(gateway):
        payouts = gateway.stub("payout", "PayoutService", "upwork")
        payouts.GetBalance(gateway.api.payout.GetBalanceRequest(), timeout=10)
"""

import contextlib
import os
import pathlib
import shutil
import signal
import tempfile

import pytest

from harness import PATIENCE, Cluster, Gateway, Pki, compile_stubs, new_database, unique

TEST_SECONDS_MAX = 120


# ---------------------------------------------------------------- how tests run
def pytest_configure(config):
    config.addinivalue_line("markers", "seconds_max(n): how long this test may take; %d if unsaid" % TEST_SECONDS_MAX)
    # ended politely, so that fixtures can end what they started
    with contextlib.suppress(ValueError):
        signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item):
    marker = item.get_closest_marker("seconds_max")
    seconds = (marker.args[0] if marker else TEST_SECONDS_MAX) * PATIENCE

    def too_long(*_):
        raise TimeoutError("the test took more than %d s" % seconds)

    before = signal.signal(signal.SIGALRM, too_long)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@pytest.fixture(scope="session")
def work():
    """A folder for this process's files. Others may pass through it: as root, PostgreSQL is another user."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="py.", dir=os.environ.get("UJRAT_TEST_WORK")))
    folder.chmod(0o755)
    yield folder
    if not os.environ.get("KEEP"):
        shutil.rmtree(folder, ignore_errors=True)


# ---------------------------------------------------------------- PostgreSQL
@pytest.fixture(scope="session")
def cluster(work):
    """One cluster for every test that neither stops nor harms it."""
    shared = os.environ.get("UJRAT_TEST_CLUSTER")
    if shared:
        yield Cluster(shared)
        return
    own = Cluster(work / "pg").start()
    yield own
    own.destroy()


@pytest.fixture
def own_cluster(work):
    """A cluster that the test may stop, kill and break."""
    own = Cluster(work / unique("pg")).start()
    yield own
    own.destroy()


@pytest.fixture
def database(cluster):
    return new_database(cluster)


# ---------------------------------------------------------------- certificates
@pytest.fixture(scope="session")
def pki(work):
    return Pki(work / "pki")


@pytest.fixture(scope="session")
def other_pki(work):
    """Another root with the same names in it: nobody here should trust it."""
    return Pki(work / "other-pki")


# ---------------------------------------------------------------- the contract, as stock clients see it
@pytest.fixture(scope="session")
def api(work):
    """Compiled stubs: api.payout, api.payout_grpc, api.settlement, ..., api.money, api.status, api.error_details."""
    return compile_stubs(work / "stubs")


# ---------------------------------------------------------------- the gateway
@pytest.fixture(scope="session")
def new_gateway(work, pki, api):
    """new_gateway(database, **settings) makes and starts one; every one of them ends with the run."""
    made = []

    def make(database, start=True, **settings):
        gateway = Gateway(work / unique("gateway"), database, pki, api, **settings)
        made.append(gateway)
        return gateway.start() if start else gateway

    yield make
    for gateway in made:
        gateway.close_channels()
        if gateway.process is not None:
            gateway.stop()


@pytest.fixture(scope="module")
def gateway(cluster, new_gateway):
    """One gateway for the tests of a file."""
    gateway = new_gateway(new_database(cluster))
    yield gateway
    gateway.stop()
