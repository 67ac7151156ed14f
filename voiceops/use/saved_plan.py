"""Saved plans: kept in a file, signed, and held against what a command line asks for when they are applied."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from voiceops._version import __version__
from voiceops.apply.signing import ALGORITHM, SUFFIX, read_signers, sign, verified
from voiceops.engine.review.review_flags import review_data, review_flags
from voiceops.engine.review.saved_check import SavedPlan
from voiceops.errors import Refused, VoiceopsError
from voiceops.model.json_in import parsed
from voiceops.model.plan import Plan
from voiceops.model.redactor import Redactor
from voiceops.model.safe_text import json_text
from voiceops.use.process_context import SIGNERS, ProcessContext

MOST_BYTES = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class KeptPlan:
    """A plan's file: what was reviewed, and who signed it (empty: nobody was asked for)."""

    path: Path
    plan: SavedPlan
    signed_by: str = ""

    @property
    def origin(self) -> dict[str, str]:
        """What the history keeps of it."""
        return {"planSignedBy": self.signed_by} if self.signed_by else {}


# writing


def plan_data(
    plan: Plan, *, adopt: bool = False, rollback_to: int | None = None, rollback_git: str | None = None
) -> dict[str, Any]:
    """A plan as JSON, with what is needed to make it again when it is applied."""
    timestamp = datetime.now(UTC).isoformat(timespec="seconds")
    data = plan.to_data(version=__version__, timestamp=timestamp)
    data["review"] = review_data(review_flags(plan))
    asked = {"adopt": adopt, "rollback_to": rollback_to} | ({"rollback_git": rollback_git} if rollback_git else {})
    return data | {"plan_id": uuid4().hex, "planned_with": asked}


def write_plan(path: Path, data: Mapping[str, Any], redactor: Redactor, key: Path | None = None) -> None:
    """Keep a plan's data, for its owner's eyes; with an ed25519 or SSH key also its signature beside it.

    Raises VoiceopsError where the file can't be written, or the key is none.
    """
    content = (json_text(redactor.data(data), 2) + "\n").encode("utf-8", "surrogatepass")
    signature = sign(content, key) if key is not None else None
    _write(path, content)
    if signature is not None:
        _write(_signature_of(path), signature.encode())


def _write(path: Path, content: bytes) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            if stat.S_ISREG(os.fstat(descriptor).st_mode):
                os.fchmod(descriptor, 0o600)  # prompts and numbers are in it
            file.write(content)
    except OSError as error:
        raise VoiceopsError(f"{path} can't be written: {error.strerror}", hint="Check its folder, and room.") from None


def _signature_of(path: Path) -> Path:
    return path.with_name(path.name + SUFFIX)


# reading


def read_plan(path: Path, context: ProcessContext, verify: str | None = None) -> KeptPlan:
    """A saved plan, verified where that is asked for: `verify` names the signers, else VOICEOPS_PLAN_SIGNERS does.

    Raises VoiceopsError where it is no plan, and Refused for one without a good signature or that this version can't
    hold against a new plan.
    """
    content = _content(path)
    signers = verify if verify is not None else context.environ.get(SIGNERS)
    signed_by = _signed_by(path, content, signers) if signers else ""
    try:
        data = parsed(content)
    except ValueError as error:
        raise VoiceopsError(f"{path} is no plan: it {error}", hint="Make one with `voiceops plan --out`.") from None
    try:
        return KeptPlan(path, SavedPlan.from_data(data), signed_by)
    except ValueError as error:
        raise Refused(f"the plan {path} can't be applied: {error}", hint="Make a new plan.") from None


def _content(path: Path) -> bytes:
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise VoiceopsError(f"the plan {path} can't be read: it is no file")
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise VoiceopsError(f"the plan {path} can't be read: {error.strerror}") from None
    if len(content) > MOST_BYTES:
        raise VoiceopsError(f"the plan {path} is larger than {MOST_BYTES // 1024**2} MB", hint="Plan with --target.")
    return content


def _signed_by(path: Path, content: bytes, signers: str) -> str:
    if f"{ALGORITHM} " in signers:
        known = read_signers(signers, "the signers")
    else:
        try:
            known = read_signers(Path(signers).read_text(encoding="utf-8"), signers)
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is no text"
            raise VoiceopsError(f"the signers {signers} can't be read: {reason}") from None
    try:
        armoured = _signature_of(path).read_bytes()
    except OSError:
        raise Refused(
            f"the plan {path} is not signed: there is no {_signature_of(path).name} beside it",
            hint="Sign it with `plan --out FILE --sign KEY`, and bring both files here.",
        ) from None
    return verified(content, armoured, known, str(path)).name


def check_asked(
    kept: KeptPlan,
    *,
    destroy: bool = False,
    adopt: bool,
    rollback_to: int | None = None,
    rollback_git: str | None = None,
) -> None:
    """The command line decides: what a plan does beyond the manifests must be asked for there, too. Raises Refused."""
    plan, path = kept.plan, kept.path
    if plan.rolls_back and rollback_to is None and rollback_git is None:
        to = f"revision {plan.rollback_to}" if plan.rollback_to is not None else f"{plan.rollback_git}"
        again = str(plan.rollback_to) if plan.rollback_to is not None else f"--git {plan.rollback_git}"
        raise Refused(f"the plan {path} rolls back to {to}", hint=f"If that is meant: voiceops rollback {again} {path}")
    if (plan.rollback_to, plan.rollback_git) != (rollback_to, rollback_git):
        to = f"revision {rollback_to}" if rollback_to is not None else str(rollback_git)
        if not plan.rolls_back:
            raise Refused(f"the plan {path} is no rollback", hint=f"If it is meant: voiceops apply {path}")
        other = f"revision {plan.rollback_to}" if plan.rollback_to is not None else str(plan.rollback_git)
        raise Refused(f"the plan {path} rolls back to {other}, not to {to}", hint="Name the same, or plan again.")
    if plan.destroy and not destroy:
        raise Refused(f"the plan {path} destroys what is managed", hint=f"If that is meant: voiceops destroy {path}")
    if destroy and not plan.destroy:
        raise Refused(f"the plan {path} was not made with --destroy", hint=f"If it is meant: voiceops apply {path}")
    if plan.adopt and not adopt:
        raise Refused(f"the plan {path} takes over unmanaged objects", hint="If that is meant, give --adopt here, too.")
