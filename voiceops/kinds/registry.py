"""Every kind by name, in the order in which their objects usually come to be."""

from voiceops.kinds import (
    agent,
    credential,
    dictionary,
    eval,
    file,
    knowledge_base,
    personality,
    phone,
    scenario,
    scorecard,
    simulation,
    simulation_suite,
    squad,
    structured_output,
    tool,
)
from voiceops.kinds.base import Kind

KINDS: dict[str, Kind] = {
    module.KIND.name: module.KIND
    for module in (
        credential,
        file,
        knowledge_base,
        dictionary,
        structured_output,
        scorecard,
        tool,
        agent,
        squad,
        phone,
        personality,
        scenario,
        simulation,
        simulation_suite,
        eval,
    )
}

# Parts of others: they have no live object of their own.
PARTS = ("Voice", "Transcriber", "Model", "Server")

# Which part may stand by name at which key.
PART_KEYS = {"voice": "Voice", "transcriber": "Transcriber", "model": "Model", "server": "Server"}

ALL = [*KINDS, *PARTS]
