"""What `generate runtime` and `init --ci` write is installed and run, beside an index that has taken voiceops' names.

Packages of other people come from the public index, by hash; where that can't be reached, those tests are skipped.
"""

from __future__ import annotations

import datetime
import hashlib
import http.server
import json
import os
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.packaging.hostile_index import Hostile, hostile_index
from tests.packaging.image_steps import Stage, built, instructions
from tests.support.bench import REPOSITORY

BIN = Path(sys.executable).parent
SECRET = "a-webhook-secret-of-some-length"


@pytest.fixture(scope="module")
def online() -> None:
    try:
        urllib.request.urlopen("https://pypi.org/simple/sniffio/", timeout=20).close()
    except OSError as error:
        pytest.skip(f"the public index can't be reached: {error}")


@pytest.fixture
def hostile() -> Iterator[Hostile]:
    with hostile_index() as made:
        yield made


def environment(hostile: Hostile) -> dict[str, str]:
    """This machine's, with the hostile index beside the others."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("VOICEOPS_", "VAPI_", "TWILIO_", "PYTHON"))}
    return kept | {"PIP_EXTRA_INDEX_URL": hostile.url, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1"}


def voiceops(folder: Path, *arguments: str, **environ: str) -> str:
    ran = subprocess.run(
        [BIN / "voiceops", *arguments], cwd=folder, capture_output=True, text=True, env={**os.environ, **environ}
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def origin(python: Path) -> dict[str, Any]:
    """Where pip says that voiceops-iac came from."""
    report = json.loads(subprocess.run([python, "-m", "pip", "inspect"], capture_output=True, check=True).stdout)
    found = {p["metadata"]["name"]: p for p in report["installed"]}
    assert "voiceops" not in found
    where: dict[str, Any] = found["voiceops-iac"]["direct_url"]
    return where


def never_asked(hostile: Hostile) -> bool:
    return not [path for path in hostile.asked if "voiceops" in path]


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    voiceops(tmp_path, "init", "shop", "--with-runtime")
    return tmp_path / "shop"


def test_the_hostile_index_would_be_believed(tmp_path: Path, hostile: Hostile) -> None:
    """What a bare name brings, so that the tests below show something."""
    for name in ("voiceops", "voiceops-iac"):
        pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--index-url", hostile.url]
        subprocess.run([*pip, "-d", str(tmp_path), name], check=True, env=environment(hostile), capture_output=True)
        assert (tmp_path / f"{name.replace('-', '_')}-99.0-py3-none-any.whl").exists()
    assert not never_asked(hostile)


# the runtime


@contextmanager
def started(stage: Stage, **environ: str) -> Iterator[str]:
    """The image's CMD, on a free port of loopback."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    instead = {"0.0.0.0": "127.0.0.1", "8080": port}
    command = [instead.get(word, word) for word in stage.command]
    executable = str(stage.root / "venv/bin" / command[0])
    log = stage.root / "log.txt"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [executable, *command[1:]], cwd=stage.folder, env=stage.environ | environ, stdout=out, stderr=out
        )
        try:
            for _ in range(300):
                if b"Listening" in log.read_bytes() or process.poll() is not None:
                    break
                time.sleep(0.1)
            assert process.poll() is None, log.read_text()
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(30)


@pytest.mark.usefixtures("online")
def test_the_image_of_a_generated_runtime_is_built_and_takes_a_call(
    shop: Path, tmp_path: Path, hostile: Hostile
) -> None:
    handlers = shop / "agents/handlers"
    (handlers / "requirements.txt").write_text("six==1.17.0\n")
    (handlers / "hours.py").write_text(
        "import six\n\n\ndef opening_hours(day: str) -> str:\n    return six.__version__\n"
    )
    voiceops(shop, "-e", "prod", "generate", "runtime")
    out = shop / "runtime"
    stage = built(out, tmp_path / "image", environment(hostile))
    assert any("pip check" in text for text in stage.ran)
    assert any("--require-hashes" in text for text in stage.ran)

    where = origin(stage.root / "venv/bin/python")
    (wheel,) = out.glob("*.whl")
    assert where["url"] == (stage.folder / wheel.name).as_uri()
    assert where["archive_info"]["hash"] == "sha256=" + hashlib.sha256(wheel.read_bytes()).hexdigest()
    assert never_asked(hostile)

    with started(stage, VAPI_WEBHOOK_SECRET=SECRET) as url:
        (check,) = (rest for word, rest in instructions((out / "Dockerfile").read_text()) if word == "HEALTHCHECK")
        program, *arguments = json.loads(check.partition("CMD ")[2].replace("http://127.0.0.1:8080", url))
        subprocess.run([stage.root / "venv/bin" / program, *arguments], check=True, env=stage.environ)
        said = voiceops(shop, "-e", "prod", "simulate", "--url", url, VAPI_WEBHOOK_SECRET=SECRET)
    assert "openingHours" in said
    assert "1.17.0" in said
    assert "ok: 1 call" in said


