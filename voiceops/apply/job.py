"""What a command is given to plan and apply with: manifests, state, accounts, secrets. It knows no plan yet."""

from __future__ import annotations

from dataclasses import dataclass, field

from voiceops.engine.options import Options
from voiceops.engine.review.plan_checks import Checks
from voiceops.model.graph import Graph
from voiceops.providers.secret_values import Secrets
from voiceops.providers.snapshot_reader import Accounts
from voiceops.state.ledger import Ledger
from voiceops.state.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """How much of the history stays: that many entries of either sort, and for that many days."""

    keep: int = 200
    days: int = 400


@dataclass(frozen=True, slots=True)
class Job:
    """Everything that planning and applying work on; what one apply learns and makes is its session's."""

    graph: Graph
    ledger: Ledger  # as it was read when the accounts were opened; an apply reads it again under the lock
    accounts: Accounts
    secrets: Secrets
    options: Options
    state_key: str = ""
    parallelism: int = 10
    urls: tuple[str, str] = ("", "")  # Vapi's and Twilio's base URLs as the project names them
    checks: Checks = field(default_factory=Checks)
    retention: Retention = field(default_factory=Retention)

    @property
    def store(self) -> Store:
        """Where the ledger is kept."""
        return self.ledger.store
