"""The whole way from a project's files to the desired graph, in the order the user's guide gives:

load · environment's patch · defaults · patches · forEach · ${…} · parts by name · names to ids · schema.

Every problem on the way is collected; nothing here opens a network connection.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from voiceops.errors import Mark
from voiceops.kinds.registry import ALL, KINDS, LINES, PARTS
from voiceops.kinds.schema import root, using
from voiceops.kinds.twilio import TWILIO_SETTINGS, TWILIO_TYPE
from voiceops.manifest import vendor_bodies
from voiceops.manifest.budgets import Budget
from voiceops.manifest.documents import Document, instances, read_manifests
from voiceops.manifest.graph_checks import check_graph
from voiceops.manifest.handlers import check_handler
from voiceops.manifest.interpolate import Interpolator
from voiceops.manifest.plain_secrets import KnownSecrets, check_secrets
from voiceops.manifest.problems import Problems, did_you_mean
from voiceops.manifest.project import Project
from voiceops.manifest.resolve import RUNTIME_CREDENTIAL, Index, Resolver, inline_names
from voiceops.manifest.schema_check import Checker
from voiceops.manifest.tool_mocks import check_mocks, name_mocked_tools
from voiceops.manifest.uploads import shape_upload
from voiceops.model.address import twilio_side
from voiceops.model.graph import External, Graph, Resource
from voiceops.model.located import Map, Seq, merged, plain
from voiceops.model.values import Outside, Path, Ref, Template, leaves, map_leaves, parse_path, refs_in

_TESTED = {"agent": "Agent", "squad": "Squad"}  # what an Eval says whom it is run against by


def load_graph(
    project: Project, environ: Mapping[str, str], problems: Problems, known: KnownSecrets | None = None
) -> Graph:
    """The desired graph of the project's environment. Raises InvalidProject when anything is wrong.

    `known` learns the secrets that the manifests ask for.
    """
    with using(project.facts):
        return _graph(project, environ, problems, known or KnownSecrets(environ))


def _graph(project: Project, environ: Mapping[str, str], problems: Problems, known: KnownSecrets) -> Graph:
    documents = read_manifests(project.root, project.manifests, ALL, problems, project.manifest_marks)
    here, excluded = _by_environment(project, documents, problems)
    here = _with_defaults(project, here, problems)
    here = _patched(project, here, problems)
    texts: dict[Mark, Mark] = {}
    found = _instances(project, here, environ, problems, known, texts)
    if project.preview:
        found = _without_lines(found, excluded)
    index = _index(project, found, excluded)
    builder = _Builder(project, index, problems)
    graph = builder.build()
    problems.raise_errors()
    check_graph(graph, builder.lines, problems)
    check_mocks(graph, problems)
    check_secrets(graph, known, problems)
    problems.raise_errors()
    return replace(graph, texts=texts, left_out=frozenset(excluded))


def _by_environment(
    project: Project, documents: list[Document], problems: Problems
) -> tuple[list[Document], dict[str, Document]]:
    here, excluded = [], {}
    for document in documents:
        wanted = document.environments
        for name in wanted or ():
            if not any(fnmatch.fnmatch(name, known) or fnmatch.fnmatch(known, name) for known in project.environments):
                problems.error(
                    "environment-unknown",
                    f"the project has no environment {name!r}",
                    document.mark,
                    did_you_mean(name, project.environments),
                    document.family,
                )
        if wanted is None or any(fnmatch.fnmatch(project.made_of, name) for name in wanted):
            here.append(document)
        else:
            excluded[document.family] = document
    return here, excluded


def _with_defaults(project: Project, documents: list[Document], problems: Problems) -> list[Document]:
    for kind in project.defaults:
        if kind not in ALL:
            problems.error(
                "kind-unknown",
                f"there is no kind {kind!r}",
                project.defaults.marks[kind],
                did_you_mean(kind, ALL),
            )
    return [
        replace(document, spec=merged(project.defaults[document.kind], document.spec, keep_null=True))
        if isinstance(project.defaults.get(document.kind), Map)
        else document
        for document in documents
    ]


def _patched(project: Project, documents: list[Document], problems: Problems) -> list[Document]:
    """Patches on whole manifests; those on one instance (`Kind/name[key]`) wait until it exists."""
    result = list(documents)
    for patch in _patches(project, of_instances=False):
        matched = False
        for position, document in enumerate(result):
            if fnmatch.fnmatchcase(document.family, patch["target"]):
                matched = True
                if not _changes_an_external(document, patch, problems):
                    result[position] = _with_patch(document, patch)
        if not matched:
            _no_target(patch, [d.family for d in documents], problems)
    for patch in (*_patches(project, of_instances=False), *_patches(project, of_instances=True)):
        if "merge" not in patch and "lifecycle" not in patch:
            problems.error("patch-empty", "the patch changes nothing", patch.marks["target"], "Give it merge: {…}.")
    return result


def _patches(project: Project, *, of_instances: bool) -> list[Map]:
    found = [p for p in project.patches if isinstance(p, Map) and isinstance(p.get("target"), str)]
    return [patch for patch in found if ("[" in patch["target"]) is of_instances]


def _with_patch(document: Document, patch: Map) -> Document:
    """`merge` goes into the spec, `lifecycle` into the manifest's own."""
    merge, lifecycle = patch.get("merge"), patch.get("lifecycle")
    if isinstance(merge, Map):
        document = replace(document, spec=merged(document.spec, merge))
    if isinstance(lifecycle, Map):
        document = replace(document, lifecycle=merged(document.lifecycle, lifecycle))
    return document


