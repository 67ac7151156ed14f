"""docs/adopting.md: its recipes, followed to the letter."""

from __future__ import annotations

import json
from pathlib import Path

from tests.migrate.peer_folders import Peer, R, assistant, function, put
from tests.support.account_of_forty import AccountOfForty
from tests.support.bench import bench
from tests.support.recipe import follow, page, recipe
from voiceops.sandbox.server import SandboxServer

PAGE = page("adopting.md")
NO_KEYS = dict.fromkeys(("VAPI_API_KEY", "VAPI_BASE_URL", "TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN"))


def checkout(root: Path, server: SandboxServer) -> None:
    """A small team's checkout: one organization, two agents, a tool."""
    lookup = function("lookup", server={"url": "https://crm.acme.example/lookup"})
    uses = {"toolIds": [R("tools", "lookup")]}
    agents = {"front-desk": assistant("Front desk", model=uses), "reminders": assistant("Reminders")}
    prompts = {"front-desk": "You answer the phone. Answer briefly.\n", "reminders": "You call back. Be brief.\n"}
    peer = Peer(objects={"tools": {"lookup": lookup}, "assistants": agents}, prompts=prompts)
    peer.push(server)
    peer.write(root, "resources")
    put(root, ".vapi-state.prod.json", peer.state(3))
    put(root, ".env.prod", f"VAPI_TOKEN={server.api_key}\nVAPI_BASE_URL={server.vapi_url}\n")


def test_bring_an_account_under_management(tmp_path: Path) -> None:
    with bench(tmp_path / "brightside", numbers=()) as made:
        made.remove("voiceops.yaml")
        account = AccountOfForty()
        account.plant(made.control)
        made.control.reset_requests()
        seen: list[tuple[int, str]] = []

        def look(line: str, out: str) -> None:
            seen.append((len(made.writes()), out))

        assert follow(made, recipe(PAGE, "Bring an account under management"), {}, look) == 11
        assert [writes for writes, _ in seen] == [0] * 8 + [1] * 3, "one edit is one write"
        assert "72 objects adopted" in seen[2][1]
        assert "Nothing more is unmanaged" in seen[-1][1]
        state = json.loads((made.folder / "state/live/state.json").read_text(encoding="utf-8"))
        agents = [address for address in state["resources"] if address.startswith("Agent/")]
        assert len(agents) == len(account.of("Agent")) == 40


def test_move_from_gitops(tmp_path: Path) -> None:
    with bench(tmp_path / "work", numbers=()) as made:
        made.remove("voiceops.yaml")
        checkout(made.folder / "acme-vapi", made.server)
        made.control.reset_requests()
        writes: list[int] = []

        def look(line: str, out: str) -> None:
            writes.append(len(made.writes()))

        assert follow(made, recipe(PAGE, r"Move from VapiAI/gitops"), NO_KEYS, look) == 8
        assert writes == [0, 0, 0, 0, 0, 0, 1, 2], "nothing is sent before somebody changed something"
