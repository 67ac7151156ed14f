"""What the environment tells the runtime: secrets, store, limits. Read once, at the start.

Knows the variables' names and defaults; opens nothing. A missing secret stops the start, not the first call.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from voiceops.errors import VoiceopsError
from voiceops.model.env_values import checked, trimmed, url_problem
from voiceops.model.privacy import Privacy

_SECRETS = (
    "VAPI_WEBHOOK_SECRET",
    "TWILIO_AUTH_TOKEN",
    "VAPI_API_KEY",
    "VOICEOPS_DASHBOARD_TOKEN",
    "VOICEOPS_METRICS_TOKEN",
)
DEFAULT_PORT = 8080
REDACTABLE = ("transcripts", "recordings")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One runtime's settings. Secrets come with their predecessors, so that a rotation loses no request."""

    database: str
    vapi_secrets: tuple[bytes, ...] = field(repr=False)
    twilio_tokens: tuple[str, ...] = field(default=(), repr=False)
    vapi_key: str = field(default="", repr=False)
    vapi_url: str = "https://api.vapi.ai"
    dashboard_token: str = field(default="", repr=False)
    metrics_token: str = field(default="", repr=False)
    max_body: int = 5_000_000
    rate: float = 0.0  # requests a second and source; 0: no limit
    answer_seconds: float = 6.0  # for Vapi to answer before a runtime-answered line falls back
    assistant_seconds: float = 6.5  # Vapi waits 7.5 s for an assistant-request
    stale_seconds: float = 2.0
    keep_days: float = 30.0
    keep_claims_days: float = 7.0
    session_seconds: float = 3600.0  # that a value of a call's session is kept after it was written last
    redact: tuple[str, ...] = ()  # of stored reports, once they were worked on: transcripts, recordings
    power_safe: bool = True  # reports outlive a power cut, not only a crash
    telemetry: Mapping[str, str] = field(default_factory=dict, repr=False)  # OTEL_…, where they ask for spans

    @classmethod
    def from_environ(
        cls, environ: Mapping[str, str], *, database: str, answers_lines: bool, vapi_url: str = ""
    ) -> Settings:
        """Raises VoiceopsError that names every secret that is missing."""
        environ = trimmed(environ)
        for name in (*_SECRETS, *(f"{name}_PREVIOUS" for name in _SECRETS)):
            if environ.get(name):
                checked(name, environ[name])
        missing = [] if environ.get("VAPI_WEBHOOK_SECRET") else ["VAPI_WEBHOOK_SECRET"]
        if answers_lines:
            missing += [name for name in ("TWILIO_AUTH_TOKEN", "VAPI_API_KEY") if not environ.get(name)]
        if missing:
            raise VoiceopsError(
                f"the runtime can't start: {', '.join(missing)} {'is' if len(missing) == 1 else 'are'} not set",
                hint="Set them, or put them into .env. Without them nobody could be told from an impostor.",
            )
        return cls(
            database=environ.get("VOICEOPS_RUNTIME_DB") or database,
            vapi_secrets=tuple(text.encode() for text in _rotating(environ, "VAPI_WEBHOOK_SECRET")),
            twilio_tokens=tuple(_rotating(environ, "TWILIO_AUTH_TOKEN")),
            vapi_key=environ.get("VAPI_API_KEY", ""),
            vapi_url=_address(vapi_url or environ.get("VAPI_BASE_URL") or "https://api.vapi.ai"),
            dashboard_token=environ.get("VOICEOPS_DASHBOARD_TOKEN", ""),
            metrics_token=environ.get("VOICEOPS_METRICS_TOKEN", ""),
            max_body=int(_number(environ, "VOICEOPS_MAX_BODY", 5_000_000)),
            rate=_number(environ, "VOICEOPS_RATE_LIMIT", 0.0),
            answer_seconds=_number(environ, "VOICEOPS_ANSWER_SECONDS", 6.0),
            keep_days=_number(environ, "VOICEOPS_KEEP_DAYS", 30.0),
            session_seconds=_number(environ, "VOICEOPS_SESSION_SECONDS", 3600.0),
            redact=_redact(environ.get("VOICEOPS_REDACT", "")),
            power_safe=environ.get("VOICEOPS_POWER_SAFE", "1") != "0",
            telemetry={k: v for k, v in environ.items() if k.startswith("OTEL_")} if span_exporters(environ) else {},
        )


def private(settings: Settings, privacy: Privacy) -> Settings:
    """With what the project's `privacy:` asks of stored messages beside what the environment asks."""
    asked = {name for name in REDACTABLE if getattr(privacy, name) == "drop"}
    keep = settings.keep_days
    if isinstance(privacy.transcripts, int):
        keep = min(keep, float(privacy.transcripts))  # messages hold what was said, too
    redact = tuple(name for name in REDACTABLE if name in asked or name in settings.redact)
    return replace(settings, redact=redact, keep_days=keep)


def _address(url: str) -> str:
    if problem := url_problem(url):
        raise VoiceopsError(f"VAPI_BASE_URL is no address: {problem}", hint="Correct it, or unset it.")
    return url.rstrip("/")


def span_exporters(environ: Mapping[str, str]) -> list[str]:
    """The exporters of spans that OpenTelemetry's variables name; empty: no spans are wanted."""
    if environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return []
    named = [name.strip().lower() for name in environ.get("OTEL_TRACES_EXPORTER", "").split(",") if name.strip()]
    if named:
        return [name for name in named if name != "none"]
    asking = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
    return ["otlp"] if any(environ.get(name) for name in asking) else []


def _rotating(environ: Mapping[str, str], name: str) -> list[str]:
    return [value for value in (environ.get(name), environ.get(f"{name}_PREVIOUS")) if value]


def _redact(text: str) -> tuple[str, ...]:
    names = tuple(part for part in (part.strip().lower() for part in text.split(",")) if part)
    for name in names:
        if name not in REDACTABLE:
            raise VoiceopsError(
                f"VOICEOPS_REDACT names {name!r}, which is nothing that can be redacted",
                hint=f"What there is: {', '.join(REDACTABLE)}. Nothing would be redacted by another name.",
            )
    return names


def _number(environ: Mapping[str, str], name: str, default: float) -> float:
    text = environ.get(name)
    if not text:
        return default
    try:
        value = float(text)
        if not 0 <= value < 1e12:
            raise ValueError
    except ValueError:
        raise VoiceopsError(f"{name} must be a number, not {text!r}", hint="Correct it, or unset it.") from None
    return value
