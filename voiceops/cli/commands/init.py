"""`voiceops init`: a working project in one command."""

from __future__ import annotations

import json
import re
from pathlib import Path

import click

from voiceops.cli.terminal.console import Console
from voiceops.errors import VoiceopsError

# What a template can't be called itself, since tools would act on it in this repository.
_RENAMED = {
    "gitignore": ".gitignore",
    "env.example": ".env.example",
}
_TOOLS = "tools: [{type: endCall}]"


@click.command("init")
@click.argument("folder", type=click.Path(path_type=Path), default=Path(), metavar="[DIR]")
@click.option("--with-runtime", is_flag=True, help="With a tool, its handler, and the webhook runtime's settings.")
@click.option("--ci", type=click.Choice(["github", "gitlab"]), help="With a pipeline; also for a project that exists.")
@click.option(
    "--from",
    "source",
    metavar="URL#sha256=HASH",
    help="The wheel of voiceops that the pipeline installs [default: that of the voiceops that runs, put into ci/].",
)
@click.option("--keep-edited", is_flag=True, help="Renew a pipeline, and leave what was edited in it as it is.")
@click.pass_obj
def init_command(
    console: Console, folder: Path, with_runtime: bool, ci: str | None, source: str | None, keep_edited: bool
) -> int:
    """Write a project that works at once: one agent and one phone line, on the local sandbox.

    A pipeline installs voiceops from a wheel in ci/, and all that it needs by hash. Written again by a newer voiceops,
    its files are renewed; edited ones are named, and nothing is written without --keep-edited.

    \b
    Examples:
      voiceops init shop && cd shop && voiceops apply
      voiceops init shop --with-runtime
      voiceops init --ci github         add a pipeline to the project in this folder, or renew it
    """
    from voiceops.cli.templates import template

    if ci is None and (source is not None or keep_edited):
        raise click.UsageError("--from and --keep-edited are about a pipeline: add --ci github or --ci gitlab.")
    target = (console.folder / folder).resolve()
    if ci and (target / "voiceops.yaml").exists():
        return _add_pipeline(console, target, ci, source, keep_edited=keep_edited)
    files = template("init/base")
    if with_runtime:
        extra = template("init/runtime")
        settings = extra.pop("runtime.yaml")
        files["voiceops.yaml"] += settings
        agent = files["agents/front-desk.yaml"]
        files["agents/front-desk.yaml"] = agent.replace(_TOOLS, "tools: [opening-hours, {type: endCall}]")
        files["env.example"] += "# Shared by Vapi and the runtime; any long random text:\nVAPI_WEBHOOK_SECRET=\n"
        files |= extra
    name = _project_name(target)
    filled = _filled(files, name)
    if ci:
        from voiceops.cli.pipeline import pipeline_files
        from voiceops.packaging.release import release_of

        filled |= pipeline_files(ci, name, "dev", release_of(source))
    _write(target, filled)
    write_schemas(target)
    shown = folder.as_posix()
    console.out(f"A project is ready in {target}:")
    for path in sorted(filled):
        console.out(f"  {path}")
    enter = "" if shown == "." else f"cd {shown} && "
    console.out(f"\nNext: {enter}voiceops plan")
    return 0


def _filled(files: dict[str, str], project: str) -> dict[str, bytes]:
    return {_RENAMED.get(path, path): text.replace("__PROJECT__", project).encode() for path, text in files.items()}


def _add_pipeline(console: Console, target: Path, ci: str, source: str | None, *, keep_edited: bool) -> int:
    """A project that is there keeps its files; the pipeline's come beside them, or are renewed."""
    from voiceops.cli.pipeline import FIRST, pipeline_files, renew, sandbox_of
    from voiceops.cli.wiring import load_settings
    from voiceops.packaging.release import release_of

    console.folder = target
    files = pipeline_files(ci, load_settings(console).name, sandbox_of(console), release_of(source))
    done = renew(target, files, keep_edited=keep_edited)
    console.out(f"A pipeline is ready in {target}:")
    for word, names in (("wrote  ", done.changed), ("removed", done.removed), ("kept   ", done.kept)):
        for name in names:
            console.out(f"  {word} {name}")
    if not (done.changed or done.removed):
        console.out("  every file is what it would be" if not done.kept else "  every other file is what it would be")
    console.out(f"\nNext: what to set up once stands at the top of {FIRST[ci]}.")
    return 0


def _project_name(folder: Path) -> str:
    """The folder's name as a project's name."""
    name = re.sub(r"[^a-z0-9]+", "-", folder.name.lower()).strip("-")[:63]
    return name or "phone-agents"


def _write(target: Path, files: dict[str, bytes]) -> None:
    """Write all files or none: nothing that exists is overwritten. Raises VoiceopsError."""
    taken = [n for n in sorted(files) if (target / n).exists() and n != ".gitignore" and _differs(target / n, files[n])]
    if taken:
        raise VoiceopsError(
            f"{target} holds {', '.join(taken)} already",
            hint="Nothing was written. Choose another folder, or move these files away.",
        )
    for name, content in files.items():
        path = target / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if name == ".gitignore" and path.exists():
                _add_lines(path, content.decode())
            else:
                path.write_bytes(content)
        except OSError as error:
            raise VoiceopsError(f"{path} can't be written: {error.strerror}") from None


def _differs(path: Path, content: bytes) -> bool:
    try:
        return path.read_bytes() != content
    except OSError:
        return True


def _add_lines(path: Path, text: str) -> None:
    held = path.read_text(encoding="utf-8")
    missing = [line for line in text.splitlines() if line not in held.splitlines()]
    if missing:
        path.write_text(held.rstrip("\n") + "\n" + "\n".join(missing) + "\n", encoding="utf-8")


def write_schemas(root: Path) -> list[Path]:
    """The JSON Schemas that editors complete from, under `.voiceops/`."""
    from voiceops.kinds.json_schema import any_manifest_schema, project_schema

    folder = root / ".voiceops"
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, schema in (("voiceops", project_schema()), ("manifest", any_manifest_schema())):
        path = folder / f"{name}.schema.json"
        path.write_text(json.dumps(schema, separators=(",", ":"), ensure_ascii=False) + "\n", encoding="utf-8")
        written.append(path)
    return written
