"""`calling:` from the project's files to its values, each mistake at its line."""

from __future__ import annotations

from voiceops.manifest.problems import Problems
from voiceops.model.calling import Calling, hours_of
from voiceops.model.located import Map


def calling_of(given: Map, problems: Problems) -> Calling:
    """The setting, with its defaults for what it does not say or says wrongly."""
    standard = Calling()
    start, end = standard.start, standard.end
    if hours := given.get("hours"):
        try:
            start, end = hours_of(str(hours))
        except ValueError as error:
            problems.error("calling-hours", f"{hours!r}: {error}", given.marks["hours"])
    zone = str(given.get("timezone") or "")
    if zone and not _is_zone(zone):
        problems.error(
            "calling-timezone",
            f"there is no time zone {zone!r}",
            given.marks["timezone"],
            "Write it as in America/New_York or Europe/Berlin.",
        )
    return Calling(
        start=start,
        end=end,
        days=tuple(given.get("days") or standard.days),
        timezone=zone,
        per_minute=given.get("perMinute") or standard.per_minute,
        max_concurrent=given.get("maxConcurrent") or standard.max_concurrent,
        do_not_call=str(given.get("doNotCall") or ""),
    )


def _is_zone(name: str) -> bool:
    """By the time zones of this machine; one that has none takes any name, and says so when somebody is called."""
    from zoneinfo import ZoneInfo, available_timezones

    try:
        ZoneInfo(name)
    except (ValueError, OSError):
        return False
    except KeyError:  # ZoneInfoNotFoundError
        return not available_timezones()
    return True
