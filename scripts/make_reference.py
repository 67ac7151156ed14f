"""Writes the reference: docs/reference/ (commands, project files, manifests of each kind) and docs/errors.md.

    python scripts/make_reference.py [--check]

Commands come from the command line itself, fields from `schema/`, codes from the source. What none of them can say
stands in reference_texts.py; a code, field or variable without such a text, or a text without one, is an error.
"""

from __future__ import annotations

import argparse
import ast
import inspect
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import click
from reference_fields import MARK, anchor, manifest_pages, must_match, project_page, table
from reference_texts import CODES, COMPUTED, EXITS, INTERNAL, VARIABLES

from voiceops import errors
from voiceops.cli.main import cli

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Write the reference pages from the commands, the facts and the code.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when a page would change")
    options = parser.parse_args(arguments)
    made = pages()
    stray = [
        path for path in (DOCS / "reference" / "manifests").glob("*.md") if str(path.relative_to(DOCS)) not in made
    ]
    if options.check:
        old = [name for name, text in made.items() if not _same(DOCS / name, text)]
        old += [str(path.relative_to(DOCS)) for path in stray]
        print(f"differ: {', '.join(old)}: run scripts/make_reference.py" if old else "the reference is up to date")
        return 1 if old else 0
    for name, text in made.items():
        path = DOCS / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    for path in stray:
        path.unlink()
    return 0