def _changes_an_external(document: Document, patch: Map, problems: Problems) -> bool:
    """Nothing of a manifest is there to be patched where somebody else manages the object."""
    if document.external is not None and "*" not in patch["target"]:
        problems.error(
            "external",
            f"{document.address} is external: there is nothing of it to patch",
            patch.marks["target"],
            "Take the patch out.",
            document.address,
        )
    return document.external is not None


def _no_target(patch: Map, known: list[str], problems: Problems) -> None:
    problems.error(
        "patch-target",
        f"the patch's target {patch['target']} matches nothing",
        patch.marks["target"],
        did_you_mean(patch["target"], known),
    )


def _instances(
    project: Project,
    documents: list[Document],
    environ: Mapping[str, str],
    problems: Problems,
    known: KnownSecrets,
    texts: dict[Mark, Mark],
) -> list[Document]:
    found: list[Document] = []
    patches = _patches(project, of_instances=True)
    used: set[int] = set()
    budget = Budget()
    for document in documents:

        def interpolator(document: Document = document) -> Interpolator:
            return Interpolator(
                root=project.root,
                variables=project.variables,
                environ=environ,
                problems=problems,
                each=document.each,
                folder=document.folder,
                runtime_url=project.runtime_url,
                address=document.address,
                budget=budget,
                known=known,
                texts=texts,
            )

        for instance in instances(document, interpolator(), problems):
            for number, patch in enumerate(patches):
                if patch["target"] == instance.address:
                    used.add(number)
                    if not _changes_an_external(instance, patch, problems):
                        instance = _with_patch(instance, patch)
            own = interpolator(instance)
            labels = {key: str(own.apply(text, instance.mark)) for key, text in instance.labels.items()}
            external = None if instance.external is None else own.apply(instance.external, instance.mark)
            spec = own.apply(instance.spec, instance.spec_mark)
            if spec is not instance.spec or labels or external is not None:
                instance = replace(instance, spec=spec, labels=labels, external=external)
            found.append(instance)
    for number, patch in enumerate(patches):
        if number not in used:
            _no_target(patch, [d.address for d in found], problems)
    if budget.told:
        problems.raise_errors()  # to look at what is too much would take as long as to make it
    return found


def _without_lines(documents: list[Document], excluded: dict[str, Document]) -> list[Document]:
    """A preview answers nobody's phone: the manifests' lines are left out, once their patches have found them."""
    lines = {document.family: document for document in documents if document.kind in LINES}
    excluded |= lines
    return [document for document in documents if document.family not in lines]


def _index(project: Project, documents: list[Document], excluded: dict[str, Document]) -> Index:
    families: dict[str, list[Document]] = {}
    names = {}
    for document in documents:
        families.setdefault(document.family, []).append(document)
        if document.kind == "Agent":
            said = document.external or document.spec
            given = said.get("name", vendor_bodies.live_name(project, document))
            if isinstance(given, str):  # null: the live one has none
                names[given] = document.address
    return Index({d.address: d for d in documents}, families, excluded, names)


@dataclass(slots=True)
class _Draft:
    """A resource in the making."""

    document: Document
    spec: Map
    line: vendor_bodies.Line | None = None
    upload: str = ""  # the file whose bytes it stands for
    tested: str = ""  # whom an eval is run against: an address, or a live id


