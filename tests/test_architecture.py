"""What the house keeps to, read from its source. A number here only goes down: whoever lowers it writes the new one.

Every failure says what to do. Nothing of voiceops is imported but where its imports are what is measured.
"""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import pytest

from tests.support.source import ROOT, Function, circles, imports, sources

LONGEST = 60  # lines of a function
BRANCHES = 15  # McCabe's complexity
UNREAD = 0  # functions beyond one of these that don't say why

# Comments that silence a checker.
ESCAPES = {"type: ignore": 8, "noqa": 2, "pragma: no cover": 0}

# Modules that reach each other by imports, those for types alone included.
IN_CIRCLES = 0

# Imports of ours inside a function. A command has one, so that `--help` needs nothing that the command needs.
INSIDE = {"": 2, "cli": 16, "runtime": 7, "sandbox": 1, "state": 6, "use": 3}
MORE_THAN_ONE_INSIDE = 0  # modules of cli/commands

# Imports under TYPE_CHECKING: where types alone would make a circle, the cut is in the wrong place.
FOR_TYPES = {"cli": 1, "runtime": 1, "sandbox": 1}

# Event loops that are started, by module.
LOOPS = {
    "voiceops/cli/terminal/loop.py": 1,
    "voiceops/sandbox/server.py": 2,  # in a thread of its own, and as a command
    "tests/runtime/http/test_bounds.py": 1,  # beside the server's, to see how long that one stops
    "tests/state/rival.py": 1,  # another process
}

SILENT = 0  # public functions without a docstring
RAISES_UNSAID = 1  # public functions that raise, and whose docstring says nothing of it

# Modules' own values that a test replaces. What a test has to change is given to the part when it is made.
PATCHED = 4

# File names that stand in several packages, and why each is the name that one looks for.
TWICE = {
    "body.py": "a body that is compared, and a request's",
    "call.py": "the command, and what a handler knows of its call",
    "diff.py": "the command and what it shows",
    "doctor.py": "the command and its use case",
    "files.py": "files that are read, and Vapi's collection of files",
    "graph.py": "the command and what it shows",
    "handlers.py": "the lints of handlers, and how they are named",
    "history.py": "the command and how it looks",
    "keys.py": "lints of API keys, and keys of events",
    "numbers.py": "Twilio's numbers, set and answered",
    "options.py": "flags, and a plan's options",
    "plan.py": "the command and the plan",
    "postgres.py": "the runtime's store and the state's",
    "references.py": "of a plan, and those that the sandbox checks",
    "schema.py": "the command and the facts",
    "settings.py": "the runtime's, and lints'",
    "state.py": "the command and the state",
    "store.py": "the sandbox's and the state's",
    "twilio.py": "the vendor: its kind, called, and played",
    "vapi.py": "the vendor, called and played",
}

# Folders of tests that are about the whole: texts and helpers of tests, and what several packages keep together.
BESIDE = {"cases", "contributing", "golden", "security", "support", "truth"}

# Class names that several modules have: each is another thing under one word.
ONE_NAME = 26

# What `--version` and `plan --help` have no use for.
HEAVY = {
    "boto3",
    "cryptography",
    "deepdiff",
    "httpx",
    "jinja2",
    "jsonschema",
    "jsonschema_rs",
    "msgspec",
    "opentelemetry",
    "psycopg",
    "starlette",
    "uvicorn",
    "uvloop",
    "yaml",
}


def held(found: Mapping[str, int], allowed: Mapping[str, int], more: str) -> None:
    """Every number is the one that is written here: none grew, and one that fell is written down, so that it stays."""
    both = {name: (found.get(name, 0), allowed.get(name, 0)) for name in {**found, **allowed}}
    worse = {name: f"{count}, at most {most}" for name, (count, most) in both.items() if count > most}
    assert not worse, f"{more}: {worse}"
    better = {name: count for name, (count, most) in both.items() if count < most}
    assert not better, f"fewer than before: write the new numbers into this file: {better}"


def counted(found: Sequence[object], allowed: int, more: str) -> None:
    """The same of one number, with what it counts."""
    held({"": len(found)}, {"": allowed}, f"{more}, {found}")


def public(folder: str = "voiceops") -> Iterator[tuple[str, str, Function]]:
    """Public functions: file, name, function.

    Without the methods that a protocol, or the class that they override one of, describes once for all, and without
    lints, which have a title.
    """
    said, overrides = _said_by_protocols(), _overrides()
    for source in sources(folder).values():
        for name, function, is_public in source.functions():
            of_protocol = "." in name and (function.name in said or (source.module, name) in overrides)
            lint = any("lint(" in ast.unparse(decorator) for decorator in function.decorator_list)
            if is_public and not of_protocol and not lint:
                yield source.name, name, function


