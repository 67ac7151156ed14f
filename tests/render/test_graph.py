"""The graph in Mermaid, dot and SVG: valid, the same every time, and only what was asked for."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.render.plans import ATTACKS, attacked, many, small
from tests.support.chromium import Page
from tests.support.world import agent, graph, phone, resource, tool
from voiceops.model.graph import Graph
from voiceops.model.values import Ref
from voiceops.render.graph_dot import dot
from voiceops.render.graph_mermaid import mermaid
from voiceops.render.graph_svg import svg
from voiceops.render.picture import Box, Picture, picture, plan_picture

SVG = "{http://www.w3.org/2000/svg}"
ROW = re.compile(
    r'  n\d+(?:\(\["|\[\["|\("|>"|\[\("|\[")[^"`<>@]*(?:<br/>[^"`<>@]*)*(?:"\]\)|"\]\]|"\)|"\]|"\)\])\Z'
    r'|  n\d+ -->(?:\|"[^"`<>@|]*"\|)? n\d+\Z|  classDef \w+ [\w:#,-]+\Z|  class n\d+(?:,n\d+)* \w+\Z'
)


def shop() -> Graph:
    return graph(
        phone("line", "Squad/care"),
        phone("other", "Agent/back", number="+14155550101"),
        resource("Squad/care", {"members": [{"assistantId": Ref("Agent/desk")}, {"assistantId": Ref("Agent/back")}]}),
        agent(
            "desk",
            model={"provider": "openai", "model": "gpt-4.1", "toolIds": [Ref("Tool/over"), Ref("Tool/orders")]},
            voice={"provider": "11labs", "voiceId": "sarah"},
            transcriber={"provider": "deepgram", "model": "nova-2"},
            artifactPlan={"structuredOutputIds": [Ref("StructuredOutput/outcome")]},
        ),
        agent("back", voice={"provider": "11labs", "voiceId": "sarah"}, model={"toolIds": [Ref("Tool/over")]}),
        resource("Tool/over", {"type": "handoff", "destinations": [{"assistantId": Ref("Agent/back")}]}),
        tool("orders", server={"credentialId": Ref("Credential/runtime")}),
        resource("Tool/handled", {"type": "function"}, handler="orders:look_up"),
        resource("StructuredOutput/outcome", {"name": "outcome"}),
        resource("Credential/runtime", {"provider": "custom-credential"}),
    )


@pytest.mark.parametrize(("form", "draw"), [("mmd", mermaid), ("dot", dot), ("svg", svg)])
def test_the_drawing(form: str, draw: Callable[[Picture], str], golden: Callable[[str, str], None]) -> None:
    golden(f"graph/shop.{form}", draw(picture(shop())) + "\n")


def test_everything_is_in_it() -> None:
    found = picture(shop())

    kinds = {box.kind for box in found.boxes}
    arrows = {(arrow.source, arrow.target) for arrow in found.arrows}
    wanted = "Phone Squad Agent Tool Voice Transcriber Handler StructuredOutput Credential"
    assert kinds == set(wanted.split())
    assert arrows >= {
        ("Phone/line", "Squad/care"),
        ("Squad/care", "Agent/desk"),
        ("Agent/desk", "Voice/11labs/sarah"),
        ("Agent/back", "Voice/11labs/sarah"),
        ("Agent/desk", "StructuredOutput/outcome"),
        ("Tool/over", "Agent/back"),
        ("Tool/orders", "Credential/runtime"),
        ("Tool/handled", "Handler/orders:look_up"),
    }


def test_a_selection_with_what_it_reaches_and_what_reaches_it() -> None:
    found = {box.key for box in picture(shop(), targets=["Tool/orders"]).boxes}

    assert found == {"Tool/orders", "Agent/desk", "Squad/care", "Phone/line", "Credential/runtime"}


def test_a_selection_by_label() -> None:
    labelled = graph(agent("a", voice={"provider": "vapi", "voiceId": "v"}), resource("Agent/b", {}, labels={"t": "x"}))

    assert [box.key for box in picture(labelled, labels={"t": "x"}).boxes] == ["Agent/b"]
    assert picture(labelled, labels={"t": "y"}).boxes == ()


def drawn() -> list[Picture]:
    plan, wanted = attacked()
    hostile = Picture.of({attack: Box(attack, "Tool", attack, attack, "update") for attack in ATTACKS}, [])
    return [
        picture(shop()),
        picture(wanted),
        plan_picture(plan, wanted),
        plan_picture(*small()),
        plan_picture(*many(100, 50)),
        hostile,
        Picture((), ()),
    ]


@pytest.mark.parametrize("number", range(7))
def test_mermaid_rows_hold_nothing_but_the_language(number: int) -> None:
    first, *rows = mermaid(drawn()[number]).split("\n")

    assert first == "flowchart LR"
    assert [row for row in rows if not ROW.match(row)] == []


@pytest.mark.parametrize("number", range(7))
def test_svg_is_well_formed_and_inside_its_frame(number: int) -> None:
    found = drawn()[number]
    root = ET.fromstring(svg(found))
    _, _, width, height = (int(part) for part in root.attrib["viewBox"].split())
    boxes = [box.attrib for box in root.iter(f"{SVG}rect")]

    assert len(boxes) == len(found.boxes)
    places = [(int(b["x"]), int(b["y"]), int(b["width"]), int(b["height"])) for b in boxes]
    assert all(x >= 0 and y >= 0 and x + w <= width and y + h <= height for x, y, w, h in places)
    apart = all(a[0] != b[0] or abs(a[1] - b[1]) >= a[3] for i, a in enumerate(places) for b in places[i + 1 :])
    assert apart, "boxes overlap"


@pytest.mark.parametrize("number", range(7))
def test_dot_quotes_everything(number: int) -> None:
    inside = dot(drawn()[number]).split("\n")[4:-1]

    quoted = r'"(?:[^"\\\n]|\\.)*"'
    row = re.compile(rf"  {quoted}(?: -> {quoted})?(?: \[(?:\w+=(?:{quoted}|\w+)(?:, )?)*\])?;\Z")
    assert [line for line in inside if not row.match(line)] == []


def test_the_svg_in_a_browser(page: Page, tmp_path: Path) -> None:
    page.logged.clear()
    path = tmp_path / "graph.svg"
    path.write_text(svg(picture(shop())), encoding="utf-8")

    page.open(path)

    assert page.run("document.querySelectorAll('rect').length") == len(picture(shop()).boxes)
    assert page.run("[...document.querySelectorAll('text')].every(t => t.getBBox().width < 260)") is True
    assert page.logged == []


def test_what_a_plan_touches() -> None:
    found = plan_picture(*small())
    words = {box.key: box.word for box in found.boxes}
    arrows = {(arrow.source, arrow.target) for arrow in found.arrows}

    assert words == {"Phone/line": "", "Agent/desk": "update", "Tool/new": "create", "Tool/old": "delete"}
    assert ("Agent/desk", "Tool/old") in arrows, "an arrow that only the live object has"
