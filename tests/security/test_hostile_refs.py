"""`rollback --git` to trees that are made to break out, to fill the disk, or to confuse: a sentence, each time."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.apply.manifests import AGENT, TOOL
from tests.security.test_folder_runs_nothing import git
from tests.support.bench import PROJECT, Bench, bench

LINK, FILE, MODULE, TREE = "120000", "100644", "160000", "040000"


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with bench(tmp_path_factory.mktemp("refs") / "shop") as made:
        made.write("agents/agent.yaml", AGENT)
        made.write("agents/tool.yaml", TOOL)
        made.write(".gitignore", ".voiceops/\n")
        made.apply()
        git(made.folder, "init", "-q", "-b", "main")
        git(made.folder, "add", ".")
        git(made.folder, "commit", "-qm", "x")
        yield made


class Tree:
    """A commit put together by hand: what `git add` would never make."""

    def __init__(self, made: Bench) -> None:
        self.folder = made.folder
        self.entries: dict[str, tuple[str, str]] = {}
        self.add("voiceops.yaml", PROJECT)
        self.add("agents/agent.yaml", AGENT)
        self.add("agents/tool.yaml", TOOL)

    def _git(self, *arguments: str, stdin: bytes = b"") -> str:
        ran = subprocess.run(["git", *arguments], cwd=self.folder, input=stdin, capture_output=True, check=True)
        return ran.stdout.decode().strip()

    def add(self, path: str, content: str | bytes, mode: str = FILE) -> None:
        data = content.encode() if isinstance(content, str) else content
        self.entries[path] = (mode, self._git("hash-object", "-w", "--stdin", stdin=data))

    def add_module(self, path: str) -> None:
        self.entries[path] = (MODULE, "1" * 40)

    def tree(self, entries: dict[str, tuple[str, str]] | None = None) -> str:
        """Written as bytes: git's own commands refuse some of these names."""
        entries = self.entries if entries is None else entries
        here: dict[str, tuple[str, str]] = {}
        below: dict[str, dict[str, tuple[str, str]]] = {}
        for path, entry in entries.items():
            name, slash, rest = path.partition("/")
            if slash:
                below.setdefault(name, {})[rest] = entry
            else:
                here[name] = entry
        for name, inner in below.items():
            here[name] = (TREE, self.tree(inner))
        lines = b"".join(
            mode.lstrip("0").encode() + b" " + name.encode() + b"\0" + bytes.fromhex(id_)
            for name, (mode, id_) in sorted(here.items())
        )
        return self._git("hash-object", "-w", "-t", "tree", "--literally", "--stdin", stdin=lines)

    def commit(self, tree: str = "") -> str:
        who = "a <a@b.c> 1700000000 +0000"
        text = f"tree {tree or self.tree()}\nauthor {who}\ncommitter {who}\n\nx\n".encode()
        return self._git("hash-object", "-w", "-t", "commit", "--stdin", stdin=text)


def returned(made: Bench, ref: str, code: int) -> str:
    ran = made.run("rollback", "--git", ref, "--plan-only", code=code)
    return ran.out + ran.err


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("bin/python", "/usr/bin/python3"),
        ("notes", "../../../../etc/passwd"),
        ("up", ".."),
        ("loop", "loop"),
        ("agents/beside", "../voiceops.yaml"),
        ("dangling", "nothing/here"),
        ("device", "/dev/zero"),
        ("long", "x" * 5000),
        ("empty", ""),
        (".git-ignored", "/root"),
    ],
)
def test_links_that_nothing_needs_do_no_harm(desk: Bench, path: str, target: str) -> None:
    tree = Tree(desk)
    tree.add(path, target, LINK)
    assert returned(desk, tree.commit(), 0)


@pytest.mark.parametrize(
    ("path", "target", "said"),
    [
        ("agents/evil.yaml", "/etc/hostname", "lies outside the project"),
        ("agents/evil.yaml", "../../../../../../etc/hostname", "lies outside the project"),
        ("agents/evil.yaml", "evil.yaml", "agents/evil.yaml"),
        ("agents/evil.yaml", "/dev/zero", "lies outside the project"),
        ("agents/evil.yaml", "/proc/self/environ", "lies outside the project"),
        ("voiceops.yaml", "/etc/hostname", "voiceops.yaml"),
        ("environments/live.yaml", "/etc/hostname", "lies outside the project"),
        ("agents/handlers", "/etc", "lies outside the project"),
    ],
)
def test_links_in_place_of_what_is_read_are_refused(desk: Bench, path: str, target: str, said: str) -> None:
    tree = Tree(desk)
    tree.add(path, target, LINK)
    if path == "agents/handlers":
        tree.add("voiceops.yaml", PROJECT + "runtime: {url: 'http://127.0.0.1:9'}\n")
        tree.add("agents/tool.yaml", TOOL + "handler: hostname:lookup\n")
    assert said in returned(desk, tree.commit(), 1)


