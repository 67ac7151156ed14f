"""The generated project: what is written anew, kept, removed and refused; stubs that can be served as they stand."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.runtime.runtime_bench import serving, spec_of, tool
from tests.support.bench import REPOSITORY, Bench, Ran
from voiceops.sandbox.server import SandboxServer
from voiceops.scaffold.stubs import module_of

PROJECT = """
version: 1
project: shop
environments: [live]
runtime: {url: "https://voice.example.com", auth: hmac, handlers: agents/handlers}
"""
AGENTS = """
kind: Agent
name: support
spec:
  model: {provider: openai, model: gpt-4o, tools: [find-order, book]}
---
kind: Tool
name: find-order
spec:
  type: function
  function: {name: findOrder, description: Finds an order., parameters: {type: object, properties: {}}}
  server: runtime
handler: orders:find_order
---
kind: Tool
name: book
forEach: {north: {}, south: {}}
spec:
  type: function
  function: {name: "book_${each:key}", description: Books., parameters: {type: object, properties: {}}}
  server: runtime
handler: orders:book
"""
AGENTS = AGENTS.replace(", book]}", ", 'book[north]', 'book[south]']}")
ORDERS = "def find_order(): return 'sent'\ndef book(): return 'booked'\n"
EXTRA = "from voiceops.runtime import tool\n\n\n@tool('extra')\ndef extra(): return 'still there'\n"


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Bench]:
    with SandboxServer() as server, server.control() as control:
        bench = Bench(tmp_path / "shop", server, control)
        bench.write("voiceops.yaml", PROJECT)
        bench.write("agents/agents.yaml", AGENTS)
        bench.write("agents/handlers/orders.py", ORDERS)
        yield bench


def generate(shop: Bench, *arguments: str, code: int = 0) -> Ran:
    return shop.run("generate", "runtime", *arguments, code=code)


def said(ran: Ran) -> dict[str, list[str]]:
    """What was done, by the word that says it."""
    found: dict[str, list[str]] = {}
    for line in ran.out.splitlines():
        word, name = line.split()[:2]
        found.setdefault(word, []).append(name)
    return found


def files(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_what_left_the_project_leaves_the_copy(shop: Bench) -> None:
    shop.write("agents/handlers/extra.py", EXTRA)
    shop.write("agents/handlers/parts/words.py", "WORD = 1\n")
    generate(shop)
    shop.remove("agents/handlers/extra.py")
    shop.remove("agents/handlers/parts/words.py")
    assert said(generate(shop)) == {
        "wrote": ["handlers.lock"],
        "removed": ["handlers/extra.py", "handlers/parts/words.py"],
    }
    out = shop.folder / "runtime"
    assert not (out / "handlers/extra.py").exists()
    assert not (out / "handlers/parts").exists()
    before = files(out)
    assert said(generate(shop)) == {}
    assert files(out) == before


def test_what_left_the_project_and_was_edited_in_the_copy_is_never_deleted(shop: Bench) -> None:
    shop.write("agents/handlers/extra.py", EXTRA)
    generate(shop)
    edited = shop.folder / "runtime/handlers/extra.py"
    edited.write_text(EXTRA + "# mine\n")
    shop.remove("agents/handlers/extra.py")
    shop.edit("agents/handlers/orders.py", "sent", "lost")
    before = files(shop.folder / "runtime")
    ran = generate(shop, code=1)
    assert "handlers/extra.py was edited there, and is no file of the project's any more" in ran.err
    assert files(shop.folder / "runtime") == before
    edited.unlink()
    assert said(generate(shop)) == {"wrote": ["handlers/orders.py", "handlers.lock"]}


def test_a_handler_that_voiceops_never_wrote_is_named(shop: Bench) -> None:
    generate(shop)
    (shop.folder / "runtime/handlers/stray.py").write_text(EXTRA)
    ran = generate(shop)
    assert said(ran) == {"kept": ["handlers/stray.py"]}
    assert "not from agents/handlers" in ran.out


def test_edits_of_generated_files_are_kept_and_named(shop: Bench) -> None:
    generate(shop)
    out = shop.folder / "runtime"
    fresh = files(out)
    for name in ("requirements.txt", "Dockerfile", "app.py", ".env.example"):
        (out / name).write_bytes(fresh[name] + b"# mine\n")
    ran = generate(shop)
    assert said(ran) == {"kept": [".env.example", "Dockerfile", "app.py", "requirements.txt"]}
    assert "agents/handlers/requirements.txt" in ran.err
    assert (out / "requirements.txt").read_bytes().endswith(b"# mine\n")
    # Who takes the edit back has a project like any other; who deletes the file, a new one.
    (out / "Dockerfile").write_bytes(fresh["Dockerfile"])
    (out / "requirements.txt").unlink()
    assert said(generate(shop)) == {"wrote": ["requirements.txt"], "kept": [".env.example", "app.py"]}
    for name in (".env.example", "app.py"):
        (out / name).unlink()
    generate(shop)
    assert files(out) == fresh


def test_a_copy_that_is_as_it_was_again_is_renewed(shop: Bench) -> None:
    generate(shop)
    copy = shop.folder / "runtime/handlers/orders.py"
    first = copy.read_text()
    copy.write_text(first + "# mine\n")
    shop.edit("agents/handlers/orders.py", "sent", "lost")
    assert said(generate(shop)) == {"kept": ["handlers/orders.py"]}
    copy.write_text(first)
    assert said(generate(shop))["wrote"] == ["handlers/orders.py", "handlers.lock"]
    assert "lost" in copy.read_text()


def test_an_edited_spec_stops_the_generation(shop: Bench) -> None:
    generate(shop)
    spec = shop.folder / "runtime/runtime.json"
    spec.write_text(spec.read_text().replace("findOrder", "searchOrder"))
    shop.edit("agents/handlers/orders.py", "sent", "lost")
    before = files(shop.folder / "runtime")
    assert "runtime.json was edited there" in generate(shop, code=1).err
    assert files(shop.folder / "runtime") == before
    spec.unlink()
    assert "runtime.json" in said(generate(shop))["wrote"]


def test_a_small_change_is_a_small_diff(shop: Bench) -> None:
    generate(shop)
    before = files(shop.folder / "runtime")
    shop.edit("agents/agents.yaml", "Finds an order.", "Looks for an order.")
    assert said(generate(shop)) == {"wrote": ["runtime.json", "handlers.lock"]}
    after = files(shop.folder / "runtime")
    for name, lines in (("handlers.lock", 1), ("runtime.json", 2)):
        pairs = zip(before[name].splitlines(), after[name].splitlines(), strict=True)
        assert sum(one != other for one, other in pairs) <= lines


def test_files_of_somebody_else_are_not_overwritten(shop: Bench, tmp_path: Path) -> None:
    out = tmp_path / "elsewhere"
    out.mkdir()
    (out / "README.md").write_text("# Mine\n")
    assert said(generate(shop, "--out", str(out)))["kept"] == ["README.md"]
    assert said(generate(shop, "--out", str(out))) == {"kept": ["README.md"]}
    assert (out / "README.md").read_text() == "# Mine\n"


def test_a_lock_as_it_was_is_read(shop: Bench) -> None:
    shop.write("agents/handlers/extra.py", EXTRA)
    generate(shop)
    lock = shop.folder / "runtime/handlers.lock"
    listed = json.loads(lock.read_text())["files"]
    older = {k.removeprefix("handlers/"): v for k, v in listed.items() if k.startswith("handlers/")}
    lock.write_text(json.dumps(older))
    shop.remove("agents/handlers/extra.py")
    assert said(generate(shop)) == {"wrote": ["handlers.lock"], "removed": ["handlers/extra.py"]}


def test_a_lock_that_is_none_is_said(shop: Bench) -> None:
    generate(shop)
    lock = shop.folder / "runtime/handlers.lock"
    for text in ("<<<<<<< ours\n", "[]", "5"):
        lock.write_text(text)
        assert "handlers.lock can't be read" in generate(shop, code=1).err


def test_nothing_outside_is_removed(shop: Bench) -> None:
    import hashlib

    generate(shop)
    lock = shop.folder / "runtime/handlers.lock"
    victims = ["../agents/handlers/orders.py", str(shop.folder / "agents/handlers/orders.py")]
    data = json.loads(lock.read_text())
    data["files"] |= {name: "sha256:" + hashlib.sha256(ORDERS.encode()).hexdigest() for name in victims}
    lock.write_text(json.dumps(data))
    generate(shop)
    assert (shop.folder / "agents/handlers/orders.py").exists()


def test_packages_of_handlers_have_a_place_of_their_own(shop: Bench) -> None:
    generate(shop)
    out = shop.folder / "runtime"
    without = files(out)
    shop.write("agents/handlers/requirements.txt", "stripe==12.0\n")
    assert said(generate(shop))["wrote"] == [
        "Dockerfile",
        "requirements.txt",
        "handlers/requirements.txt",
        "handlers.lock",
    ]
    assert (out / "requirements.txt").read_text().splitlines()[1:] == ["-r handlers/requirements.txt"]
    docker = (out / "Dockerfile").read_text().splitlines()
    assert docker.index("COPY handlers/*.txt handlers/") < next(n for n, x in enumerate(docker) if "pip install" in x)
    assert said(generate(shop)) == {}
    shop.remove("agents/handlers/requirements.txt")
    assert said(generate(shop))["removed"] == ["handlers/requirements.txt"]
    assert files(out) == without


@pytest.mark.parametrize(
    ("out", "why"),
    [
        (".", "the project's own folder"),
        ("agents", "--out lies in agents"),
        ("agents/runtime", "--out lies in agents"),
        ("agents/handlers/deep", "--out lies in agents/handlers"),
    ],
)
def test_the_project_itself_is_no_place_for_it(shop: Bench, out: str, why: str) -> None:
    shop.write(".env.example", "VAPI_API_KEY=\n")
    before = files(shop.folder)
    assert why in generate(shop, "--out", str(shop.folder / out), code=1).err
    assert files(shop.folder) == before


def test_a_handler_that_is_no_python_is_said_with_its_place(shop: Bench) -> None:
    shop.write("agents/handlers/orders.py", "def find_order():\n    return (1\n")
    for flags in ([], ["--stubs"]):
        ran = generate(shop, *flags, code=1)
        assert "agents/handlers/orders.py:2:12: error[handler]" in ran.err
        assert "not valid Python: '(' was never closed" in ran.err
        assert "Add this" not in ran.err
        assert ran.err.count("not valid Python") == 1


def test_a_function_that_python_has_no_name_for(shop: Bench) -> None:
    shop.edit("agents/agents.yaml", "orders:find_order", "others:import")
    ran = generate(shop, "--stubs", code=1)
    assert "Python has this word for itself" in ran.err
    assert not (shop.folder / "agents/handlers/others.py").exists()


def test_instances_of_one_tool_get_one_stub(shop: Bench) -> None:
    shop.remove("agents/handlers/orders.py")
    assert said(generate(shop, "--stubs"))["stub"] == ["agents/handlers/orders.py"]
    assert (shop.folder / "agents/handlers/orders.py").read_text().count("def book(") == 1


TEXT = {"type": "string"}
NAMES = ["call", "class", "from", "order-number", "rest", "self", "match", "None", "__debug__", 'a"""b\\', "ﬁ", ""]
SCHEMAS: dict[str, dict[str, Any]] = {
    "every": {"properties": {name: {**TEXT, "description": f"the {name}"} for name in NAMES}, "required": ["call"]},
    "twins": {"properties": {"from": TEXT, "from_": TEXT}},
    "types": {
        "properties": {
            "n": {"type": "null"},
            "none": {"type": []},
            "maybe": {"type": ["string", "null"]},
            "items": {"type": "array"},
            "chosen": {"enum": ["Any", '"', "a) -> str:"]},
        }
    },
    "composed": {"allOf": [{"properties": {"x": TEXT}}]},
}
GIVEN: dict[str, dict[str, Any]] = {
    "every": {name: f"<{name}>" for name in NAMES},
    "twins": {"from": "<from>", "from_": "<from_>"},
    "types": {"n": None, "maybe": None, "items": [1], "chosen": "Any"},
    "composed": {"x": "<x>"},
}


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_a_stub_can_be_served_as_it_stands(tmp_path: Path, name: str) -> None:
    made = tool("t", "h:t", parameters={"type": "object", **SCHEMAS[name]}, description='Says "so"\\')
    text = module_of([made])
    # What a stub raises is replaced by what it was given.
    text = text.replace('raise NotImplementedError("write t")', "return answer(locals())")
    text += (
        "\n\ndef answer(given):\n"
        "    others = [name for name in given if name.startswith('rest') and isinstance(given[name], dict)]\n"
        "    rest = given.pop(others[0]) if others else {}\n"
        "    return {'type': type(given.pop('call')).__name__, **given, **rest}\n"
    )
    with serving(tmp_path, spec_of(made), text) as served:
        entry = served.tool("t", GIVEN[name])
    assert "result" in entry, entry
    got = json.loads(entry["result"])
    renamed = {"class": "class_", "from": "from_", "None": "None_"} if name == "every" else {}
    assert got.pop("type") == "Call"
    for key, value in GIVEN[name].items():
        assert got[renamed.get(key, key)] == value


