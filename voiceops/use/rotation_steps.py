"""A secret's rotation as steps: at which one it stands, by what is seen now, and what is to be done. Pure.

Nothing is noted in between: whoever was cut off runs it again, and it finds out where it stands.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from voiceops.model.wording import many

ROTATION_STEPS = (
    "there is a new value",
    "the runtime takes the new one and the old one",
    "Vapi has the new one",
    "nothing uses the old one any more",
    "the old one is gone",
)
Held = Literal["new", "old", "other", "nothing"]  # other: neither of the two, or nobody can tell
Probed = Literal["accepted", "refused", "silent", "not asked"]
# What is done next: by whoever operates the runtime, by the command, by waiting; or nothing.
Action = Literal["hand", "send", "wait", "drop", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RotationFacts:
    """What was seen. `previous`: the value before is set here, too, and is another one.

    `since` is how long Vapi has had the new one, in seconds; `grace` how long calls may go on with the old one. `used`:
    how many messages came with the old one while it was looked, None where the runtime does not tell.
    """

    name: str
    previous: bool
    at_vapi: Held
    webhook: bool = True  # the secret by which Vapi proves itself to the runtime
    url: str = ""
    new_at_runtime: Probed = "not asked"
    old_at_runtime: Probed = "not asked"
    since: float = 0.0
    grace: float = 0.0
    used: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RotationStep:
    """`number` is the one of ROTATION_STEPS that is under way, 0 where none is; `text` says what is to be done."""

    number: int
    action: Action
    text: str


def next_step(facts: RotationFacts) -> RotationStep:
    """Where a rotation stands."""
    if not facts.webhook:
        return _plain_step(facts)
    return _with_both(facts) if facts.previous else _with_one(facts)


def _plain_step(facts: RotationFacts) -> RotationStep:
    """Of a secret that only the objects at Vapi hold: there is no window, and nobody to ask."""
    if facts.at_vapi == "new":
        return RotationStep(
            number=0,
            action="none",
            text=f"Every object that uses {facts.name} has the value that is set here. "
            "Where it is a new one, the old one can be revoked where it was issued. "
            f"To change it: set {facts.name} to the new value, and run this again.",
        )
    return RotationStep(number=3, action="send", text="")


def _with_one(facts: RotationFacts) -> RotationStep:
    """Only one value is set here."""
    name = facts.name
    if facts.at_vapi in ("old", "other"):
        return RotationStep(
            number=1,
            action="hand",
            text=f"Vapi has another {name} than the one that is set here, and {name}_PREVIOUS is not set. Set it to "
            "the one that Vapi has, here and where the runtime runs, so that no message is refused. Where nobody has "
            "that one any more, `voiceops apply` sends the new one: until then what Vapi signs is refused.",
        )
    if facts.new_at_runtime == "refused":
        return RotationStep(
            number=2,
            action="hand",
            text=f"The runtime at {facts.url} refuses what Vapi signs with now: set {name} there to the value that is "
            "set here, and restart it.",
        )
    return RotationStep(
        number=0,
        action="none",
        text=f"No rotation is under way: here and at Vapi {name} is the same"
        + (", and the runtime takes it. " if facts.new_at_runtime == "accepted" else ". ")
        + f"To begin: --generate; or set {name} to a new value and {name}_PREVIOUS to the one before.",
    )


def _with_both(facts: RotationFacts) -> RotationStep:
    name, url = facts.name, facts.url
    set_both = (
        f"Where the runtime runs, set {name} to the new value and {name}_PREVIOUS to the old one, as here; restart it, "
        "every worker and machine, and run this again. Until Vapi has it by this command, don't apply from here: "
        "an apply sends the new one at once."
    )
    if facts.new_at_runtime == "silent":
        number = 2 if facts.at_vapi != "new" else 4
        return RotationStep(
            number=number,
            action="hand",
            text=f"The runtime at {url} does not answer as one. Start it, or give --url; nothing was changed.",
        )
    if facts.new_at_runtime != "accepted":
        return RotationStep(number=2, action="hand", text=f"The runtime at {url} refuses the new one. {set_both}")
    if facts.at_vapi != "new":
        if facts.old_at_runtime != "accepted":
            return RotationStep(
                number=2,
                action="hand",
                text=f"The runtime at {url} refuses the old one, with which Vapi signs until step 3. {set_both}",
            )
        return RotationStep(number=3, action="send", text="")
    if facts.old_at_runtime == "refused":
        return RotationStep(number=5, action="drop", text="")
    return _old_at_rest(facts)


def _old_at_rest(facts: RotationFacts) -> RotationStep:
    """Vapi has the new one, and the runtime still takes the old one."""
    name = facts.name
    if (left := facts.grace - facts.since) > 0:
        return RotationStep(
            number=4,
            action="wait",
            text=f"Calls that began before Vapi had the new one may still sign with the old one, for {_minutes(left)}: "
            "leave both where they are, and run this again then.",
        )
    if facts.used:
        return RotationStep(
            number=4,
            action="wait",
            text=f"The runtime still gets messages with the old one ({facts.used} while it was looked). Something "
            "signs with it: another environment, or another account, whose Credential has to get the new one, too.",
        )
    seen = "No message came with it while it was looked. " if facts.used == 0 else ""
    return RotationStep(
        number=5,
        action="hand",
        text=f"{seen}The old one may go: where the runtime runs, unset {name}_PREVIOUS and restart it; then run this "
        "again.",
    )


def _minutes(seconds: float) -> str:
    return many(int(seconds // 60) + 1, "more minute")


def worst(held: Sequence[Held]) -> Held:
    """What several objects have, as one word: not the new one, as long as one of them has not."""
    order: tuple[Held, ...] = ("nothing", "other", "old", "new")
    return min(held, key=order.index, default="nothing")