def _said_by_protocols() -> set[str]:
    return {
        item.name
        for source in sources().values()
        for node in ast.walk(source.tree)
        if isinstance(node, ast.ClassDef) and any("Protocol" in ast.unparse(base) for base in node.bases)
        for item in node.body
        if isinstance(item, Function) and ast.get_docstring(item)
    }


def _overrides() -> set[tuple[str, str]]:
    """The methods (module, `Class.method`) that override one of a class of ours which says what it means."""
    classes = [
        (source.module, node)
        for source in sources().values()
        for node in ast.walk(source.tree)
        if isinstance(node, ast.ClassDef)
    ]
    told = {
        (node.name, item.name)
        for _, node in classes
        for item in node.body
        if isinstance(item, Function) and ast.get_docstring(item)
    }
    return {
        (module, f"{node.name}.{item.name}")
        for module, node in classes
        for item in node.body
        if isinstance(item, Function) and any((ast.unparse(base), item.name) in told for base in node.bases)
    }


def own(function: Function) -> Iterator[ast.AST]:
    """The nodes of a function without those of the functions in it."""
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, Function | ast.Lambda):
            waiting += ast.iter_child_nodes(node)


def called(tree: ast.AST, name: str) -> int:
    return sum(isinstance(node, ast.Call) and ast.unparse(node.func) == name for node in ast.walk(tree))


def test_escapes_from_the_checkers_are_counted() -> None:
    comments = [comment for source in sources().values() for _, comment in source.comments()]
    found = {escape: sum(escape in comment for comment in comments) for escape in ESCAPES}
    held(found, ESCAPES, "escapes: write it so that the checker agrees, or say beside it why that can't be")


def test_no_module_needs_itself() -> None:
    found = circles()
    many = sum(len(group) for group in found)
    assert many <= IN_CIRCLES, f"modules that import each other, types included: cut where an idea ends: {found}"


def test_imports_go_downwards() -> None:
    contract = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"][0]
    layers = [name.removeprefix("voiceops.") for name in contract["layers"]]
    folders = {source.package for source in sources().values()} - {""}
    assert folders <= set(layers), "a package has no layer yet: give it one in pyproject.toml"
    for one in imports():
        by, of = ([*module.split("."), ""][1] for module in (one.by, one.of))
        if by in layers and of in layers:
            assert layers.index(by) <= layers.index(of), f"{one.by}, line {one.line}, imports {one.of}, which is above"


def test_imports_inside_functions() -> None:
    known = sources()
    inside = [one for one in imports() if one.inside]
    held(
        Counter(known[one.by].package for one in inside),
        INSIDE,
        "imports inside functions, by package: put them at the top; where that is a circle, cut the circle",
    )
    commands = Counter(one.by for one in inside if one.by.startswith("voiceops.cli.commands."))
    several = {module: count for module, count in commands.items() if count > 1}
    counted(sorted(several), MORE_THAN_ONE_INSIDE, "a command imports its use case inside, and nothing else")


def test_imports_for_types() -> None:
    known = sources()
    held(
        Counter(known[one.by].package for one in imports() if one.types),
        FOR_TYPES,
        "imports under TYPE_CHECKING, by package: import it at the top, or move what is shared below both",
    )


def test_a_file_name_tells_which_file_is_meant() -> None:
    packages: dict[str, set[str]] = {}
    for source in sources().values():
        if source.package and not source.path.name.startswith("__"):
            packages.setdefault(source.path.name, set()).add(source.package)
    found = {name: sorted(where) for name, where in packages.items() if len(where) > 1}
    assert found.keys() <= TWICE.keys(), f"give one of them a name of its own: {found.keys() - TWICE.keys()}"
    assert found.keys() == TWICE.keys(), f"one package only: take out {TWICE.keys() - found.keys()}"


def test_a_class_name_tells_which_class_is_meant() -> None:
    modules: dict[str, list[str]] = {}
    for source in sources().values():
        for node in source.tree.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                modules.setdefault(node.name, []).append(source.module)
    found = {name: where for name, where in modules.items() if len(where) > 1}
    counted(sorted(found.items()), ONE_NAME, "one word for one thing")


