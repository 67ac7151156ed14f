"""A project written out file by file, loaded the way every command loads it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent
from typing import Any

from voiceops.errors import Diagnostic, InvalidProject
from voiceops.manifest.compose import load_graph
from voiceops.manifest.problems import Problems
from voiceops.manifest.project import load_project
from voiceops.model.graph import Graph

PROJECT = "version: 1\nproject: shop\nenvironments: [dev, prod]\nruntime: {url: https://voice.example}\n"


class Folder:
    """`write` files, then `graph`, or the `problems` instead."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.write("voiceops.yaml", PROJECT)
        (root / "agents").mkdir(exist_ok=True)

    def write(self, path: str, text: str) -> None:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(dedent(text), encoding="utf-8")

    def project(self, text: str) -> None:
        """More lines of voiceops.yaml."""
        self.write("voiceops.yaml", PROJECT + dedent(text))

    def load(
        self, environment: str | None = None, environ: Mapping[str, str] | None = None
    ) -> tuple[Graph | None, tuple[Diagnostic, ...]]:
        problems = Problems()
        variables = dict(environ or {})
        try:
            graph = load_graph(load_project(self.root, environment, variables, problems), variables, problems)
        except InvalidProject as error:
            return None, error.diagnostics
        return graph, problems.all

    def graph(self, environment: str | None = None, environ: Mapping[str, str] | None = None) -> Graph:
        graph, found = self.load(environment, environ)
        assert graph is not None, "\n".join(map(str, found))
        return graph

    def problems(
        self, environment: str | None = None, environ: Mapping[str, str] | None = None
    ) -> tuple[Diagnostic, ...]:
        return self.load(environment, environ)[1]


def body(graph: Graph, address: str = "Agent/a") -> dict[str, Any]:
    return graph.resources[address].body


def errors(folder: Folder, **options: Any) -> list[tuple[str, int]]:
    """Code and line of each error."""
    return [(d.code, d.mark.line if d.mark else 0) for d in folder.problems(**options) if d.severity == "error"]


def write_parts(folder: Folder) -> None:
    """Voices, transcribers and the rest by name, for agents to take."""
    folder.write(
        "agents/parts.yaml",
        """\
        kind: Voice
        name: base
        spec: {provider: 11labs, voiceId: sarah, speed: 1, chunkPlan: {enabled: true, minCharacters: 30}}
        ---
        kind: Voice
        name: slow
        spec: {from: base, speed: 0.9}
        ---
        kind: Model
        name: smart
        spec: {provider: openai, model: gpt-4o, systemPrompt: Be kind., tools: [{type: endCall}]}
        ---
        kind: Transcriber
        name: ears
        spec: {provider: deepgram, model: nova-2}
        ---
        kind: Server
        name: hook
        spec: {url: "https://hook.example", credentialId: cred}
        ---
        kind: Credential
        name: cred
        spec: {provider: openai, apiKey: "${secret:K}"}
        """,
    )
