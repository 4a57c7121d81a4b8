"""A migrated database of its own for every module of tests in this folder."""
import psycopg
import pytest

from harness import new_database


@pytest.fixture(scope="module")
def database(cluster):
    """The superuser's URI."""
    return new_database(cluster).uri()


@pytest.fixture
def db(database):
    with psycopg.connect(database, autocommit=True, options="-c search_path=ujrat") as connection:
        yield connection