def test_stubs_name_what_comes_by_another_name() -> None:
    made = tool("t", "h:t", parameters={"type": "object", **SCHEMAS["every"]})
    text = module_of([made])
    assert 'rest_["order-number"]: the order-number' in text
    assert 'rest_["call"]: the call' in text
    assert "from_: str | None = None" in text


def test_the_generated_project_says_what_is_wrong(shop: Bench) -> None:
    generate(shop)
    out = shop.folder / "runtime"

    def start(*arguments: str) -> str:
        ran = subprocess.run(
            [sys.executable, "app.py", *arguments],
            cwd=out,
            capture_output=True,
            text=True,
            env={**os.environ, "VAPI_WEBHOOK_SECRET": "s", "PYTHONPATH": str(REPOSITORY)},
            timeout=60,
        )
        assert ran.returncode == 1
        assert "Traceback" not in ran.stderr
        return ran.stderr

    for port in ("99999", "-1"):
        assert "a port is a number from 0 to 65535" in start("--port", port)
    good = json.loads((out / "runtime.json").read_text())
    wrong: list[Any] = [
        [],
        5,
        {"version": 1},
        {**good, "url": None},
        {**good, "tools": [{**good["tools"][0], "parameters": 5}]},
        {**good, "lines": ["x"]},
    ]
    for spec in wrong:
        (out / "runtime.json").write_text(json.dumps(spec))
        assert "runtime.json can't be used" in start("--port", "0")


