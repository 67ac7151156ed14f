"""Templates: what a value holds is never more than a text, and what a template may do is little."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from jinja2 import TemplateError, UndefinedError, nodes

from tests.support.bench import REPOSITORY
from voiceops import templating
from voiceops.errors import VoiceopsError

PACKAGE = REPOSITORY / "voiceops"
PAGES = sorted(PACKAGE.rglob("*.html.j2"))
TEMPLATE = "{{ 7*7 }} {% for x in y %} {# gone #} [[ 7*7 ]] [% if x %] ${{ secrets.KEY }}"


def from_text(text: str, **values: object) -> str:
    """A page from this text, in the environment of the plan's pages."""
    return templating._pages("voiceops.render").from_string(text).render(values)


def file_from_text(text: str, **values: object) -> str:
    return templating._files().from_string(text).render(values)


# pages


def test_a_value_is_text_wherever_it_stands() -> None:
    evil = "<b x='1' y=\"2\">&amp; \u202e\x00" + TEMPLATE
    shown = "&lt;b x=&#x27;1&#x27; y=&quot;2&quot;&gt;&amp;amp; \\u202e\\u0000" + TEMPLATE
    assert from_text("{{ v }}", v=evil) == shown
    assert from_text('<i title="{{ v }}">', v=evil) == f'<i title="{shown}">'
    assert from_text("{% macro m(x) %}{{ x }}{% endmacro %}{{ m(v) }}", v=evil) == shown
    assert from_text("{% set x %}{{ v }}{% endset %}{{ x }}", v=evil) == shown
    assert from_text("{{ v }}", v="::error::x") == "&#58;:error::x"
    assert from_text("{{ v }}", v=3) == "3"


def test_a_name_that_is_not_given_is_an_error() -> None:
    for text in (
        "{{ nothing }}",
        "{% if nothing %}{% endif %}",
        "{{ v.nothing }}",
        "{% for x in nothing %}{% endfor %}",
    ):
        with pytest.raises(UndefinedError):
            from_text(text, v="x")
    with pytest.raises(UndefinedError):
        file_from_text("[[ nothing ]]")


@pytest.mark.parametrize("text", ["{{ v|safe }}", "{{ v|join }}", "{{ v|replace('a', 'b') }}", "{{ v|xmlattr }}"])
def test_nothing_in_a_page_makes_markup_of_a_text(text: str) -> None:
    with pytest.raises(TemplateError):
        from_text(text, v="<b>")


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_a_page_joins_no_texts_and_quotes_every_attribute(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    tree = templating._pages("voiceops.render").parse(text)
    assert not list(tree.find_all((nodes.Concat, nodes.Add, nodes.Mod, nodes.ScopedEvalContextModifier)))
    assert {found.name for found in tree.find_all(nodes.Filter)} <= {"length"}
    plain = re.sub(r"\{[{%#].*?[}%#]\}", lambda found: "VALUE" if found[0].startswith("{{") else "", text, flags=re.S)
    assert not re.search(r"=\s*VALUE", plain), "an attribute's value stands in quotes"
    assert not re.search(r"<[^>]*\s(on\w+|style)=", plain)
    assert not re.search(r"<\w*VALUE|</VALUE", plain)
    assert not re.search(r"https?://", plain)


def test_pages_are_where_markup_is_written() -> None:
    assert {path.parent.parent.name for path in PAGES} == {"render", "dashboard"}
    tag = re.compile(r"<(?:div|span|p|html|table|section|ul|li|details|style)\b")
    found = [p.name for p in PACKAGE.rglob("*.py") if tag.search(re.sub(r'"""(?s:.*?)"""|#.*', "", p.read_text()))]
    # A drawing's own <style>, <details> in markdown, and a gateway's error page, which the sandbox plays.
    assert set(found) == {"graph_svg.py", "markdown.py", "test_report_markdown.py", "faults.py"}


def test_markup_is_what_we_draw_ourselves() -> None:
    found = {p.relative_to(PACKAGE).as_posix() for p in PACKAGE.rglob("*.py") if "Markup(" in p.read_text()}
    assert found == {
        "templating.py",  # texts that were escaped, style sheets and scripts of ours
        "render/html.py",  # the graph
        "runtime/dashboard/charts.py",
        "runtime/dashboard/runtime_page.py",  # no chart
    }


def test_a_style_sheet_has_the_hash_of_what_stands_in_the_page() -> None:
    sheet = templating.inline("voiceops.render", "plan.css", "graph.css")
    assert sheet.hash == "sha256-" + _sha256(str(sheet.text))
    assert from_text("{{ v.text }}", v=sheet) == sheet.text


def _sha256(text: str) -> str:
    import base64
    import hashlib

    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


@pytest.mark.parametrize(
    "code",
    [
        "import voiceops.runtime.http.app, voiceops.runtime.dashboard.runtime_page",
        "import voiceops.render.graph_svg, voiceops.render.text, voiceops.render.markdown",
        "from voiceops.cli.main import run; run(['--version'])",
        "from voiceops.cli.main import run; run(['plan', '--help'])",
        "from voiceops.cli.main import run; run(['serve', '--help'])",
    ],
)
def test_jinja2_is_imported_with_the_first_template(code: str) -> None:
    code += "\nimport sys; assert not {'jinja2', 'voiceops.render.html'} & sys.modules.keys()"
    ran = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr


# files


def test_other_peoples_braces_pass() -> None:
    text = "on: ${{ github.ref }} {{customer.name}} {% x %} {# y #}\n"
    assert file_from_text(text + "[[ v ]]\n", v="z") == text + "z\n"


def test_a_value_is_no_template() -> None:
    assert file_from_text("[[ v ]]", v=TEMPLATE) == TEMPLATE


def test_a_value_stays_in_its_line() -> None:
    for value in ("a\nb", "a\rb", "a\x1b[2J", "a\u2028b"):
        with pytest.raises(ValueError, match="is no text of one line"):
            file_from_text("# [[ v ]]\n", v=value)
    assert file_from_text("[[ v | lines ]]", v="a\nb") == "a\nb"


def test_values_are_quoted_for_where_they_stand() -> None:
    assert file_from_text("[[ v | quoted ]]", v='a"b\\\n') == '"a\\"b\\\\\\n"'

    for plain in ("shop", "a-b", "Shop_2", "2024-shop", "3cx"):
        assert templating.yaml(plain) == plain
    for other in ("", "12", "1e3", "2024-01-01", "0x1f", "true", "Null", "ON", "y", "-", "~", "a: b", "a #b", "[a]"):
        assert templating.yaml(other) == templating.quoted(other)


def test_a_template_that_is_not_there() -> None:
    for call in (templating.render_file, templating.render_files, templating.shipped):
        with pytest.raises(VoiceopsError, match="has no template nowhere"):
            call("nowhere")
