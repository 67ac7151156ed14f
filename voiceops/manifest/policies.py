"""The team's rules from `policies/*.yaml`, or wherever `policies:` of the project points; a document a rule.

Expressions are compiled here, so that a wrong one is named with its place before anything is planned.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from voiceops.engine.review.policy import ACTIONS, LEAVING, BadExpression, Expression, Policy, compiled
from voiceops.errors import InvalidProject, Mark
from voiceops.kinds.registry import KINDS
from voiceops.manifest.documents import files
from voiceops.manifest.files import FileProblem, display, load
from voiceops.manifest.problems import Problems, did_you_mean
from voiceops.manifest.project import Project
from voiceops.manifest.schema_check import Checker
from voiceops.manifest.strict_yaml import read_documents
from voiceops.model.located import Map, Seq

DEFAULT = "policies"


def read_policies(project: Project, problems: Problems) -> tuple[Policy, ...]:
    """Every rule of the project, in the order of files; problems are collected."""
    patterns = project.policies
    if patterns is None:
        patterns = (DEFAULT,) if (project.root / DEFAULT).is_dir() else ()
    reader = _Reader(project.root, problems)
    for path in files(project.root, patterns, problems, "policies"):
        reader.read(path)
    return tuple(reader.found.values())


@dataclass(slots=True)
class _Reader:
    root: Path
    problems: Problems
    found: dict[str, Policy]
    without_library: bool

    def __init__(self, root: Path, problems: Problems) -> None:
        self.root, self.problems = root, problems
        self.found, self.without_library = {}, False

    def read(self, path: Path) -> None:
        file = display(self.root, path)
        try:
            documents = read_documents(load(self.root, path), file)
        except FileProblem as problem:
            self.problems.error("file", str(problem), Mark(file, 1, 1))
            return
        except InvalidProject as error:
            self.problems.extend(error.diagnostics)
            return
        for value, mark in documents:
            rules = zip(value, value.marks, strict=True) if isinstance(value, Seq) else [(value, mark)]
            for rule, at in rules:
                self._rule(rule, at)

    def _rule(self, value: Any, mark: Mark) -> None:
        if not isinstance(value, Map):
            self.problems.error("schema-type", "a rule must be a map with id and message", mark)
            return
        before = len(self.problems.all)
        Checker(self.problems, source="project").check({"type": "object", "of": "PolicyRule"}, value, mark)
        match = value.get("match") or Map()
        if not isinstance(match, Map) or len(self.problems.all) > before:
            return
        self._check_words(match, "kinds", list(KINDS))
        self._check_words(match, "actions", list(ACTIONS))
        at = value.marks["id"]
        if value["id"] in self.found:
            self.problems.error("policy-twice", f"{value['id']} stands already at {self.found[value['id']].mark}", at)
            return
        if not any(key in value for key in ("match", "when", "require")):
            self.problems.error(
                "policy-empty", "this rule would break on every change", at, "Add match, when or require."
            )
            return
        self.found[value["id"]] = Policy(
            id=value["id"],
            message=value["message"],
            mark=at,
            severity=value.get("severity", "error"),
            hint=value.get("hint", ""),
            kinds=tuple(match.get("kinds", ())),
            addresses=tuple(match.get("addresses", ())),
            actions=tuple(match.get("actions", LEAVING)),
            environments=tuple(match.get("environments", ())),
            when=self._expression(value, "when"),
            require=self._expression(value, "require"),
        )

    def _check_words(self, match: Map, key: str, known: list[str]) -> None:
        words = match.get(key)
        for word, at in zip(words, words.marks, strict=True) if isinstance(words, Seq) else ():
            if word not in known:
                hint = did_you_mean(word, known) or f"Known are {', '.join(known)}."
                self.problems.error("policy-match", f"there is no {key[:-1]} {word!r}", at, hint)

    def _expression(self, value: Map, key: str) -> Expression | None:
        if key not in value:
            return None
        text, at = value[key], value.marks[key]
        try:
            return Expression(text, at, compiled(text))
        except BadExpression as error:
            self.problems.error("policy-expression", f"this is no CEL expression: {error}", at)
        except ImportError:
            if not self.without_library:
                hint = 'Install it: pip install "voiceops-iac[policy]".'
                self.problems.error("policy-library", "rules need the package common-expression-language", at, hint)
            self.without_library = True
        return None
