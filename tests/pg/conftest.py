"""A database of its own for every module of tests in this folder, with the schema in it and nothing else."""
import os
import pathlib
import subprocess
import tempfile

import psycopg
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
CLUSTER_TOOL = str(ROOT / "tools" / "pg_cluster.sh")
ROLES = ("ujrat_owner", "ujrat_app", "ujrat_settle", "ujrat_auditor", "ujrat_operator")


def tool(*args, **kwargs):
    done = subprocess.run([CLUSTER_TOOL, *args], check=True, capture_output=True, text=True, timeout=180, **kwargs)
    return done.stdout.strip()


@pytest.fixture(scope="session")
def cluster():
    folder = os.environ.get("UJRAT_TEST_CLUSTER")
    if folder:
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix="ujrat-pg.") as folder:
        os.chmod(folder, 0o755)
        tool("start", "--tune", "test", folder + "/pg")
        yield folder + "/pg"
        tool("destroy", folder + "/pg")


def apply_schema(uri):
    """What `ujrat db migrate` does, for when it is not built."""
    schema = ROOT / "ledger" / "schema"
    files = [*sorted(schema.glob("0*.sql")), *sorted((schema / "functions").glob("*.sql")), schema / "views.sql",
             schema / "roles.sql"]
    with psycopg.connect(uri, autocommit=True) as db:
        for role in ROLES:
            try:
                db.execute(f"CREATE ROLE {role}")
            except (psycopg.errors.DuplicateObject, psycopg.errors.UniqueViolation):
                pass  # roles belong to the cluster: another database made it
        db.execute("CREATE SCHEMA ujrat")
        db.execute("SET check_function_bodies = off; SET search_path = ujrat")
        with db.transaction():
            # roles are shared by all databases: two of these at once would trip over each other
            db.execute("SELECT pg_advisory_xact_lock(1)")
            for f in files:
                db.execute(f.read_text())


@pytest.fixture(scope="module")
def database(request, cluster):
    """The superuser's URI."""
    name = "py_" + request.module.__name__.split(".")[-1]
    tool("createdb", cluster, name)
    uri = tool("uri", cluster, "postgres", name)
    migrate = pathlib.Path(os.environ.get("UJRAT_BIN", "/nonexistent")) / "ujrat"
    if migrate.exists():
        subprocess.run([str(migrate), "db", "migrate", "--db", uri], check=True, timeout=120)
    else:
        apply_schema(uri)
    return uri


@pytest.fixture
def db(database):
    with psycopg.connect(database, autocommit=True, options="-c search_path=ujrat") as connection:
        yield connection
