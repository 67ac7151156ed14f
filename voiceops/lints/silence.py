"""What happens when the caller says nothing."""

from __future__ import annotations

from collections.abc import Iterator

from voiceops.lints.context import Assistant, Context, number
from voiceops.lints.rule import lint
from voiceops.lints.spot import Finding, Spot

_DEFAULT_SILENCE = 30  # seconds after which Vapi ends a silent call
_DEFAULT_HOOK = 7.5


def _hooks(assistant: Assistant) -> list[Spot]:
    return [
        hook
        for hook in assistant.spot.items("hooks")
        if isinstance(hook.get("on"), str) and hook.get("on").startswith("customer.speech.timeout")
    ]


@lint("VO208", "silence-twice", "Two handlers speak when the caller is silent")
def silence_twice(context: Context) -> Iterator[Finding]:
    for assistant in context.assistants:
        hooks = _hooks(assistant)
        if hooks and assistant.spot.get("messagePlan", "idleMessages"):
            yield assistant.spot.finding(
                "idleMessages and a customer.speech.timeout hook both speak when the caller is silent",
                "messagePlan",
                "idleMessages",
                hint="Keep the hook: the message plan is the older way.",
            )
        seen: dict[float, int] = {}
        for hook in hooks:
            seconds = number(hook.get("options", "timeoutSeconds")) or _DEFAULT_HOOK
            if seconds in seen:
                yield hook.finding(
                    f"two customer.speech.timeout hooks act after {seconds:g} s of silence",
                    "on",
                    hint="Put their actions into one hook, or let them wait for different times.",
                )
            seen[seconds] = 1


@lint("VO209", "silence-hook-late", "A hook waits for longer than a silent call lasts")
def silence_hook_late(context: Context) -> Iterator[Finding]:
    for assistant in context.assistants:
        if assistant.override:
            continue  # the silence it is held against stands in the agent itself
        ends = number(assistant.spot.get("silenceTimeoutSeconds")) or _DEFAULT_SILENCE
        for hook in _hooks(assistant):
            seconds = number(hook.get("options", "timeoutSeconds"))
            if seconds is not None and seconds >= ends:
                yield hook.finding(
                    f"the hook acts after {seconds:g} s of silence, but the call ends after {ends:g} s",
                    "options",
                    "timeoutSeconds",
                    hint=f"Let it wait for less, or set silenceTimeoutSeconds above {seconds:g}.",
                )