def test_tests_stand_where_their_subject_stands() -> None:
    """A folder of tests has the name of a package, or of what lies beside them."""
    folders = {path.name for path in (ROOT / "tests").iterdir() if path.is_dir() and not path.name.startswith("__")}
    subjects = {path.name for path in (*(ROOT / "voiceops").iterdir(), *ROOT.iterdir()) if path.is_dir()}
    assert folders - subjects == BESIDE, f"whose tests are these: {folders - subjects - BESIDE}"


def test_functions_can_be_read_at_once() -> None:
    """Long or branching ones say why: a comment `# one idea: …` above or in them."""
    ran = subprocess.run(
        [
            *(sys.executable, "-m", "ruff", "check", "voiceops", "--no-cache", "--output-format", "json"),
            *("--select", "C901", "--config", f"lint.mccabe.max-complexity={BRANCHES}"),
        ],
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    branching = {(one["filename"], one["location"]["row"]) for one in json.loads(ran.stdout)}
    found = []
    for source in sources().values():
        lines = source.text.splitlines()
        for name, function, _ in source.functions():
            end = function.end_lineno or function.lineno
            long = end - function.lineno + 1 > LONGEST
            branches = (str(source.path), function.lineno) in branching
            start = min(node.lineno for node in [function, *function.decorator_list])
            if (long or branches) and not any("# one idea: " in line for line in lines[start - 2 : end]):
                found.append(f"{source.name}: {name}")
    counted(found, UNREAD, f"over {LONGEST} lines, or of a complexity over {BRANCHES}")


def test_public_functions_say_what_they_raise() -> None:
    found = []
    for path, name, function in public():
        if path.startswith("voiceops/cli/commands/"):
            continue  # their docstrings are what --help says
        said = ast.get_docstring(function) or ""
        nodes = list(own(function))
        caught = " ".join(ast.unparse(node.type) for node in nodes if isinstance(node, ast.ExceptHandler) and node.type)
        raised = [ast.unparse(node.exc).split("(")[0] for node in nodes if isinstance(node, ast.Raise) and node.exc]
        if set(raised) - set(re.findall(r"\w+", caught)) and not re.search(r"\b[Rr]aises?\s", said):
            found.append(f"{path}: {name}")
    counted(found, RAISES_UNSAID, "write `Raises X: when` into the docstring")


def test_public_functions_say_what_they_mean() -> None:
    found = [f"{path}: {name}" for path, name, function in public() if not ast.get_docstring(function)]
    counted(found, SILENT, "public functions without a docstring")


def test_event_loops_are_started_at_the_edge() -> None:
    found = {
        source.name: count
        for folder in ("voiceops", "tests")
        for source in sources(folder).values()
        if (count := called(source.tree, "asyncio.run"))
    }
    held(found, LOOPS, "asyncio.run: a part is awaited, and a test is an async function")


def test_no_request_is_left_behind() -> None:
    """`asyncio.gather` raises the first failure and lets the rest run on: net/together.py ends them before."""
    found = {
        f"{source.name}, line {node.lineno}": 1
        for source in sources().values()
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "asyncio.gather"
        if not any(word.arg == "return_exceptions" for word in node.keywords)
        if source.package not in ("runtime", "sandbox") and not source.name.endswith("net/together.py")
    }
    assert not found, "voiceops.net.together.together"


def test_nothing_is_patched() -> None:
    found = []
    for source in sources("tests").values():
        if source.name.startswith("tests/scripts/"):
            continue
        ours = {
            alias.asname or alias.name
            for node in ast.walk(source.tree)
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("voiceops")
            for alias in node.names
        }
        for node in ast.walk(source.tree):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args):
                continue
            text = ast.unparse(node.args[0])
            if node.func.attr == "setattr" and (text.strip("'\"").split(".")[0] in {"voiceops", "server", *ours}):
                found.append(f"{source.name}, line {node.lineno}")
    counted(found, PATCHED, "give the part what it needs when it is made")


@pytest.mark.parametrize(
    "arguments", [["--version"], ["--help"], ["plan", "--help"], ["apply", "--help"]], ids=" ".join
)
def test_help_is_quick(arguments: list[str]) -> None:
    """By what is imported for it: seconds depend on the machine."""
    script = (
        "import sys; from voiceops.__main__ import main\n"
        f"sys.argv = ['voiceops', *{arguments!r}]\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print(*sys.modules, file=sys.stderr)"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout
    loaded = {name.split(".")[0] for name in ran.stderr.split()}
    assert not loaded & HEAVY, f"imported where it is not used: {sorted(loaded & HEAVY)}"
