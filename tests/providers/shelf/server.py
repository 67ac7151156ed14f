"""Shelf itself, over real sockets. `drop` makes it lose that many answers to creations after executing them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.support.odd_server import Asked, odd_server


@dataclass(slots=True)
class Labels:
    """What is on the shelf, by number, and which writes there were."""

    url: str = ""
    held: dict[str, dict[str, Any]] = field(default_factory=dict)
    writes: list[tuple[str, str]] = field(default_factory=list)
    drop: int = 0
    busy: int = 0

    def answer(self, asked: Asked) -> None:
        number = asked.path.removeprefix("/labels").lstrip("/")
        if asked.method == "GET":
            if not number:
                asked.json(list(self.held.values()))
            elif number in self.held:
                asked.json(self.held[number])
            else:
                asked.json({"message": "no such label"}, 404)
            return
        if self.busy:
            self.busy -= 1
            asked.json({"message": "come back later"}, 503)
            return
        self.writes.append((asked.method, asked.path))
        body = json.loads(asked.content) if asked.content else {}
        if asked.method == "POST":
            number = f"L{len(self.writes)}"
            self.held[number] = {"number": number, "colour": "white", **body}
            if self.drop:
                self.drop -= 1
                asked.raw(b"<html>", 200)
                return
            asked.json(self.held[number], 201)
        elif number not in self.held:
            asked.json({"message": "no such label"}, 404)
        elif asked.method == "DELETE":
            del self.held[number]
            asked.head(204)
        else:
            self.held[number] |= body
            asked.json(self.held[number])


@contextmanager
def shelf() -> Iterator[Labels]:
    """A shelf of its own."""
    labels = Labels()
    with odd_server(labels.answer) as server:
        labels.url = server.url
        yield labels
