"""How cost grows: validate and an empty plan against what can't be avoided, reading the files and the lists.

Ratios of CPU time in one run. What is measured is a process, less the same command in a project of three objects: a
start is paid once, whatever a project holds. What it is held against is `yaml.CSafeLoader` over the same manifests,
the prompts' own files read, and for a plan `json` over the same lists, in processes of their own, less theirs.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.core import Row
from benchmarks.measure import Run, project_command, run, sandbox
from benchmarks.projects import write_realistic_project
from voiceops.sandbox.client import SandboxClient

_FILES = """
import pathlib, sys, yaml
folder = pathlib.Path(sys.argv[1])
for path in folder.rglob("*.yaml"):
    for document in yaml.load_all(path.read_bytes().decode(), Loader=yaml.CSafeLoader):
        pass
for path in folder.rglob("*.md"):
    path.read_bytes().decode()
"""
_LISTS = """
import json, pathlib, sys
for path in pathlib.Path(sys.argv[1]).glob("*.json"):
    json.loads(path.read_bytes())
"""
_LARGEST_RATIO = 4.0
_GROWTH = 1.2
_MOST_MEMORY = 400  # MB, of 10,000 objects


@dataclass(frozen=True, slots=True)
class Size:
    """How large a project is, and how often its commands run: the best run of each counts."""

    tools: int
    agents: int
    times: int

    @property
    def objects(self) -> int:
        return self.tools + self.agents


SMALLEST = Size(2, 1, 0)
THOUSAND = Size(300, 700, 7)
TEN_THOUSAND = Size(3_000, 7_000, 2)


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU seconds of a command over its start, the same over what can't be avoided, and its memory in MB."""

    seconds: float
    ratio: float
    megabytes: float


def speed() -> Iterator[Row]:
    """Every row of this page; the large project comes last."""
    with tempfile.TemporaryDirectory() as root:
        folder = Path(root)
        files = _files(folder / "files", THOUSAND, prompts="files")
        yield _ratio("validate of 1,000 with prompts in files", files)
        small = _files(folder / "1", THOUSAND)
        yield _ratio("validate of 1,000", small)
        plan = _plan(folder / "1", THOUSAND)
        yield _ratio("empty plan of 1,000", plan)
        large = _files(folder / "10", TEN_THOUSAND)
        yield _growth("validate of 10,000", large, small)
        large_plan = _plan(folder / "10", TEN_THOUSAND)
        yield _growth("empty plan of 10,000", large_plan, plan)
        yield Row("empty plan of 10,000: memory", large_plan.megabytes, _MOST_MEMORY, "MB")


def _ratio(what: str, cost: Cost) -> Row:
    return Row(f"{what} ({cost.seconds:.2f} s CPU), over what reading takes", cost.ratio, _LARGEST_RATIO, "times")


def _growth(what: str, cost: Cost, small: Cost) -> Row:
    name = f"{what} ({cost.seconds:.1f} s CPU, {cost.ratio:.1f} times reading), over the ratio of 1,000"
    return Row(name, cost.ratio / small.ratio, _GROWTH, "times")


def _files(folder: Path, size: Size, *, prompts: str = "blocks") -> Cost:
    """What `validate` takes."""
    start = folder.with_name(f"{folder.name}-start")
    write_realistic_project(start, tools=SMALLEST.tools, agents=SMALLEST.agents, prompts=prompts)
    write_realistic_project(folder, tools=size.tools, agents=size.agents, prompts=prompts)
    return _cost(
        _Job(project_command(folder, "validate")), _Job(project_command(start, "validate")), folder, start, size
    )


def _plan(folder: Path, size: Size) -> Cost:
    """What a plan takes that finds nothing to do."""
    start = folder.with_name(f"{folder.name}-start")
    with _applied(folder) as environ, _applied(start) as other:
        spent, begun = _Job(project_command(folder, "plan"), environ), _Job(project_command(start, "plan"), other)
        return _cost(spent, begun, folder, start, size, lists=True)


@contextmanager
def _applied(folder: Path) -> Iterator[dict[str, str]]:
    """An account that holds a project's objects; leaves in `lists/` what its lists hold."""
    with sandbox() as environ, SandboxClient(environ["VAPI_BASE_URL"] + "/_sandbox") as control:
        run(project_command(folder, "apply", "--auto-approve", "--local-state", "-q", "--parallelism", "50"), environ)
        time.sleep(10)  # everything has settled, as in daily use
        lists = folder / "lists"
        lists.mkdir()
        for name, bodies in control.dump().items():
            (lists / f"{name.strip('/').replace('/', '-')}.json").write_text(json.dumps(bodies))
        yield environ


@dataclass(frozen=True, slots=True)
class _Job:
    """A command, and the account that it finds."""

    command: list[str]
    environ: Mapping[str, str] | None = None


def _cost(spent: _Job, begun: _Job, folder: Path, start: Path, size: Size, *, lists: bool = False) -> Cost:
    """What a command takes in a project over what it takes in the smallest one, and over what reading takes so."""
    jobs = [spent, begun, *(_reading(_FILES, place) for place in (folder, start))]
    if lists:
        jobs += [_reading(_LISTS, place / "lists") for place in (folder, start)]
    runs = _in_turn(jobs, size.times)
    cpu = [min(one.cpu for one in of_job) for of_job in runs]
    seconds, *readings = (large - small for large, small in zip(cpu[::2], cpu[1::2], strict=True))
    return Cost(seconds, seconds / max(sum(readings), 1e-4), max(one.megabytes for one in runs[0]))


def _reading(script: str, folder: Path) -> _Job:
    return _Job([sys.executable, "-c", script, str(folder)])


def _in_turn(jobs: list[_Job], times: int) -> list[list[Run]]:
    """Every job so many times, in turn: what else the machine does meets all of them alike."""
    rounds = [[run(job.command, job.environ) for job in jobs] for _ in range(times)]
    return [list(of_job) for of_job in zip(*rounds, strict=True)]