class _Builder:
    """Resolves, shapes and checks every document, then puts the graph together."""

    def __init__(self, project: Project, index: Index, problems: Problems) -> None:
        self.project = project
        self.index = index
        self.problems = problems
        self.lines: dict[str, vendor_bodies.Line] = {}
        self.externals: dict[str, External] = {}
        self.forgotten: set[str] = set()
        self._uses_runtime = False
        # Parts whose values a manifest with allowUnknown takes: they may hold what it may hold.
        self._lenient_parts = frozenset(
            document.address
            for document in index.documents.values()
            if document.kind in PARTS and self._allows_unknown(document)
        )

    def build(self) -> Graph:
        drafts = {}
        taken: set[str] = set()
        for document in self.index.documents.values():
            if self._stands_outside(document):
                continue
            if document.kind not in PARTS:
                resolver = self._resolver(document)
                drafts[document.address] = self._draft(document, resolver)
                if self._allows_unknown(document):
                    taken |= resolver.taken
        for document in self.index.documents.values():
            if document.kind in PARTS:
                self._check_part(document, lenient=document.address in taken)
        agents = {a: draft.spec for a, draft in drafts.items() if draft.document.kind == "Agent"}
        for where, draft in drafts.items():
            if agent_list := KINDS[draft.document.kind].agent_list:
                vendor_bodies.link_outputs(agent_list, agents, where, draft.spec)
        self._name_mocked_tools(drafts)
        resources: dict[str, Resource] = {}
        for draft in drafts.values():
            for resource in self._resources(draft):
                resources[resource.address] = resource
        if self._uses_runtime:
            self._add_runtime_credential(resources)
        for resource in resources.values():
            self._check_refs(resource, resources)
        return Graph(self.project.name, self.project.environment, resources, self.externals, frozenset(self.forgotten))

    def _name_mocked_tools(self, drafts: dict[str, _Draft]) -> None:
        tools = {address: draft.spec for address, draft in drafts.items() if draft.document.kind == "Tool"}
        for draft in drafts.values():
            if draft.document.kind == "Scenario":
                draft.spec = name_mocked_tools(draft.document, draft.spec, tools, self.index, self.problems)

    def _stands_outside(self, document: Document) -> bool:
        """Does a manifest ask for no object of its own: one that is somebody else's, or that is let go?"""
        if document.external is not None:
            for by, value in document.external.items():
                if document.kind in KINDS and isinstance(value, str):
                    self.externals[document.address] = External(
                        address=document.address,
                        kind=document.kind,
                        type=KINDS[document.kind].type,
                        by=by,
                        value=value,
                        mark=document.mark,
                    )
            return True
        if document.lifecycle.get("forget") is True and document.kind in KINDS:
            for address in (document.address, *filter(None, [document.moved_from])):
                self.forgotten |= {address, twilio_side(address)}
            return True
        return False

    def _outside(self, body: Any) -> Any:
        """The body with references to others' objects as such: nothing here waits for them or manages them."""
        if not self.externals:
            return body

        def leaf(item: Any) -> Any:
            if isinstance(item, Ref) and item.address in self.externals:
                return Outside(item.address, item.attribute)
            if isinstance(item, Template):
                return Template(tuple(leaf(part) for part in item.parts))
            return item

        return map_leaves(body, leaf)

    def _allows_unknown(self, document: Document) -> bool:
        return document.allow_unknown or self.project.allow_unknown

    def _resolver(self, document: Document) -> Resolver:
        names = inline_names(document.spec) if document.kind == "Squad" else frozenset()
        return Resolver(
            document,
            self.index,
            self.problems,
            self.project.runtime_url,
            inline_names=names,
            allow_unknown=self._allows_unknown(document),
            lenient=self._lenient_parts,
        )

    def _check_part(self, document: Document, *, lenient: bool) -> None:
        resolver = self._resolver(document)
        node = root(document.kind)
        spec = resolver.part(document.kind, document.spec, document.spec_mark)
        if not isinstance(spec, Map):
            return  # names a part that isn't there: said already
        value = resolver.rewrite(node, resolver._model(spec) if document.kind == "Model" else spec, document.spec_mark)
        Checker(
            self.problems,
            document.address,
            allow_unknown=lenient or self._allows_unknown(document),
            partial=True,
            lenient=self._lenient_parts,
        ).check(node, value, document.spec_mark)
        self._check_envelope(document)

    def _draft(self, document: Document, resolver: Resolver) -> _Draft:
        self._check_envelope(document)
        spec, mark = document.spec, document.spec_mark
        if document.kind == "Phone" and spec.get("answer") in (None, "vapi") and vendor_bodies.needs_runtime(spec):
            if self.project.runtime_url is None:
                self._unanswered(document, spec, mark)
            else:
                spec = spec.clone()
                spec.put("server", "runtime", mark)
        line, upload, tested = None, "", ""
        node = root(document.kind, "manifest")
        if document.kind == "Phone":
            # The line's own keys are not Vapi's: the rest is resolved first, then split.
            spec = resolver.rewrite(node, spec, mark)
            line = vendor_bodies.shape_phone(self.project, document, spec, mark, self.problems)
            spec = line.spec
        else:
            if document.kind == "Eval":
                spec, tested = self._tested(spec, resolver)
            spec = resolver.rewrite(node, spec, mark)
        if not isinstance(spec, Map):
            spec = Map()
        kind = KINDS[document.kind]
        if kind.named and ("name" not in spec or (kind.upload and spec["name"] is None)):
            spec = spec.clone()
            name = vendor_bodies.default_name(self.project, document, kind, spec)
            spec.put("name", name, document.mark._replace(path="name"))
        if kind.named and self.project.preview:
            spec = vendor_bodies.named_for_preview(self.project, kind, spec)
        self._uses_runtime |= resolver.uses_runtime
        Checker(
            self.problems,
            document.address,
            allow_unknown=self._allows_unknown(document),
            partial=document.bare,
            lenient=self._lenient_parts,
        ).check(node, spec, mark)
        if kind.upload is not None:
            spec, upload = shape_upload(self.project, document, spec, self.problems)
        if line is not None:
            self.lines[document.address] = line
        return _Draft(document, spec, line, upload, tested)

    def _tested(self, spec: Map, resolver: Resolver) -> tuple[Map, str]:
        """An eval without the keys that say whom it is run against, and who that is: Vapi is told with each run."""
        address, found = resolver.document.address, ""
        named = [(key, kind) for key, kind in _TESTED.items() if key in spec]
        if named:
            spec = spec.clone()
        for key, kind in named:
            item, mark = spec.take(key)
            if not isinstance(item, (str, Ref)) or not item:
                self.problems.error("schema-type", f"{key} takes one name", mark, address=address)
                continue
            if found:
                self.problems.error("eval-target", "agent and squad exclude each other", mark, address=address)
            said = resolver.reference(kind, item, mark)
            found = said.address if isinstance(said, Ref) else str(said)
        return spec, found

    def _unanswered(self, document: Document, spec: Map, mark: Mark) -> None:
        """A line whose incoming calls nothing here takes: often meant, so it is no error."""
        else_ = spec.get("fallbackDestination") is not None
        self.problems.warning(
            "phone-target",
            "every call on this line goes to its fallbackDestination" if else_ else "nobody answers this line",
            mark,
            "Name an agent or a squad, or set runtime.url so that Vapi can ask the runtime; "
            "answer: none says that the line is for outgoing calls.",
            document.address,
        )

    def _check_envelope(self, document: Document) -> None:
        if document.handler is not None and document.handler_mark is not None and isinstance(document.handler, str):
            check_handler(self.project, document.handler, document.handler_mark, document.address, self.problems)

    def _resources(self, draft: _Draft) -> list[Resource]:
        document = draft.document
        kind = KINDS[document.kind]
        sources: dict[Path, Mark] = {}
        body = self._outside(plain(draft.spec, sources))
        lifecycle = document.lifecycle
        line = draft.line
        vapi = Resource(
            address=document.address,
            kind=document.kind,
            type=kind.type,
            name=kind.name_of(body),
            body=body,
            mark=document.mark,
            sources=sources,
            labels=document.labels,
            # A preview is there to go again, and everything in it is its own.
            prevent_destroy=lifecycle.get("preventDestroy") is True and not self.project.preview,
            adopt=lifecycle.get("adopt") is True and not self.project.preview,
            ignore=self._ignored(document, sources),
            moved_from=document.moved_from,
            release=line.release if line else False,
            handler=document.handler,
            extra=document.extra
            | ({"answer": "none"} if line and line.answer == "none" else {})
            | ({"tests": draft.tested} if draft.tested else {}),
            allows=self._allows(document),
            upload=draft.upload,
            routes=self._routes(line, document),
        )
        if line is None or line.twilio is None:
            return [vapi]
        settings_sources: dict[Path, Mark] = {}
        settings = plain(line.twilio, settings_sources)
        number = body.get("number")
        twilio = replace(
            vapi,
            address=twilio_side(document.address),
            type=TWILIO_TYPE,
            sources=settings_sources,
            name=number if isinstance(number, str) else None,
            body=settings,
            ignore=_ignored_settings(document),
            routes=(document.address,),
            purchase=line.purchase,
            moved_from=twilio_side(vapi.moved_from) if vapi.moved_from else None,
        )
        return [vapi, twilio]

    def _allows(self, document: Document) -> tuple[str, ...]:
        """Where in this resource unknown keys and values may stand, as starts of marks' paths."""
        if self._allows_unknown(document):
            return ("",)
        return tuple(f"{part}:" for part in sorted(self._lenient_parts))

    def _routes(self, line: vendor_bodies.Line | None, document: Document) -> tuple[str, ...]:
        if line is None or line.answer != "runtime" or not line.target:
            return ()
        if line.target in self.externals:
            self.problems.error(
                "external",
                f"answer: runtime needs an agent of this project, and {line.target} is external",
                document.spec_mark,
                "Let Vapi answer the line, or manage the agent here.",
                document.address,
            )
            return ()
        return (line.target,)

    def _ignored(self, document: Document, sources: dict[Path, Mark]) -> tuple[Path, ...]:
        """`ignoreChanges` as paths of the body: a manifest's path finds what it became."""
        found: list[Path] = []
        given = document.lifecycle.get("ignoreChanges")
        for text, mark in zip(given, given.marks, strict=True) if isinstance(given, Seq) else ():
            if not isinstance(text, str):
                continue
            became = [p for p, m in sources.items() if m.path == text or m.path.endswith(f":{text}")]
            if text.startswith("spec.") and became:
                found += [path for path in became if not any(path[: len(o)] == o for o in became if o != path)]
                continue
            try:
                found.append(parse_path(text.removeprefix("spec.")))
            except ValueError:
                self.problems.error("path", f"{text!r} is no path", mark, address=document.address)
        return tuple(found)

    def _add_runtime_credential(self, resources: dict[str, Resource]) -> None:
        if RUNTIME_CREDENTIAL in resources:
            self.problems.error(
                "runtime-credential",
                f"{RUNTIME_CREDENTIAL} is voiceops's own",
                resources[RUNTIME_CREDENTIAL].mark,
                "Give your credential another name.",
            )
            return
        sources: dict[Path, Mark] = {}
        at = Mark("voiceops.yaml", 1, 1, "runtime")
        body = plain(vendor_bodies.runtime_credential(self.project, at), sources)
        resources[RUNTIME_CREDENTIAL] = Resource(
            address=RUNTIME_CREDENTIAL,
            kind="Credential",
            type=KINDS["Credential"].type,
            name=body["name"],
            body=body,
            mark=at,
            sources=sources,
        )

    def _check_refs(self, resource: Resource, resources: dict[str, Resource]) -> None:
        """`${ref:}` may stand anywhere: what it names must exist."""
        missing = any(ref.address not in resources for ref in refs_in(resource.body))
        for path, leaf in leaves(resource.body) if missing else ():
            refs = [leaf] if isinstance(leaf, Ref) else [p for p in getattr(leaf, "parts", ()) if isinstance(p, Ref)]
            for ref in refs:
                if ref.address not in resources:
                    gone = ref.address in self.forgotten
                    self.problems.error(
                        "reference",
                        f"{ref.address} is let go here (lifecycle.forget)" if gone else f"there is no {ref.address}",
                        resource.source_of(path),
                        "Write external: in its manifest when that is applied, or take the reference out."
                        if gone
                        else did_you_mean(ref.address, resources),
                        resource.address,
                    )


def _ignored_settings(document: Document) -> tuple[Path, ...]:
    """`ignoreChanges` as fields of the Twilio number: of those that a manifest's `twilio:` may set."""
    given = document.lifecycle.get("ignoreChanges")
    texts = [str(text).removeprefix("spec.") for text in given] if isinstance(given, Seq) else []
    return tuple(
        (field,)
        for key, field in TWILIO_SETTINGS.items()
        if any(text in ("twilio", f"twilio.{key}", field) for text in texts)
    )