def _same(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8") == text


def pages() -> dict[str, str]:
    """Every page by its path in docs/."""
    made = {
        "reference/commands.md": commands_page(),
        "reference/project.md": project_page(),
        "errors.md": errors_page(),
        **manifest_pages(),
    }
    return {name: text.rstrip() + "\n" for name, text in made.items()}


# Commands.

_COMMANDS_HEAD = f"""\
# Commands

{MARK}

`voiceops COMMAND --help` prints the same.
"""

_COMMON = """\
## Common options

They may stand before the command or after it, unless the command has an option of the same letter of its own.
"""

_COMPLETION = """\
## Completion in the shell

```sh
eval "$(_VOICEOPS_COMPLETE=bash_source voiceops)"     # ~/.bashrc; bash 4.4 or newer
eval "$(_VOICEOPS_COMPLETE=zsh_source voiceops)"      # ~/.zshrc
_VOICEOPS_COMPLETE=fish_source voiceops | source      # ~/.config/fish/completions/voiceops.fish
```
"""


def commands_page() -> str:
    must_match("variables", _variables_in_source(), (name for name in VARIABLES if name.startswith("VOICEOPS_")))
    top = click.Context(cli, info_name="voiceops")
    found = list(_commands(cli, top))
    listed = [(f"[`{name}`](#{anchor(name)})", _first_sentence(command)) for name, command, _ in found]
    parts = [
        _COMMANDS_HEAD,
        table(("command", ""), listed),
        _COMMON,
        _options(cli, top),
        "## Exit codes\n",
        table(("code", "means"), ((f"`{code}`", text) for code, text in EXITS.items())),
        "[errors.md](../errors.md) lists every error.\n",
        "## Environment variables\n",
        "They are also read from `.env` in the project's folder, where the shell doesn't set them.\n",
        table(("variable", "is"), ((f"`{name}`", text) for name, text in VARIABLES.items())),
        "[state.md](../state.md) has those of the state's back ends; [runtime.md](../runtime.md), the runtime's.\n",
        _COMPLETION,
    ]
    for name, command, context in found:
        parts += [f"## {name}\n", _usage(command, context), _help(command), _options(command, context)]
    return "\n".join(part for part in parts if part)


def _commands(group: click.Group, context: click.Context) -> Iterator[tuple[str, click.Command, click.Context]]:
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is None or command.hidden:
            continue
        inner = click.Context(command, info_name=name, parent=context)
        yield inner.command_path, command, inner
        if isinstance(command, click.Group):
            yield from _commands(command, inner)


def _first_sentence(command: click.Command) -> str:
    return _prose(inspect.cleandoc(command.help or "").split("\n\n")[0])


def _usage(command: click.Command, context: click.Context) -> str:
    return f"```\n{context.command_path} {' '.join(command.collect_usage_pieces(context))}\n```\n"


def _prose(text: str) -> str:
    return " ".join(text.split()).replace("<", "&lt;")


def _help(command: click.Command) -> str:
    """The help text: paragraphs, and after click's mark lines that keep their form, the indented ones as code."""
    parts: list[str] = []
    for paragraph in inspect.cleandoc(command.help or "").split("\n\n"):
        if not paragraph.startswith("\b"):
            parts += [_prose(paragraph), ""]
            continue
        code: list[str] = []
        for line in [*paragraph.splitlines()[1:], ""]:
            if line.startswith(" "):
                code.append(line.removeprefix("  "))
                continue
            if code:
                parts += ["```sh", *code, "```", ""]
                code = []
            if line:
                parts += [_prose(line), ""]
    return "\n".join(parts)


def _options(command: click.Command, context: click.Context) -> str:
    rows = []
    for option in command.params:
        if not isinstance(option, click.Option) or option.hidden:
            continue
        names = ", ".join(f"`{name}`" for name in [*option.opts, *option.secondary_opts])
        takes = "" if option.is_flag or option.count else f" `{_value(option, context)}`"
        rows.append((names + takes, " ".join([_prose(option.help or ""), *_notes(option)]).strip()))
    return table(("option", ""), rows) if rows else ""


def _value(option: click.Option, context: click.Context) -> str:
    if isinstance(option.type, click.Choice):
        return "|".join(map(str, option.type.choices))
    return option.metavar or option.make_metavar(context)


def _notes(option: click.Option) -> Iterator[str]:
    if option.required:
        yield "Needed."
    if isinstance(option.type, (click.IntRange, click.FloatRange)):
        low, high = option.type.min, option.type.max
        yield f"{low} to {high}." if high is not None else f"At least {low:g}."
    default = option.default
    if not option.is_flag and isinstance(default, (int, float, str)) and default != "":
        yield f"Default: `{default:g}`." if isinstance(default, float) else f"Default: `{default}`."
    if option.envvar:
        yield f"Else `{option.envvar}`."


def _variables_in_source() -> set[str]:
    """Every variable of voiceops's own that the source names."""
    nodes = (node for _, tree in _source() for node in ast.walk(tree))
    words = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return {word for word in words if re.fullmatch(r"VOICEOPS_[A-Z_]+[A-Z]", word)} - INTERNAL


# Errors.

_ERRORS_HEAD = f"""\
# Errors

{MARK}

Every problem has a code that stays the same: `error[reference]: …` on the terminal, `"code": "reference"` in JSON.
Lints have codes of their own (`VO101`): [lints/](lints/README.md).

The exit code is that of the command that stops for it; without one, the problem is only shown. Problems with exit 5
stand in the plan, and `apply` ends with it.
"""


def errors_page() -> str:
    found = codes()
    must_match("codes", found, CODES)
    rows = [
        (f"`{code}`", " or ".join(sorted(found[code])), CODES[code].exit, CODES[code].means, CODES[code].remedy)
        for code in CODES
    ]
    exits = {
        cls.code: str(cls.exit_code)
        for cls in vars(errors).values()
        if inspect.isclass(cls) and issubclass(cls, errors.VoiceopsError)
    }
    for code, number in exits.items():
        if CODES[code].exit != number:
            raise SystemExit(f"reference_texts.py: {code} ends with {number}, not {CODES[code].exit}")
    head = ("code", "severity", "exit", "means", "do")
    return "\n".join(
        [
            _ERRORS_HEAD,
            "## How a command ends\n",
            table(head, (row for row in rows if row[0].strip("`") in exits)),
            "## Problems in detail\n",
            table(head, (row for row in rows if row[0].strip("`") not in exits)),
            "[reference/commands.md](reference/commands.md#exit-codes) lists the exit codes.\n",
        ]
    )


def codes() -> dict[str, set[str]]:
    """Every code that the source gives to a problem, with its severities."""
    found: dict[str, set[str]] = {}
    for path, tree in _source():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                given = [(code, {"error"}) for code in _class_codes(node)]
            elif isinstance(node, ast.Call):
                given = _codes_of(node, path)
            else:
                continue
            for code, severities in given:
                found.setdefault(code, set()).update(severities)
    return found


def _class_codes(node: ast.ClassDef) -> Iterator[str]:
    """The `code` of an exception."""
    names = {cls for cls, value in vars(errors).items() if inspect.isclass(value) and issubclass(value, Exception)}
    if {node.name, *(ast.unparse(base).rpartition(".")[2] for base in node.bases)}.isdisjoint(names):
        return
    for line in node.body:
        if isinstance(line, ast.Assign) and ast.unparse(line.targets[0]) == "code":
            yield ast.literal_eval(line.value)


def _codes_of(call: ast.Call, path: Path) -> list[tuple[str, set[str]]]:
    name = ast.unparse(call.func)
    given = {keyword.arg: keyword.value for keyword in call.keywords}
    if name.endswith("Diagnostic"):
        code, severity = given.get("code"), _severities(given.get("severity"))
    elif name.endswith(("problems.error", "problems.warning")) or (
        name.rpartition(".")[2] == "_error" and not {"manifest", "migrate"}.isdisjoint(path.parts)
    ):
        code, severity = call.args[0] if call.args else None, {"warning" if name.endswith("warning") else "error"}
    else:
        return []
    if code is None:
        raise SystemExit(f"{path}:{call.lineno}: no code")
    if isinstance(code, ast.Constant):
        return [(str(code.value), severity)]
    words = ast.unparse(code)
    if words in ("code", "self.code"):  # handed on, from a call that is looked at, or from a lint
        return []
    if words not in COMPUTED:
        raise SystemExit(f"{path}:{call.lineno}: a code made by {words}: name its values in reference_texts.py")
    return [(value, severity) for value in COMPUTED[words]]


def _severities(node: ast.expr | None) -> set[str]:
    if node is None:
        return {"error"}
    if isinstance(node, ast.Attribute):
        return {"error", "warning"}
    return {str(inner.value) for inner in ast.walk(node) if isinstance(inner, ast.Constant)}


def _source() -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted((ROOT / "voiceops").rglob("*.py")):
        yield path.relative_to(ROOT), ast.parse(path.read_text(encoding="utf-8"))


if __name__ == "__main__":
    sys.exit(main())
