"""`preventDestroy` of one instance, from an environment's patch: it outlives the patch and the manifest."""

from __future__ import annotations

from tests.support.bench import Bench

TENANTS = "kind: Agent\nname: desk\nforEach: [acme, fern, oak, ash]\nspec: {firstMessage: Hi}\n"
PATCH = "patches: [{target: 'Agent/desk[acme]', lifecycle: {preventDestroy: true}}]\n"


def test_one_client_s_agent_is_protected_and_the_others_are_not(live: Bench) -> None:
    live.write("agents/desk.yaml", TENANTS)
    live.write("environments/live.yaml", PATCH)
    live.apply()

    refused = live.run("destroy", "--auto-approve", "--force", code=5)

    assert "Agent/desk[acme]: is protected" in refused.err
    assert "Agent/desk[fern]" not in refused.err
    live.edit("agents/desk.yaml", "fern, ", "")
    live.apply()
    live.edit("agents/desk.yaml", "acme, ", "")
    live.write("environments/live.yaml", "")
    assert "is protected" in live.apply(code=5).err, "the state keeps it"
    live.edit("agents/desk.yaml", "[oak", "[acme, oak")
    live.apply()
    live.edit("agents/desk.yaml", "acme, ", "")
    live.apply()
    assert set(live.state()["resources"]) == {"Agent/desk[oak]", "Agent/desk[ash]"}
