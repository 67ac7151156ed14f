"""An apply as its flags ask for it: by `apply` and `destroy`, and by what sends a part of the manifests."""

from __future__ import annotations

from voiceops import use
from voiceops.cli.terminal.apply_flags import Flags
from voiceops.cli.terminal.console import Console


def applied(
    console: Console, loaded: use.Loaded, flags: Flags, scope: use.Scope, kept: use.KeptPlan | None = None
) -> int:
    """Apply, asking first where that is not a plan that was kept; the exit code. Raises VoiceopsError."""
    from voiceops.cli.terminal.conduct import conduct

    return conduct(
        console,
        flags,
        lambda confirm, emit, stop: use.apply(
            loaded, scope, flags.terms(), saved=kept, confirm=confirm, emit=emit, stop=stop
        ),
        protected=loaded.project.safety.confirm,
        asks=kept is None,
        warnings=use.warnings_of(loaded),
    )
