"""docs/api.md: its examples are run on a project, inside a running loop where they say so, and print nothing else."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.apply import manifests
from tests.support.bench import REPOSITORY, Bench, bench
from tests.support.pages import blocks_of
from voiceops import use
from voiceops.errors import Refused, VoiceopsError

PAGE = "docs/api.md"
AGENT = manifests.AGENT.replace("    tools: [lookup]\n", "")


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Bench]:
    """A project in a folder `shop` that was never applied."""
    folder = tmp_path / "shop"
    folder.mkdir()
    with bench(folder) as made:
        made.write("agents/agent.yaml", AGENT)
        yield made


def examples() -> list[str]:
    return [block.text for block in blocks_of(PAGE, "python")]


def around(made: Bench, **more: str) -> use.ProcessContext:
    return use.ProcessContext(environ=made.environ | more, pace=0.01)


def test_the_script_runs(shop: Bench) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", examples()[0]],
        cwd=shop.folder.parent,
        env=shop.environ | {"PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stderr == ""
    assert "revision 1\n[]\n[1]\n" in ran.stdout


async def test_a_service_answers_in_its_own_loop(
    shop: Bench, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in os.environ.keys() - shop.environ.keys():  # such as CI: where a state may stand is another test
        monkeypatch.delenv(name)
    for name, value in shop.environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(shop.folder.parent)
    for text in ("Hello", "Good day"):
        shop.write("agents/agent.yaml", AGENT.replace("Hello", text))
        await use.apply(use.load(shop.folder, "live"))
    names: dict[str, Any] = {}
    exec(compile(examples()[1], PAGE, "exec"), names)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=names["app"]), base_url="http://service") as client:
        lines = await client.get("/lines")
        returned = await client.post("/rollback")
        again = await client.post("/rollback")
    assert lines.status_code == 200
    assert isinstance(lines.json(), list)
    assert returned.json() == {"to": "revision 1", "revision": 3, "held": True}
    assert (again.status_code, again.json()["error"]) == (409, "there is no older successful revision to return to")
    assert shop.live("Agent/desk")["firstMessage"] == "Hello"
    assert capsys.readouterr() == ("", "")


def test_surroundings_are_given(shop: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(shop.folder.parent)
    names: dict[str, Any] = {}
    exec(compile(examples()[2], PAGE, "exec"), names)
    assert names["project"].environ == {"VAPI_API_KEY": "a-key-of-shop"}
    assert "a-key-of-shop" not in str(names["project"].context.redactor.data(["with a-key-of-shop in it"]))


def test_every_name_of_the_page_is_there() -> None:
    text = (REPOSITORY / PAGE).read_text(encoding="utf-8")
    table = text[text.index("| Function |") : text.index("`Scope` says")]
    named = {name for row in table.splitlines()[2:] for name in re.findall(r"`(\w+)", "|".join(row.split("|")[1:2]))}
    assert {"load", "plan", "rollback", "write_plan"} < named
    assert named <= set(dir(use))
    for block in examples():
        used = {n.attr for n in ast.walk(ast.parse(block)) if isinstance(n, ast.Attribute) and _is_use(n.value)}
        assert used <= set(dir(use))


def _is_use(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "use"


async def test_two_projects_in_one_process_share_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each with its account, its variables and its `.env`; nothing of either stands in os.environ."""
    before = dict(os.environ)
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    with bench(tmp_path / "one") as one, bench(tmp_path / "two", api_key="the-key-of-the-second-account") as two:
        for made, word in ((one, "first"), (two, "second")):
            made.write("agents/agent.yaml", AGENT.replace("Hello", "${env:GREETING}"))
            made.write(".env", f"GREETING={word}\nSHOP_TOKEN=the-token-of-the-{word}\n")
        loaded = [use.load(made.folder, "live", around(made)) for made in (one, two)]
        outcomes = [await use.apply(project) for project in loaded]
        assert [outcome.revision for outcome in outcomes] == [1, 1]
        assert [made.live("Agent/desk")["firstMessage"] for made in (one, two)] == ["first", "second"]
        masked = [project.context.redactor.data("the-token-of-the-first") for project in loaded]
        assert masked[0] != "the-token-of-the-first"
        assert masked[1] == "the-token-of-the-first", "the second project knows no secret of the first"
        # The first project with the second's key: it reaches its own account alone, which does not take it.
        wrong = use.load(one.folder, "live", around(one, VAPI_API_KEY=two.environ["VAPI_API_KEY"]))
        with pytest.raises(VoiceopsError):
            await use.plan(wrong)
    assert dict(os.environ) == before
    assert capsys.readouterr() == ("", "")


async def test_what_the_process_allows_is_each_ones_own(shop: Bench) -> None:
    """A host that is allowed to one project of a process is not allowed to another."""
    elsewhere = {"VAPI_BASE_URL": "https://vapi.example", "VOICEOPS_ALLOWED_HOSTS": "other.example"}
    with pytest.raises(Refused, match=r"not sent to https://vapi\.example"):
        await use.plan(use.load(shop.folder, "live", around(shop, **elsewhere)))
    assert (await use.plan(use.load(shop.folder, "live", around(shop)))).changes


async def test_nobody_is_asked_who_was_not_named(shop: Bench) -> None:
    """`confirm` decides, with the plan that would be applied; without it nobody is asked."""
    seen = []

    async def never(plan: use.Plan) -> bool:
        seen.append([change.address for change in plan.active])
        return False

    outcome = await use.apply(use.load(shop.folder, "live", around(shop)), confirm=never)
    assert (seen, outcome.result) == ([["Agent/desk"]], None)
    assert shop.writes() == []
