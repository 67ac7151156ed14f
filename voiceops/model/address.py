"""Addresses (`Kind/name`, `Kind/name[key]`, `Phone/name/twilio`): how a manifest's object is called everywhere."""

from __future__ import annotations

import re

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}\Z")
ADDRESS = re.compile(
    r"(?P<kind>[A-Z][A-Za-z]*)/(?P<name>[a-z0-9][a-z0-9-]{0,62})(?:\[(?P<key>[a-z0-9][a-z0-9-]{0,62})\])?"
    r"(?P<side>/twilio)?\Z"
)
LOCAL = re.compile(r"(?P<name>[a-z0-9][a-z0-9-]{0,62})(?:\[(?P<key>[a-z0-9][a-z0-9-]{0,62})\])?\Z")

TWILIO_SIDE = "/twilio"


def address(kind: str, name: str, key: str | None = None) -> str:
    """The address of a manifest, or of its instance `key`."""
    return f"{kind}/{name}[{key}]" if key is not None else f"{kind}/{name}"


def kind_of(text: str) -> str:
    """The kind of the object at an address: `Agent` of `Agent/front-desk`."""
    return text.partition("/")[0]


def name_of(text: str) -> str:
    """`name` or `name[key]`, without kind and without the Twilio side."""
    return owner_of(text).partition("/")[2]


def twilio_side(text: str) -> str:
    """The address of a phone line's Twilio settings: the second of the two objects behind one Phone."""
    return text + TWILIO_SIDE


def is_twilio_side(text: str) -> bool:
    """Is it the address of a phone line's Twilio settings?"""
    return text.endswith(TWILIO_SIDE)


def deposed(text: str, id_: str) -> str:
    """The address of an object that was replaced and is still to be deleted."""
    return f"{text}/deposed/{id_}"


def owner_of(text: str) -> str:
    """The manifest's address for an object's address: `Phone/line/twilio` belongs to `Phone/line`."""
    return text.partition("/deposed/")[0].removesuffix(TWILIO_SIDE)
