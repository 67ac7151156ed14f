"""The control endpoint from Python, for tests. docs/sandbox.md describes what each call does."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Any, Self

import httpx


class SandboxClient:
    """One sandbox's control endpoint: `http://127.0.0.1:PORT/_sandbox`."""

    def __init__(self, url: str) -> None:
        # Plain HTTP to this machine: no certificates, no proxy, and no connection that outlives its request.
        self._http = httpx.Client(
            base_url=url,
            verify=False,
            trust_env=False,
            timeout=30,
            limits=httpx.Limits(max_keepalive_connections=0),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def switches(self, **changes: Any) -> dict[str, Any]:
        """Change switches (none: only look), and get them all."""
        found: dict[str, Any] = self._call("PATCH", "/switches", changes)
        return found

    def fault(self, kind: str, **rule: Any) -> str:
        """Add a fault rule, and get its id."""
        return str(self._call("POST", "/faults", {"kind": kind, **rule})["id"])

    def faults(self) -> list[dict[str, Any]]:
        """The rules in force, with how often each has matched and fired."""
        found: list[dict[str, Any]] = self._call("GET", "/faults")
        return found

    def clear_faults(self, id_: str = "") -> None:
        """Take out one rule, or all."""
        self._call("DELETE", f"/faults/{id_}" if id_ else "/faults")

    def release(self, id_: str = "") -> int:
        """Let paused requests go on, and get how many there were."""
        return int(self._call("POST", "/release", {"id": id_})["released"])

    def wait_for_pause(self, id_: str, timeout: float = 60.0) -> None:
        """Until a request waits on this rule. Raises TimeoutError."""
        until = time.monotonic() + timeout
        while not any(rule["id"] == id_ and rule["waiting"] for rule in self.faults()):
            if time.monotonic() > until:
                raise TimeoutError(f"no request has come to {id_}")
            time.sleep(0.005)

    def outcome(self, outcome: str = "", **order: Any) -> str:
        """Order how simulations and evals end (passed, failed, canceled, error, hang; empty: as they come), and get the
        order's id."""
        return str(self._call("POST", "/outcomes", {"outcome": outcome, **order})["id"])

    def outcomes(self) -> list[dict[str, Any]]:
        """The orders in force, with how often each has matched and fired."""
        found: list[dict[str, Any]] = self._call("GET", "/outcomes")
        return found

    def clear_outcomes(self, id_: str = "") -> None:
        """Take out one order, or all. What hangs already goes on hanging."""
        self._call("DELETE", f"/outcomes/{id_}" if id_ else "/outcomes")

    def runs(self) -> dict[str, Any]:
        """How many simulations and evals were started, how they ended, and the most that ran at once."""
        found: dict[str, Any] = self._call("GET", "/runs")
        return found

    def requests(self, vendor: str = "", method: str = "", path: str = "") -> list[dict[str, Any]]:
        """The requests since the last reset."""
        params = {"vendor": vendor, "method": method, "path": path}
        found: list[dict[str, Any]] = self._call("GET", "/requests", params=params)
        return found

    def counts(self) -> dict[str, Any]:
        """How many requests and writes there were, and what was bought."""
        found: dict[str, Any] = self._call("GET", "/counts")
        return found

    def reset_requests(self) -> None:
        """Forget the requests so far."""
        self._call("DELETE", "/requests")

    def make_calls(self, n: int, scenario: str = "steady", *, days: float = 14, seed: int = 1) -> int:
        """Add made-up calls of the agents and lines that are there, and get how many."""
        data = {"n": n, "scenario": scenario, "days": days, "seed": seed}
        return int(self._call("POST", "/calls", data)["made"])

    def objects(self, collection: str) -> list[dict[str, Any]]:
        """What a collection holds, as it is kept: secrets included, visible or not."""
        found: list[dict[str, Any]] = self._call("GET", "/objects", params={"collection": collection})[collection]
        return found

    def dump(self) -> dict[str, list[dict[str, Any]]]:
        """Everything that is kept, by collection."""
        found: dict[str, list[dict[str, Any]]] = self._call("GET", "/objects")
        return found

    def object(self, id_: str) -> dict[str, Any]:
        """One object as it is kept. Raises ValueError: when there is none with this id."""
        found: dict[str, Any] = self._call("GET", f"/objects/{id_}")
        return found

    def create(self, collection: str, body: dict[str, Any]) -> dict[str, Any]:
        """An object that nobody checked."""
        found: dict[str, Any] = self._call("POST", "/objects", {"collection": collection, "body": body})
        return found

    def edit(
        self,
        id_: str,
        merge: dict[str, Any] | None = None,
        *,
        set_: dict[str, Any] | None = None,
        unset: tuple[str, ...] = (),
    ) -> dict[str, Any]:
        """An edit in the dashboard: `merge` deeply, `set_` and `unset` by path (`model.messages[0].content`)."""
        data = {"merge": merge or {}, "set": set_ or {}, "unset": list(unset)}
        found: dict[str, Any] = self._call("PATCH", f"/objects/{id_}", data)
        return found

    def delete(self, id_: str) -> None:
        """Delete an object as somebody in the dashboard would."""
        self._call("DELETE", f"/objects/{id_}")

    def duplicate(self, id_: str, **merge: Any) -> dict[str, Any]:
        """A copy under a new id, as the dashboard's Duplicate makes one."""
        found: dict[str, Any] = self._call("POST", f"/objects/{id_}/duplicate", {"merge": merge})
        return found

    def pin(self, id_: str) -> None:
        """Pin an assistant or a tool: who deletes it is answered with 409, until `unpin`."""
        self._call("PUT", f"/pins/{id_}")

    def unpin(self, id_: str) -> None:
        """Let an object be deleted again."""
        self._call("DELETE", f"/pins/{id_}")

    def seed(
        self, collection: str, count: int, body: dict[str, Any], *, created_at: str = "", step: int = 0
    ) -> list[str]:
        """Many objects at once, `{n}` in the body their number; `step` is the milliseconds between them."""
        data = {"collection": collection, "count": count, "body": body, "createdAt": created_at, "step": step}
        found: list[str] = self._call("POST", "/seed", data)["ids"]
        return found

    def numbers(self) -> list[dict[str, Any]]:
        """The Twilio account's numbers."""
        found: list[dict[str, Any]] = self._call("GET", "/numbers")
        return found

    def number(self, number: str) -> dict[str, Any]:
        """One of the Twilio account's numbers. Raises StopIteration: when the account has no such number."""
        return next(item for item in self.numbers() if item["phone_number"] == number)

    def add_number(self, number: str, **fields: Any) -> dict[str, Any]:
        """A number that the account owns from now on, unbought."""
        found: dict[str, Any] = self._call("POST", "/numbers", {"number": number, **fields})
        return found

    def edit_number(self, number: str, **fields: Any) -> dict[str, Any]:
        """An edit in Twilio's console, in the names of its answers: `voice_url=…`."""
        found: dict[str, Any] = self._call("PATCH", f"/numbers/{number}", fields)
        return found

    def deprecations(self, *models: dict[str, str]) -> None:
        """The models that Vapi is going to retire, all of them: provider, model, deprecationDate, retirementDate, and
        replacementModel where there is one."""
        self._call("PUT", "/deprecations", list(models))

    def reset(self) -> None:
        """As new: no objects, faults, log or changed switches; the numbers given at the start are there."""
        self._call("POST", "/reset")

    def _call(self, method: str, path: str, data: Any = None, params: dict[str, str] | None = None) -> Any:
        response = self._http.request(method, path, json=data, params=params)
        if response.status_code >= 400:
            raise ValueError(f"{method} /_sandbox{path}: {response.text}")
        return response.json()
