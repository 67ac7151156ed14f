"""Opening hours: what the tool `opening-hours` answers."""


def opening_hours(day: str) -> str:
    """One sentence that the agent can say."""
    if day in ("saturday", "sunday"):
        return f"We are closed on {day.capitalize()}."
    return f"On {day.capitalize()} we are open from nine to six."