@pytest.mark.usefixtures("online")
def test_the_readmes_lines_without_docker_start_it(shop: Path, hostile: Hostile) -> None:
    voiceops(shop, "-e", "prod", "generate", "runtime")
    out = shop / "runtime"
    text = (out / "README.md").read_text()
    block = text.partition("in this folder; messages are then kept in `data/`:\n\n")[2].partition("\n\n")[0]
    lines = [line.strip() for line in block.splitlines()]
    assert lines[-1] == ".venv/bin/python app.py --port 8080"
    for line in lines[:-1]:
        line = line.replace("python3 -m venv", f"{sys.executable} -m venv")
        ran = subprocess.run(["sh", "-ec", line], cwd=out, env=environment(hostile), capture_output=True, text=True)
        assert ran.returncode == 0, ran.stdout + ran.stderr
    assert origin(out / ".venv/bin/python")["url"].startswith(out.as_uri())
    assert never_asked(hostile)
    (out / ".env").write_text(
        (out / ".env").read_text().replace("VAPI_WEBHOOK_SECRET=\n", f"VAPI_WEBHOOK_SECRET={SECRET}\n")
    )
    stage = object.__new__(Stage)
    stage.root, stage.folder = out, out
    stage.environ = environment(hostile)
    stage.command = ["python", "app.py", "--port", "8080"]
    (out / "venv").symlink_to(".venv")
    with started(stage) as url:
        said = voiceops(shop, "-e", "prod", "simulate", "--url", url, VAPI_WEBHOOK_SECRET=SECRET)
    assert "ok: 1 call" in said


@pytest.mark.parametrize(
    "flags", [(), ("--from", f"https://x.example/voiceops_iac-1-py3-none-any.whl#sha256={'0' * 64}")]
)
@pytest.mark.parametrize("needs", [None, "six==1.17.0\n"])
def test_a_generated_dockerfile_has_no_findings(shop: Path, flags: tuple[str, ...], needs: str | None) -> None:
    if needs:
        (shop / "agents/handlers/requirements.txt").write_text(needs)
    voiceops(shop, "-e", "prod", "generate", "runtime", *flags)
    ran = subprocess.run([BIN / "hadolint", shop / "runtime/Dockerfile"], capture_output=True, text=True)
    assert (ran.returncode, ran.stdout) == (0, "")
    compose = yaml.safe_load((shop / "runtime/compose.yaml").read_text())
    assert compose["services"]["runtime"]["build"] == "."
    for word, rest in instructions((shop / "runtime/Dockerfile").read_text()):
        if word == "COPY" and rest != ". .":
            for source in rest.split()[:-1]:
                assert list((shop / "runtime").glob(source)), f"COPY {source}: nothing there"


# the pipeline