# what it installs


def wheels(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*.whl"))


def an_older_project(shop: Bench) -> Path:
    """As an older voiceops wrote it: its wheel, and the files that name it, known by handlers.lock."""
    import hashlib

    generate(shop)
    out = shop.folder / "runtime"
    lock = json.loads((out / "handlers.lock").read_text())
    (name,) = wheels(out)
    older = name.replace("0.1.0", "0.0.9")
    (out / older).write_bytes(b"an older wheel")
    (out / name).unlink()
    del lock["files"][name]
    for file in ("requirements.lock", "Dockerfile", "requirements.txt"):
        (out / file).write_text((out / file).read_text().replace(name, older) + f"# by 0.0.9: {older}\n")
    for file in ("requirements.lock", "Dockerfile", "requirements.txt", older):
        lock["files"][file] = "sha256:" + hashlib.sha256((out / file).read_bytes()).hexdigest()
    (out / "handlers.lock").write_text(json.dumps(lock))
    return out


def test_a_newer_voiceops_brings_its_wheel_and_takes_the_older_away(shop: Bench, tmp_path: Path) -> None:
    out = an_older_project(shop)
    ran = said(generate(shop))
    assert ran["removed"] == ["voiceops_iac-0.0.9-py3-none-any.whl"]
    assert "kept" not in ran
    generate(shop, "--out", str(tmp_path / "fresh"))
    assert files(out) == files(tmp_path / "fresh")


@pytest.mark.parametrize("file", ["requirements.txt", "requirements.lock", "Dockerfile"])
def test_the_older_wheel_stays_while_an_edited_file_installs_it(shop: Bench, file: str) -> None:
    out = an_older_project(shop)
    (out / file).write_text((out / file).read_text() + "# mine\n")
    assert said(generate(shop))["kept"] == [file]
    assert wheels(out) == ["voiceops_iac-0.0.9-py3-none-any.whl", "voiceops_iac-0.1.0-py3-none-any.whl"]
    assert said(generate(shop)) == {"kept": [file]}
    (out / file).unlink()
    assert said(generate(shop))["removed"] == ["voiceops_iac-0.0.9-py3-none-any.whl"]
    assert wheels(out) == ["voiceops_iac-0.1.0-py3-none-any.whl"]


def test_a_wheel_that_was_exchanged_is_refused(shop: Bench) -> None:
    generate(shop)
    out = shop.folder / "runtime"
    (name,) = wheels(out)
    (out / name).write_bytes(b"PK hostile")
    before = files(out)
    assert f"{name} is not the wheel that was written there" in generate(shop, code=1).err
    assert files(out) == before


def test_an_address_with_its_hash_takes_the_wheels_place(shop: Bench) -> None:
    url, digest = "https://files.example.com/voiceops_iac-0.1.0-py3-none-any.whl", "ab" * 32
    generate(shop)
    out = shop.folder / "runtime"
    ran = said(generate(shop, "--from", f"{url}#sha256={digest}"))
    assert ran["removed"] == ["voiceops_iac-0.1.0-py3-none-any.whl"]
    lines = [x for x in (out / "requirements.lock").read_text().splitlines() if "voiceops" in x and "# " not in x]
    assert lines == [f"voiceops-iac[otel,postgres] @ {url}#sha256={digest}"]
    assert ".whl" not in (out / "Dockerfile").read_text() + (out / "README.md").read_text()
    shop.write("agents/handlers/requirements.txt", "stripe==12.0\n")
    generate(shop, "--from", f"{url}#sha256={digest}")
    assert f"@ {url}#sha256={digest}" in (out / "requirements.txt").read_text()


def test_an_address_without_a_hash_writes_nothing(shop: Bench) -> None:
    assert "has no hash" in generate(shop, "--from", "https://x.example/voiceops_iac-1-py3-none-any.whl", code=1).err
    assert not (shop.folder / "runtime").exists()


def test_handlers_packages_with_hashes_are_checked_too(shop: Bench) -> None:
    shop.write("agents/handlers/requirements.txt", "stripe==12.0 --hash=sha256:" + "0" * 64 + "\n")
    generate(shop)
    lines = (shop.folder / "runtime/requirements.txt").read_text().splitlines()
    assert lines == ["-r requirements.lock", "-r handlers/requirements.txt"]


def test_the_readme_names_the_environment_that_it_was_written_for(shop: Bench) -> None:
    shop.edit("voiceops.yaml", "environments: [live]", "environments: [live, prod]\ndefaultEnvironment: live")
    for arguments, environment in ((("-e", "prod"), "prod"), ((), "live")):
        shop.run(*arguments, "generate", "runtime")
        text = (shop.folder / "runtime/README.md").read_text()
        assert f"`voiceops -e {environment} generate runtime`" in text
        assert f"\n    voiceops -e {environment} generate runtime\n" in text
        # None without an environment, which would be the project's default.
        assert text.count("generate runtime") == text.count(f"voiceops -e {environment} generate runtime")
