"""What every page of the dashboard has around it: its head, its ways to the other pages, its style and its policy."""

from __future__ import annotations

from dataclasses import dataclass

from voiceops.templating import inline, render_page

ASSETS = "voiceops.runtime.dashboard"
REFRESH = 60  # seconds, where somebody asked for it
_TABS = (
    ("", "Overview"),
    ("/calls", "Calls"),
    ("/agents", "Agents"),
    ("/lines", "Lines"),
    ("/tools", "Tools"),
    ("/queue", "Queue"),
    ("/runtime", "Runtime"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """`base` is the path of the overview; `proof` goes with each form that changes something."""

    base: str
    project: str
    environment: str
    about: str
    proof: str = ""
    known: bool = True  # whoever looks is logged in
    refresh: bool = False


@dataclass(frozen=True, slots=True)
class _Tab:
    name: str
    href: str
    current: bool


def headers() -> dict[str, str]:
    """What a page is sent with: nothing may load or run, and the style sheet is let in by its hash alone."""
    return {
        "content-security-policy": f"default-src 'none'; style-src '{inline(ASSETS, 'dashboard.css').hash}'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
        "cache-control": "no-store",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
    }


def framed(frame: Frame, template: str, title: str, tab: str, **values: object) -> str:
    """A page from its template; `tab` is the path of the one that it stands under. The first one of a template takes
    longer, since it is read then: for a thread.
    """
    return render_page(
        ASSETS,
        template,
        style=inline(ASSETS, "dashboard.css"),
        frame=frame,
        refresh=REFRESH if frame.refresh else 0,
        title=title,
        tabs=[_Tab(name, frame.base + path, path == tab) for path, name in _TABS] if frame.known else [],
        **values,
    )


def said(frame: Frame, title: str, text: str) -> str:
    """A page that says one thing: that something is not there, or went wrong."""
    return framed(frame, "said.html.j2", title, "-", text=text)


def login_page(frame: Frame, to: str, wrong: str = "") -> str:
    """Where the token is asked for; `to` is the address to go on to."""
    return framed(frame, "login.html.j2", "Log in", "-", to=to, wrong=wrong)
