"""The tests that an environment has: suites and evals of its manifests, call scripts of its folder."""

from __future__ import annotations

import hashlib
import re
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from voiceops.errors import Diagnostic, InvalidProject, Mark
from voiceops.kinds.registry import LINES
from voiceops.manifest.strict_yaml import read_documents
from voiceops.model.graph import Graph
from voiceops.model.located import Map
from voiceops.model.safe_text import one_line
from voiceops.simulate.script_file import read_script
from voiceops.testing.cases import Chosen, ReadScript, TestsWanted, choose
from voiceops.testing.digest import Content, case_digest
from voiceops.use.load_project import Loaded, load
from voiceops.use.runtime_needs import scripts_spec

_CALLED = ("Agent", "Squad")
SCRIPTS = "tests"  # the folder beside voiceops.yaml


def known_tests(
    loaded: Loaded, wanted: TestsWanted | None = None, wrong: list[Diagnostic] | None = None
) -> tuple[Chosen, ...]:
    """The wanted tests, each with the digest of what it tests. `wrong` takes what is wrong with scripts that are none.

    Without it raises InvalidProject for those; VoiceopsError for a name that no test has.
    """
    wanted = wanted or TestsWanted()
    base = with_lines(loaded)
    problems: list[Diagnostic] = [] if wrong is None else wrong
    chosen = choose(loaded.graph, _scripts(base, problems) if wanted.takes("script") else (), wanted, base.graph)
    if problems and wrong is None:
        raise InvalidProject(problems)
    content = content_of(loaded)
    return tuple(
        replace(test, case=replace(test.case, digest=case_digest(content, test))) if test.target else test
        for test in chosen
    )


def with_lines(loaded: Loaded) -> Loaded:
    """The environment whose phone lines reach what is tested, and whose calls the scripts are: a preview has no lines,
    what it is made of does."""
    if not loaded.project.preview:
        return loaded
    try:
        return load(loaded.project.root, loaded.project.base, loaded.context)
    except InvalidProject:  # what is wrong there is no matter of the preview's
        return loaded


def content_of(loaded: Loaded) -> Content:
    """What there is to test."""
    return Content(graph=loaded.graph, runtime=loaded.project.runtime_url or "", handlers=_handlers(loaded))


def _handlers(loaded: Loaded) -> str:
    """A digest of the handlers' files: which of them a handler imports is known to nobody but Python."""
    folder = loaded.project.root / loaded.project.handlers
    found = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        found.update(path.relative_to(folder).as_posix().encode() + b"\0")
        with suppress(OSError):  # a link to nothing, a folder: no handler
            found.update(hashlib.sha256(path.read_bytes()).digest())
    return found.hexdigest()


def _scripts(loaded: Loaded, wrong: list[Diagnostic]) -> list[ReadScript]:
    """The call scripts, by name; `wrong` takes the problems of all of them."""
    root = loaded.project.root
    files = sorted(path for ending in ("*.yaml", "*.yml") for path in (root / SCRIPTS).glob(ending) if path.is_file())
    spec = scripts_spec(loaded)
    found: list[ReadScript] = []
    for path in files:
        file = path.relative_to(root).as_posix()
        try:
            text = _text(path, file)
            if not _is_left_out(loaded.graph, text, file):
                found.append(
                    ReadScript(name=one_line(path.stem), file=file, script=read_script(text, file, spec), source=text)
                )
        except InvalidProject as error:
            wrong += error.diagnostics
    return found


def _is_left_out(graph: Graph, text: str, file: str) -> bool:
    """Is it about a line, an agent or a squad that exists in other environments only? It is a test of those."""
    try:
        documents = read_documents(text, file)
    except InvalidProject:  # said when it is read
        return False
    value = documents[0][0] if documents else None
    said = value if isinstance(value, Map) else {}
    named = [(kind, str(said.get("line"))) for kind in LINES] + [(kind, str(said.get("agent"))) for kind in _CALLED]
    # An instance is left out with its manifest: `line/key`, and `Kind/line[key]`.
    return any(f"{kind}/{re.split('[/[]', name.removeprefix(f'{kind}/'))[0]}" in graph.left_out for kind, name in named)


def _text(path: Path, file: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = f"can't be read: {getattr(error, 'strerror', None) or error}"
        raise InvalidProject([Diagnostic(code="script", summary=why, mark=Mark(file, 1, 1))]) from None