def test_nothing_is_written_through_a_link(desk: Bench, tmp_path: Path) -> None:
    """A tree with a link and a folder of one name: git's own tools never make it."""
    tree = Tree(desk)
    tree.add("agents/agent.yaml", AGENT)
    inner = tree.tree()
    link = tree._git("hash-object", "-w", "--stdin", stdin=str(tmp_path).encode())
    folder = tree.tree({"planted": tree.entries["agents/agent.yaml"]})
    content = subprocess.run(["git", "cat-file", "tree", inner], cwd=desk.folder, capture_output=True).stdout
    content += b"120000 zz\0" + bytes.fromhex(link) + b"40000 zz\0" + bytes.fromhex(folder)
    made = tree._git("hash-object", "-w", "-t", "tree", "--literally", "--stdin", stdin=content)
    desk.run("rollback", "--git", tree.commit(made), "--plan-only", code=None)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["..", ".", ".git", ".GIT", "agents/..", "agents/../../x", "agents/.git/config"])
def test_names_that_are_no_paths_are_refused(desk: Bench, name: str, tmp_path: Path) -> None:
    tree = Tree(desk)
    content = b""
    blob = tree.entries["voiceops.yaml"][1]
    parts = name.split("/")
    made = blob
    for position, part in enumerate(reversed(parts)):
        mode = FILE if position == 0 else TREE
        content = mode.lstrip("0").encode() + b" " + part.encode() + b"\0" + bytes.fromhex(made)
        if position == len(parts) - 1:
            content += b"100644 voiceops.yaml\0" + bytes.fromhex(blob)
        made = tree._git("hash-object", "-w", "-t", "tree", "--literally", "--stdin", stdin=content)
    assert "no path of a file" in returned(desk, tree.commit(made), 1)


@pytest.mark.parametrize(
    "name", ["x" * 300, "a\nb.yaml", "agents/\x1b[2Jx.yaml", "\udcff".encode("utf-8", "ignore").decode() or "q"]
)
def test_odd_names_are_a_sentence_or_nothing(desk: Bench, name: str) -> None:
    tree = Tree(desk)
    tree.add(name, "kind: Agent\nname: odd\nspec: {}\n")
    ran = desk.run("rollback", "--git", tree.commit(), "--plan-only", code=None)
    assert ran.code in (0, 1)


def test_a_submodule_with_the_manifests_stops_the_rollback(desk: Bench) -> None:
    tree = Tree(desk)
    for path in [path for path in tree.entries if path.startswith("agents/")]:
        del tree.entries[path]
    tree.add_module("agents")
    assert "agents is a submodule" in returned(desk, tree.commit(), 1)
    tree = Tree(desk)
    tree.add_module("agents/shared")
    assert "agents/shared is a submodule" in returned(desk, tree.commit(), 1)


def test_a_submodule_beside_them_is_no_matter(desk: Bench) -> None:
    tree = Tree(desk)
    tree.add_module("vendor/library")
    assert returned(desk, tree.commit(), 0)


def test_a_huge_file_is_too_large_only_for_who_reads_it(desk: Bench) -> None:
    tree = Tree(desk)
    tree.add("recordings/call.wav", b"\0" * 120_000_000)
    began = time.monotonic()
    assert returned(desk, tree.commit(), 0)
    assert time.monotonic() - began < 20
    tree.add("agents/huge.yaml", b"#" * 2_000_000)
    assert "agents/huge.yaml is larger" in returned(desk, tree.commit(), 1)


def test_thousands_of_files_are_read_and_far_too_many_refused(desk: Bench) -> None:
    tree = Tree(desk)
    blob = tree.entries["voiceops.yaml"]
    many = {f"notes/{number}.txt": blob for number in range(5_000)}
    tree.entries |= many
    assert returned(desk, tree.commit(), 0)
    # A tree that holds itself a hundred times, thrice: a million files out of three objects.
    for _ in range(3):
        inner = tree.tree({f"f{number}": blob for number in range(100)})
        blob = (TREE, inner)
    tree = Tree(desk)
    tree.entries["bomb"] = blob
    assert "that is too much" in returned(desk, tree.commit(), 1) or "answered with more" in returned(
        desk, tree.commit(), 1
    )


def test_two_names_that_differ_in_case_are_two_files(desk: Bench) -> None:
    tree = Tree(desk)
    tree.add("agents/Tool.yaml", TOOL)
    assert "manifest-duplicate" in returned(desk, tree.commit(), 1)


def test_objects_that_are_not_there_are_a_sentence(desk: Bench) -> None:
    tree = Tree(desk)
    tree.entries["agents/lost.yaml"] = (FILE, "2" * 40)
    said = returned(desk, tree.commit(), 1)
    assert "lost.yaml" in said or "2222" in said


def test_attributes_do_not_change_what_a_ref_holds(desk: Bench) -> None:
    """`export-ignore` would leave files out of an archive, and their objects would look deleted."""
    tree = Tree(desk)
    tree.add(".gitattributes", "agents/** export-ignore\n*.yaml export-subst\n")
    assert "to delete" not in returned(desk, tree.commit(), 0)


@pytest.mark.parametrize(
    "text", ["x = '''", "x = " + "(" * 3000, "x = " + "-" * 200_000 + "1", "\0", "def f(:\n", "\ufeff\ufeffx"]
)
def test_handlers_that_are_hardly_python_are_a_sentence(desk: Bench, text: str) -> None:
    tree = Tree(desk)
    tree.add("voiceops.yaml", PROJECT + "runtime: {url: 'http://127.0.0.1:9'}\n")
    tree.add("agents/tool.yaml", TOOL + "handler: orders:lookup\n")
    tree.add("agents/handlers/orders.py", text)
    assert "handler" in returned(desk, tree.commit(), 1)
