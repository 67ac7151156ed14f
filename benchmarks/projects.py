"""Projects of any size to measure with: tools, and agents that use them."""

from __future__ import annotations

from pathlib import Path

_PROMPT = (
    "You answer the phone for branch {n} of a small chain of shops.\\n"
    "- Speak in short sentences, one thought each.\\n"
    "- Ask one question at a time, then wait.\\n"
    "- Look orders up before you promise anything.\\n"
)


def write_project(folder: Path, *, tools: int, agents: int) -> None:
    """`tools` function tools and `agents` agents, each agent with one tool, a prompt, a voice and a transcriber."""
    (folder / "agents").mkdir(parents=True)
    (folder / "voiceops.yaml").write_text("version: 1\nproject: bench\nenvironments: [live]\n")
    documents = [
        f"kind: Tool\nname: tool-{n}\nspec:\n  type: function\n  function:\n    name: lookup_{n}\n"
        f"    description: Finds an order of branch {n}.\n"
        "    parameters: {type: object, properties: {orderNumber: {type: string}}, required: [orderNumber]}\n"
        for n in range(tools)
    ]
    (folder / "agents" / "tools.yaml").write_text("---\n".join(documents))
    for start in range(0, agents, 100):
        documents = [_agent(n, tools) for n in range(start, min(start + 100, agents))]
        (folder / "agents" / f"agents-{start}.yaml").write_text("---\n".join(documents))


def _agent(n: int, tools: int) -> str:
    return (
        f"kind: Agent\nname: agent-{n}\nspec:\n  firstMessage: Hello, branch {n}.\n  model:\n    provider: openai\n"
        f'    model: gpt-4.1-mini\n    temperature: 0.3\n    systemPrompt: "{_PROMPT.format(n=n)}"\n'
        f"    tools: [tool-{n % tools}, {{type: endCall}}]\n"
        "  voice: {provider: 11labs, voiceId: sarah}\n"
        "  transcriber: {provider: deepgram, model: nova-2, language: en, endpointing: 200}\n"
    )