@pytest.mark.usefixtures("online")
def test_the_pipelines_install_step_takes_the_wheel_in_ci(tmp_path: Path, hostile: Hostile) -> None:
    voiceops(tmp_path, "init", "shop", "--ci", "github")
    shop = tmp_path / "shop"
    jobs = yaml.safe_load((shop / ".github/workflows/voiceops.yml").read_text())["jobs"]
    steps = {
        job["steps"][i]["run"]
        for job in jobs.values()
        for i in range(len(job["steps"]))
        if "pip" in str(job["steps"][i])
    }
    (install,) = steps
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "venv")], check=True)
    environ = environment(hostile) | {"PATH": f"{tmp_path / 'venv/bin'}{os.pathsep}{os.environ['PATH']}"}
    ran = subprocess.run(["sh", "-ec", install], cwd=shop, env=environ, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert origin(tmp_path / "venv/bin/python")["url"].startswith((shop / "ci").as_uri())
    assert never_asked(hostile)
    script = ["sh", "-ec", "sh ci/check.sh none && sh ci/simulate.sh"]
    subprocess.run(["git", "init", "-q"], cwd=shop, check=True)
    ran = subprocess.run(script, cwd=shop, env=environ | {"VOICEOPS_ENV": "dev"}, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "2 to create" in ran.stdout


# the repository's own image


@pytest.mark.usefixtures("online")
def test_the_repositorys_image_is_built_and_runs(tmp_path: Path, hostile: Hostile) -> None:
    stage = built(REPOSITORY, tmp_path / "image", environment(hostile))
    assert never_asked(hostile)
    program = stage.root / "venv/bin" / stage.entry[0]
    ran = subprocess.run([program, *stage.command], cwd=stage.folder, env=stage.environ, capture_output=True, text=True)
    assert ran.returncode == 0
    assert "Usage: voiceops" in ran.stdout
    subprocess.run([program, "init", "."], cwd=stage.folder, env=stage.environ, check=True, capture_output=True)
    subprocess.run([program, "plan"], cwd=stage.folder, env=stage.environ, check=True, capture_output=True)
    for module in ("boto3", "psycopg", "cel", "pyrage", "cryptography"):
        subprocess.run([stage.root / "venv/bin/python", "-c", f"import {module}"], check=True)


# hashes


def only_voiceops(lock: Path) -> Path:
    """A requirements file with nothing but the line of voiceops."""
    (line,) = (x for x in lock.read_text().splitlines() if "voiceops_iac-" in x and not x.startswith("#"))
    path = lock.with_name("only.txt")
    path.write_text(line.replace("[otel,postgres]", "") + "\n")
    return path


def install(
    folder: Path, file: Path, hostile: Hostile, *flags: str, **environ: str
) -> subprocess.CompletedProcess[str]:
    pip = [sys.executable, "-m", "pip", "install", "--no-deps", "--require-hashes", "--target", str(folder / "site")]
    return subprocess.run(
        [*pip, *flags, "-r", str(file)],
        cwd=file.parent,
        env=environment(hostile) | environ,
        capture_output=True,
        text=True,
    )


def test_a_wheel_that_was_exchanged_is_not_installed(shop: Path, tmp_path: Path, hostile: Hostile) -> None:
    voiceops(shop, "-e", "prod", "generate", "runtime")
    file = only_voiceops(shop / "runtime/requirements.lock")
    (wheel,) = (shop / "runtime").glob("*.whl")
    good = wheel.read_bytes()
    at = good.index(b"def main()")
    wheel.write_bytes(good[:at] + b"def nain()" + good[at + 10 :])
    ran = install(tmp_path, file, hostile, "--no-index")
    assert ran.returncode == 1
    assert "DO NOT MATCH THE HASHES" in ran.stderr
    wheel.unlink()
    ran = install(tmp_path, file, hostile)
    assert ran.returncode == 1, "it is looked for nowhere else"
    assert never_asked(hostile)
    wheel.write_bytes(good)
    assert install(tmp_path, file, hostile, "--no-index").returncode == 0


def test_an_address_with_its_hash_is_fetched_and_checked(shop: Path, tmp_path: Path, hostile: Hostile) -> None:
    from voiceops.packaging.wheel import build_wheel

    wheel = build_wheel()
    certificate = tmp_path / "server.pem"
    certificate.write_bytes(_certificate())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-length", str(len(wheel.content)))
            self.end_headers()
            self.wfile.write(wheel.content)

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        url = f"https://localhost:{server.server_address[1]}/store/{wheel.name}"
        for digest, code in ((wheel.sha256, 0), ("0" * 64, 1)):
            voiceops(shop, "-e", "prod", "generate", "runtime", "--from", f"{url}#sha256={digest}")
            file = only_voiceops(shop / "runtime/requirements.lock")
            ran = install(tmp_path / digest, file, hostile, "--cert", str(certificate), SSL_CERT_FILE=str(certificate))
            assert ran.returncode == code, ran.stderr
    finally:
        server.shutdown()
        server.server_close()
    assert (tmp_path / wheel.sha256 / "site/voiceops/__init__.py").exists()
    assert never_asked(hostile)


def _certificate() -> bytes:
    """A key and a certificate of localhost, which signs itself."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private + made.public_bytes(serialization.Encoding.PEM)
