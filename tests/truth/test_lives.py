"""What a plan lists is what an apply changes, and nothing else: over whole lives of objects.

A life is a manifest out of the schema's facts, changed again and again, while somebody edits the live objects on a
dashboard. Each apply runs against the sandbox; what the API shows before and after is compared with the plan's
paths, field by field. `VOICEOPS_LIVES` says how many lives are lived (2,000 for a full run), `VOICEOPS_LIFE` which
one alone.
"""

from __future__ import annotations

import copy
import json
import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.bench import Bench, bench
from tests.truth.values import MISSING, Values
from voiceops.kinds.nodes import body_node, field_of, items_of, select
from voiceops.kinds.registry import KINDS
from voiceops.kinds.schema import root, type_of
from voiceops.model.values import ABSENT, format_path, get_path, parse_path, set_path
from voiceops.net.trust import trust

LIVES = int(os.environ.get("VOICEOPS_LIVES", "24"))
BATCH = 12
ROUNDS = 4
HIDDEN = ("(sensitive)", "(sensitive, not checked)", "(known after apply)")
STAMPS = {"id", "orgId", "createdAt", "updatedAt", "latestVersion", "modelDeprecations"}
# References to what is not there, a number of one's own, and a key that the sandbox's noise also uses.
NEVER = (
    "assistantIds",
    "knowledgeBaseId",
    "assistantId",
    "squadId",
    "number",
    "numberDesiredAreaCode",
    "workflowId",
    "workflowIds",
)
# What every life is about, and how often.
SUBJECTS = ("Agent", "Agent", "Agent", "Agent", "Tool", "Squad", "Phone", "StructuredOutput", "Scenario", "Eval")
SWITCHES: tuple[dict[str, Any], ...] = (
    {},
    {"normalise": True},
    {"cleared": "omit"},
    {"adversarial": True},
)


