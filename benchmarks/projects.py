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


_HEAD = "You answer the phone for branch {n} of a small chain of shops, and you are called Ada.\n"
_RULES = tuple(
    f"- Rule {number}: when a caller asks about {what}, say in one short sentence what you know, then ask one question."
    for number, what in enumerate(
        (
            *("an order", "a parcel", "a return", "a refund", "an exchange", "opening hours", "a branch", "parking"),
            *("a gift card", "a discount", "an invoice", "a complaint", "a repair", "a warranty", "an address"),
            *("a name", "a size", "a colour", "stock", "a delivery day", "a missing item", "a broken item"),
            *("a late parcel", "a wrong parcel", "their account", "a password", "a newsletter", "a job", "the owner"),
        ),
        1,
    )
)
_TOOL = """\
kind: Tool
name: tool-{n}
spec:
  type: function
  function:
    name: lookup_{n}
    description: Finds an order of branch {n} by its number, and says when it comes.
    parameters:
      type: object
      properties:
        orderNumber: {{type: string, description: The number of the order}}
        postcode: {{type: string, description: The postcode that it goes to}}
        reason:
          type: string
          enum: [late, broken, wrong, other]
          description: Why the caller asks
        items:
          type: array
          items:
            type: object
            properties:
              sku: {{type: string}}
              count: {{type: integer, minimum: 1}}
            required: [sku, count]
      required: [orderNumber]
"""
_AGENT = """\
kind: Agent
name: agent-{n}
spec:
  firstMessage: Hello, this is branch {n}, how can I help?
  model:
    provider: openai
    model: gpt-4.1-mini
    temperature: 0.3
    maxTokens: 400
    systemPrompt: {prompt}
    tools: [tool-{one}, tool-{other}, {{type: endCall}}]
  voice: voice-{voice}
  transcriber: phone-line
"""
_VOICES = 5
_A_FILE = 50  # manifests in one file


def write_realistic_project(folder: Path, *, tools: int, agents: int, prompts: str = "blocks") -> None:
    """`tools` tools with parameters of some size, and `agents` agents with prompts of 30 lines: as `blocks` of text in
    their YAML, or as Markdown `files` of their own. Voices and the transcriber are shared by name."""
    (folder / "agents" / "prompts").mkdir(parents=True)
    (folder / "voiceops.yaml").write_text("version: 1\nproject: bench\nenvironments: [live]\n")
    parts = [
        f"kind: Voice\nname: voice-{n}\nspec: {{provider: 11labs, voiceId: sarah, speed: 1.0{n}}}\n"
        for n in range(_VOICES)
    ]
    parts.append(
        "kind: Transcriber\nname: phone-line\n"
        "spec: {provider: deepgram, model: nova-2, language: en, endpointing: 250}\n"
    )
    _write(folder / "agents" / "parts", parts)
    _write(folder / "agents" / "tools", [_TOOL.format(n=n) for n in range(tools)])
    documents = []
    for n in range(agents):
        lines = [_HEAD.format(n=n).rstrip(), *_RULES]
        if prompts == "files":
            (folder / "agents" / "prompts" / f"agent-{n}.md").write_text("\n".join(lines) + "\n")
            prompt = f"${{file:prompts/agent-{n}.md}}"
        else:
            prompt = "|\n" + "\n".join(f"      {line}" for line in lines)
        used = {"one": n % tools, "other": (n * 7 + 1) % tools, "voice": n % _VOICES}
        documents.append(_AGENT.format(n=n, prompt=prompt, **used))
    _write(folder / "agents" / "agents", documents)


def _write(stem: Path, documents: list[str]) -> None:
    for start in range(0, len(documents), _A_FILE):
        stem.with_name(f"{stem.name}-{start}.yaml").write_text("---\n".join(documents[start : start + _A_FILE]))
