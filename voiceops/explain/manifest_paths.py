"""From a path that somebody typed to paths of a body: live ones, those of the manifest, or their ends."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches

from voiceops.errors import Mark, VoiceopsError
from voiceops.model.values import ABSENT, JSON, Path, format_path, get_path, parse_path
from voiceops.model.wording import some_of

_MOST_NAMED = 6


def written_path(mark: Mark) -> str:
    """Where a value stands in terms of the manifest's spec: `model.systemPrompt`, wherever the file has it.

    A part's own path keeps the part's address: `Voice/warm:speed`. Empty where no place of a spec is meant.
    """
    owner, colon, path = mark.path.rpartition(":")
    for start in ("spec.", "defaults.", "patches["):
        if path.startswith(start):
            break
    else:
        return ""
    if start == "defaults.":
        path = path.partition(".")[2].partition(".")[2]
    elif start == "patches[":
        path = path.partition("].")[2].removeprefix("merge.")
    else:
        path = path.removeprefix("spec.")
    return f"{owner}{colon}{path}"


def typed_path(text: str) -> Path:
    """A path as somebody typed it. Raises VoiceopsError."""
    try:
        return parse_path(text.removeprefix("spec."))
    except ValueError:
        raise VoiceopsError(f"{text!r} is no path", hint="Write keys and indexes: model.messages[0].content.") from None


def paths_meant(text: str, body: JSON, sources: Mapping[Path, Mark]) -> list[Path]:
    """The live paths that a text means; none where it means nothing here.

    A live path as it is; a manifest's path, with `spec.` (then it goes first) or without; or the end of either, where
    one place alone ends so. Raises VoiceopsError: it is no path, or it could be several.
    """
    asked, path = text.removeprefix("spec."), typed_path(text)
    there = [path] if get_path(body, path) is not ABSENT else []
    if there and asked == text:
        return there
    written = {live: written_path(mark) for live, mark in sources.items()}
    exact = _deepest(live for live, where in written.items() if where == asked or where.endswith(f":{asked}"))
    if exact or there:
        return exact or there
    ends = [live for live, where in written.items() if where.endswith(f".{asked}") or _ends(live, path)]
    ends = _deepest(ends)
    if len(ends) > 1:
        listed = some_of([format_path(found) for found in ends], _MOST_NAMED)
        raise VoiceopsError(f"{text} could be {len(ends)} places", hint=f"Name one of them: {listed}.")
    return ends


def _ends(path: Path, end: Path) -> bool:
    return len(path) > len(end) and path[-len(end) :] == end


def _deepest(paths: Iterable[Path]) -> list[Path]:
    """One path for each place: a prompt is its message's content, not the list around it."""
    listed = list(paths)
    texts = [path for path in listed if path[-1:] == ("content",)]
    if texts and len(listed) > 1:
        return texts
    return [path for path in listed if not any(path != other and path[: len(other)] == other for other in listed)]


def starts(path: str, start: str) -> bool:
    """Does a path lie below another one?"""
    return path.startswith((f"{start}.", f"{start}["))


def nearest(text: str, body: JSON, sources: Mapping[Path, Mark]) -> str:
    """A hint for a path that is not there."""
    known = {format_path(path) for path in sources} | {written_path(mark) for mark in sources.values()}
    known |= {format_path((key,)) for key in body} if isinstance(body, dict) else set()
    known.discard("")
    near = get_close_matches(text.removeprefix("spec."), sorted(known), n=3, cutoff=0.5)
    return f"Did you mean {' or '.join(near)}?" if near else "Without a path, explain lists all that there is."