@pytest.mark.parametrize("batch", range(-(-LIVES // BATCH)))
def test_every_change_was_listed_and_every_listed_field_changed(tmp_path: Path, batch: int) -> None:
    one = os.environ.get("VOICEOPS_LIFE")
    seeds = [int(one)] if one else range(batch * BATCH, min(LIVES, (batch + 1) * BATCH))
    with bench(tmp_path, **SWITCHES[batch % len(SWITCHES)]) as made:
        for seed in seeds:
            Life(made, seed).live()


class Life:
    """One object, or a few of a kind, from the first manifest to the last."""

    def __init__(self, made: Bench, seed: int) -> None:
        self.made = made
        self.seed = seed
        self.random = random.Random(seed)
        self.values = Values(seed)
        self.kind = KINDS[self.random.choice(SUBJECTS)]
        self.name = f"life-{seed}"
        self.address = f"{self.kind.name}/{self.name}"
        self.ignore: list[str] = []
        self.story: list[str] = []
        self._http = httpx.Client(verify=trust(made.server.vapi_url))

    def live(self) -> None:
        with self._http:
            self._live()

    def _live(self) -> None:
        spec = self._valid(self._new())
        if spec is None:
            return
        self._apply(spec, "made")
        for _ in range(ROUNDS):
            if self.random.random() < 0.7:
                self._edit_live()
            if self.random.random() < 0.15:
                self.made.run("state", "rm", self.address)
                self.story.append("forgotten, then adopted")
                spec = self._valid(spec) or spec
                self._apply(spec, "adopted", "--adopt")
            elif self.random.random() < 0.2 and len(self.story) > 2:
                self._rollback()
            else:
                changed = self._valid(self._changed(spec))
                spec = changed if changed is not None else spec
                self._apply(spec, "changed")
        self._remove()

    # manifests

    def _new(self) -> dict[str, Any]:
        share = 0.2 if self.kind.name == "Agent" else 0.5
        spec: dict[str, Any] = {}
        node = root(self.kind.name)
        if node["type"] == "union":
            choice = "vapi" if self.kind.name == "Phone" else self.random.choice(sorted(node["variants"]))
            spec = {node["by"]: choice}
        name = select(node, spec)
        assert name is not None
        found = self.values.typed(name, 0, spec, share)
        spec = found if found is not MISSING else spec
        if self.kind.name == "Squad":
            members = [{"assistant": self.values.typed("CreateAssistantDTO", 1)} for _ in range(2)]
            for index, member in enumerate(members):
                member["assistant"] = {**member["assistant"], "name": f"m{index}"}
            spec["members"] = members
        if self.kind.named:
            spec["name"] = self.name
        elif self.kind.name == "Tool" and spec.get("type") in ("function", "apiRequest", "code"):
            spec["function"] = {"name": self.name.replace("-", "_")}
        for key in NEVER:
            spec.pop(key, None)
        return spec

    def _changed(self, spec: dict[str, Any]) -> dict[str, Any]:
        """Another version of the manifest: fields come, go, change, and lists are shuffled."""
        spec = copy.deepcopy(spec)
        name = select(root(self.kind.name), spec)
        assert name is not None
        fields = type_of(name)["fields"]
        fixed = {
            "name",
            "workflowIds",
            "workflowId",
            "assistantIds",
            "numberDesiredAreaCode",
            *type_of(name)["required"],
            *self.kind.immutable,
            "function",
        }
        for _ in range(self.random.randint(1, 3)):
            roll = self.random.random()
            keys = [key for key in spec if key in fields and key not in fixed]
            if roll < 0.3:
                key = self.random.choice(sorted(fields))
                made = self.values.value(fields[key], 1)
                if key not in fixed and not fields[key].get("deprecated") and made is not MISSING:
                    spec[key] = made
            elif roll < 0.45 and keys:
                spec.pop(self.random.choice(keys))
            elif roll < 0.55 and keys:
                spec[self.random.choice(keys)] = None
            elif keys:
                self._mutate(spec, self.random.choice(keys), fields)
        return spec

    def _mutate(self, spec: dict[str, Any], key: str, fields: dict[str, Any]) -> None:
        """A small change somewhere inside one field."""
        value = spec[key]
        if isinstance(value, list) and len(value) > 1 and self.random.random() < 0.4:
            self.random.shuffle(value)
        elif isinstance(value, list) and value and self.random.random() < 0.5:
            value.append(copy.deepcopy(self.random.choice(value)))
        elif (added := self.values.extra(fields[key], value)) is not None:
            set_path(value, tuple(added[0]), added[1])
        elif (made := self.values.value(fields[key], 1)) is not MISSING:
            spec[key] = made

    def _valid(self, spec: dict[str, Any]) -> dict[str, Any] | None:
        """The manifest without the top-level fields that `validate` refuses: they are other tests' matter."""
        spec = copy.deepcopy(spec)
        if not str(spec.get("sipUri", self.name)).startswith(self.name):  # what an earlier life left has its own
            spec["sipUri"] = f"{self.name}-{spec['sipUri']}"
        for _ in range(8):
            self._write(spec)
            ran = self.made.run("validate", "--format", "json", code=None)
            errors = [d for d in json.loads(ran.out or "{}").get("diagnostics", []) if d["severity"] == "error"]
            if not errors:
                return spec
            keys = {key for d in errors for key in spec if f"spec.{key}" in f"{d.get('path', '')} {d.get('file', '')}"}
            keys = keys or {self.random.choice(sorted(spec))}
            for key in keys:
                spec.pop(key, None)
            if self.kind.named:
                spec["name"] = self.name
        self._remove_manifest()
        return None

    def _write(self, spec: dict[str, Any]) -> None:
        document: dict[str, Any] = {"kind": self.kind.name, "name": self.name, "spec": spec, "allowUnknown": True}
        if self.ignore:
            document["lifecycle"] = {"ignoreChanges": self.ignore}
        self.made.write(f"agents/{self.name}.yaml", json.dumps(document))

    def _remove_manifest(self) -> None:
        self.made.remove(f"agents/{self.name}.yaml")

    def _remove(self) -> None:
        self._remove_manifest()
        self._run("gone", "apply", "--auto-approve", "--force")

    # the dashboard

    def _edit_live(self) -> None:
        """Somebody adds a field beside ours, moves items, or edits one of ours."""
        live = self._shown().get(self.made.id_of(self.address), {})
        name = select(root(self.kind.name), live)
        if name is None:
            return
        fields = type_of(name)["fields"]
        keys = [key for key in live if key in fields and key not in ("name", "members") and live[key] is not None]
        roll, body = self.random.random(), {}
        if roll < 0.5 and keys:
            key = self.random.choice(keys)
            value = copy.deepcopy(live[key])
            if (added := self.values.extra(fields[key], value)) is not None:
                set_path(value, tuple(added[0]), added[1])
                body = {key: value}
        elif roll < 0.7:
            key = self.random.choice(sorted(fields))
            made = self.values.value(fields[key], 1)
            if made is not MISSING and key not in ("name", "members", "function", "type", "provider", "number"):
                body = {key: made}
        elif keys:
            key = self.random.choice(keys)
            value = copy.deepcopy(live[key])
            if isinstance(value, list) and len(value) > 1:
                self.random.shuffle(value)
                body = {key: value}
        if not body or self.kind.immutable & set(body):
            return
        path = f"{self.kind.path}/{self.made.id_of(self.address)}"
        answer = self._http.patch(self.made.server.vapi_url + path, json=body, headers=self._key())
        self.story.append(f"edited live ({answer.status_code}): {json.dumps(body)[:300]}")

    def _key(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.made.server.api_key}"}

    def _shown(self) -> dict[str, dict[str, Any]]:
        """Every object of the kind as the API shows it now."""
        answer = self._http.get(self.made.server.vapi_url + self.kind.path, params={"limit": 1000}, headers=self._key())
        data = answer.json()
        return {item["id"]: item for item in (data if isinstance(data, list) else data["results"])}

    # what is checked

    def _apply(self, spec: dict[str, Any], what: str, *flags: str) -> None:
        self.story.append(f"{what}: {json.dumps(spec)[:2000]}")
        self._run(what, "apply", "--auto-approve", "--force", *flags)

    def _rollback(self) -> None:
        self.story.append("rolled back")
        self._run("rolled back", "rollback", "--auto-approve", "--force")
        again = self.made.run("apply", "--auto-approve", "--release-hold", "--force", "--adopt", code=None)
        assert again.code == 0, self._told("taken back", f"exit {again.code}\n{again.out}\n{again.err}")

    def _run(self, what: str, *command: str) -> None:
        before = self._shown()
        is_rollback = command[0] == "rollback"
        planned = self.made.run(
            *(("rollback", "--plan-only") if is_rollback else ("plan",)),
            "--format",
            "json",
            *(flag for flag in command if flag == "--adopt"),
            code=None,
        )
        if is_rollback and planned.code == 1:
            return None
        assert planned.out.startswith("{"), self._told(what, f"no plan: {planned.out}\n{planned.err}")
        plan = json.loads(planned.out)
        ran = self.made.run(*command, code=None)
        if ran.code == 5 and "refuses to take it back" in ran.err + ran.out:
            self.story.append("not writable: planned again")
            assert self._shown() == before, self._told(what, "an apply that was refused changed something")
            return self._run(what, *command)
        assert ran.code == 0, self._told(what, f"exit {ran.code}\n{ran.out}\n{ran.err}")
        after = self._shown()
        self._compare(what, plan, before, after)
        if not is_rollback:
            left = self.made.plan()
            active = [c for c in left["resource_changes"] if c["change"]["actions"] != ["no-op"] or c.get("state_only")]
            assert not active, self._told(what, f"left to do after it: {json.dumps(active)[:3000]}")
        return None

    def _compare(self, what: str, plan: dict[str, Any], before: dict[str, Any], after: dict[str, Any]) -> None:
        listed = {
            c["id"]: c["change"]
            for c in plan["resource_changes"]
            if c["change"]["actions"] == ["update"] and c["type"] == self.kind.type
        }
        replaced = {
            c["id"]
            for c in plan["resource_changes"]
            if len(c["change"]["actions"]) == 2 or c["change"]["actions"] == ["delete"]
        }
        for id_ in before.keys() & after.keys():
            paths = [parse_path(p["path"]) for p in listed.get(id_, {}).get("paths", [])]
            for path, old, new in differences(before[id_], after[id_], ()):
                if STAMPS & set(path) or (old is None and self._is_default(path, after[id_], new)):
                    continue
                covered = any(path[: len(p)] == p for p in paths)
                assert covered, self._told(what, f"{format_path(path)} was not listed: {old!r} became {new!r}")
            for p in listed.get(id_, {}).get("paths", []):
                self._check_listed(what, p, before[id_], after[id_])
        for id_ in before.keys() - after.keys():
            assert id_ in replaced, self._told(what, f"{id_} is gone, which no plan said")

    def _is_default(self, path: tuple[Any, ...], whole: Any, value: Any) -> bool:
        """Did the server fill this in by itself, in a part that got another type? What nobody set, no plan lists."""
        node, part = body_node(self.kind), whole
        for key in path:
            node, part = (field_of(node, key, part) if isinstance(key, str) else items_of(node)), part[key]
        return node is not None and "default" in node and bool(node["default"] == value)

    def _check_listed(self, what: str, listed: dict[str, Any], before: Any, after: Any) -> None:
        path = parse_path(listed["path"])
        for side, whole, said in (("before", before, listed["before"]), ("after", after, listed["after"])):
            is_ = get_path(whole, path)
            is_ = None if is_ is ABSENT else is_
            if "sensitive" in json.dumps(said) or "known after" in json.dumps(said):
                continue
            found = list(differences(said, is_, path))
            if side == "after":  # what the server adds by itself is never listed
                found = [d for d in found if d[1] is not None]
            found = [d for d in found if d[0][-1] not in STAMPS]
            assert not found, self._told(what, f"{listed['path']}, {side}: said {said!r}, is {is_!r}")

    def _told(self, what: str, problem: str) -> str:
        story = "\n  ".join(self.story)
        return f"life {self.seed} ({self.address}), {what}: {problem}\nIts story:\n  {story}"


def differences(before: Any, after: Any, path: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], Any, Any]]:
    """Every leaf that differs; null and absent are one."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in {**before, **after}:
            yield from differences(before.get(key), after.get(key), (*path, key))
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from differences(old, new, (*path, index))
    elif before != after or isinstance(before, bool) is not isinstance(after, bool):
        yield path, before, after
