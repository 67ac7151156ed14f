"""Plans to render: a small one of everything, 300 changes with long prompts, and one whose values attack the page."""

from __future__ import annotations

import random
from dataclasses import replace

from tests.support.world import World, agent, graph, phone, resource, tool
from voiceops.engine.review.plan_checks import Checks, checked
from voiceops.model.graph import Graph
from voiceops.model.plan import Plan
from voiceops.model.values import Ref

ATTACKS = (
    "</details></summary><script>alert(1)</script>",
    "```\n````\n```````\n# out of the fence\n@octocat @org/team",
    "`` ` ```",
    "| a | b |\n|---|---|",
    '"><img src=https://evil.example/x onerror=alert(1)>',
    "]]> --> </style></script><!--",
    "![x](https://evil.example/p.png) [y](javascript:alert(1)) https://evil.example",
    "\u202egnirts\u2066 zero\u200bwidth \x00 \x1b[31m \u2028 \ud800",
    "$`x`$ $$y$$ \\(z\\) &lt;b&gt; &#64;octocat",
    "\r```\r\n</details>\r",
    "{{ 7*7 }}{% for x in y %}{# gone #}{{ cycler.__init__.__globals__ }}",
)


def words(count: int, seed: int) -> str:
    """A prompt of lines, the same every time."""
    pick = random.Random(seed)
    known = ["order", "caller", "number", "delivery", "tomorrow", "please", "repeat", "spell", "hours", "never", "ask"]
    lines = [" ".join(pick.choices(known, k=pick.randint(4, 16))).capitalize() + "." for _ in range(count // 10)]
    return "\n".join(lines) + "\n"


def model(prompt: str, name: str = "gpt-4.1-mini") -> dict[str, object]:
    return {"provider": "openai", "model": name, "messages": [{"role": "system", "content": prompt}]}


VOICE = {"provider": "11labs", "voiceId": "sarah", "model": "eleven_turbo_v2_5"}
TRANSCRIBER = {"provider": "deepgram", "model": "nova-2", "endpointing": 200}


def small() -> tuple[Plan, Graph]:
    """A line whose agent gets another model, voice and prompt; a tool deleted, a tool made, an agent unchanged."""
    world = World()
    used = Ref("Tool/orders")
    old = agent(
        "desk", model=model("Be kind.\nAsk once.\nSay goodbye.\n") | {"toolIds": [Ref("Tool/old"), used]}, voice=VOICE
    )
    for item in (tool("old"), tool("orders"), agent("quiet"), old, phone("line", "Agent/desk")):
        world.manage(item)
    new = agent(
        "desk",
        model=model("Be kind and patient.\nAsk once.\nSay goodbye.\n", "gpt-4.1")
        | {"toolIds": [used, Ref("Tool/new")]},
        voice=VOICE | {"voiceId": "paula"},
        transcriber=TRANSCRIBER,
    )
    desired = graph(tool("orders"), tool("new"), agent("quiet"), new, phone("line", "Agent/desk"))
    return checked(world.plan(desired), desired, Checks(), force=False), desired


def many(count: int = 300, length: int = 3_000) -> tuple[Plan, Graph]:
    """`count` changes: prompts edited, objects made and deleted, and lines that lead to them."""
    world, desired = World(), []
    for index in range(count):
        prompt = words(length, index)
        name = f"agent-{index:03}"
        match index % 5:
            case 0 | 1 | 2:
                world.manage(agent(name, model=model(prompt), voice=VOICE))
                lines = prompt.split("\n")
                lines[len(lines) // 2] = f"Line {index} is another one now."
                desired.append(agent(name, model=model("\n".join(lines)), voice=VOICE | {"voiceId": "paula"}))
            case 3:
                desired.append(agent(name, model=model(prompt), voice=VOICE))
            case 4:
                world.manage(agent(name, model=model(prompt), voice=VOICE))
    for index in range(0, count, 25):
        line = phone(f"line-{index:03}", f"Agent/agent-{index:03}", number=f"+1415555{index:04}")
        world.manage(line)
        desired.append(line)
    wanted = graph(*desired)
    plan = world.plan(wanted, force=True)
    return checked(replace(plan, numbers={}), wanted, Checks(), force=True), wanted


def attacked() -> tuple[Plan, Graph]:
    """Every attack in every place where a user's text can stand."""
    world, desired = World(), []
    for index, attack in enumerate(ATTACKS):
        name = f"a{index}"
        before = {"firstMessage": "hi", "model": model("Be kind.\n" + attack), "voice": VOICE, "notes": [attack]}
        after = {
            "firstMessage": attack,
            "model": model("Be kind!\n" + attack + "\n" + attack[::-1], attack),
            "voice": VOICE | {"voiceId": attack},
            "notes": [attack, attack + "x"],
            "metadata": {attack: attack},
        }
        world.manage(resource(f"Agent/{name}", {"name": "ok", **before}))
        desired.append(resource(f"Agent/{name}", {"name": attack, **after}))
        desired.append(resource(f"Tool/made{index}", {"type": attack, "function": {"name": attack}}, handler=attack))
        world.manage(resource(f"Tool/gone{index}", {"type": attack, "function": {"name": attack}}))
    wanted = graph(*desired)
    return checked(world.plan(wanted, force=True), wanted, Checks(), force=True), wanted
