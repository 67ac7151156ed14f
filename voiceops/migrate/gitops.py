"""A VapiAI/gitops checkout as objects that manifests can be written for, each with the live id that it has.

Reads the folder and nothing else; nothing of it is run, and no link in it is followed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from voiceops.adopt.found import Found
from voiceops.errors import Diagnostic, InvalidProject, Mark
from voiceops.kinds.registry import KINDS
from voiceops.migrate.checkout import Checkout, Key, Organization, read_checkout
from voiceops.migrate.folder_walk import Skipped
from voiceops.migrate.manifest_names import manifest_names
from voiceops.migrate.migration import Fileless, Migration, MovedAccount, Renamed
from voiceops.migrate.named_references import Dangling, Linker, Met, credential_id, is_stock, token_of
from voiceops.migrate.new_spellings import newly_spelled
from voiceops.model.address import address
from voiceops.model.values import format_path, get_path

_OUTSIDE = "Its key is kept by Vapi and can't be read"


def read_gitops(root: Path, org: str | None = None, *, skip_dangling: bool = False) -> Migration:
    """Everything that a checkout holds, or what of it belongs to one organization.

    Raises InvalidProject: it is no such folder, something in it can't be read, or a reference leads to nothing and is
    not to be left out (`skip_dangling`).
    """
    checkout = read_checkout(root, org)
    mets = [Met() for _ in checkout.organizations]
    bodies = [_bodies(one, met, checkout) for one, met in zip(checkout.organizations, mets, strict=True)]
    dangling = [one for met in mets for one in met.dangling]
    if dangling and not skip_dangling:
        raise InvalidProject(_unique(_dangling(one, "error") for one in dangling))
    names = _names(checkout, mets)
    accounts = tuple(
        _account(one, body, names, met, checkout)
        for one, body, met in zip(checkout.organizations, bodies, mets, strict=True)
    )
    unknown = [one for met in mets for one in met.unknown]
    return Migration(
        accounts=accounts,
        renamed=tuple(Renamed(kind, id_, name) for (kind, id_), name in sorted(names.items()) if name != id_),
        skipped=(*checkout.skipped, *_stock(checkout)),
        notes=tuple(_unique([*(_dangling(one, "warning") for one in dangling), *map(_unknown, unknown)])),
        equal_names=equal_names(accounts),
    )


def _bodies(organization: Organization, met: Met, checkout: Checkout) -> dict[Key, dict[str, Any]]:
    linker = Linker(organization, met, checkout.organizations)
    return {
        key: newly_spelled(resource.kind, linker.body(resource))
        for key, resource in organization.resources.items()
        if not is_stock(organization, key)
    }


def _names(checkout: Checkout, mets: Iterable[Met]) -> dict[Key, str]:
    """A manifest's name for everything that gets a manifest, the same in all organizations."""
    uuids: dict[Key, str] = {}
    for one, met in zip(checkout.organizations, mets, strict=True):
        for key in one.resources:
            if not is_stock(one, key) and not uuids.get(key):
                uuids[key] = one.ids.uuids.get(key, "")
        for name in met.credentials:
            uuids.setdefault(("Credential", name), "")
    return manifest_names(uuids)


def _account(
    organization: Organization,
    bodies: Mapping[Key, dict[str, Any]],
    names: Mapping[Key, str],
    met: Met,
    checkout: Checkout,
) -> MovedAccount:
    everywhere = [one.environment for one in checkout.organizations]
    uuids = organization.ids.uuids
    found, variables = [], dict(organization.ids.variables)
    for key, body in bodies.items():
        here = [one.environment for one in checkout.organizations if key in one.resources and not is_stock(one, key)]
        found.append(
            Found(
                kind=key[0],
                body=body,
                id=uuids.get(key, ""),
                wanted=names[key],
                alias=token_of(*key),
                authored=True,
                comments=_one_sided(key, body, bodies, names) if key in uuids else (),
                environments=() if here == everywhere else tuple(here),
            )
        )
    for name in sorted(met.credentials):
        held = [credential_id(one, name) for one in checkout.organizations]
        live = credential_id(organization, name)
        if len(set(held)) > 1:
            variable = f"credential-{names['Credential', name]}"
            variables[variable] = live
            live = f"${{var:{variable}}}"
        found.append(
            Found(
                kind="Credential",
                body={},
                id=live,
                wanted=names["Credential", name],
                alias=met.credentials[name],
                outside=_OUTSIDE,
            )
        )
    return MovedAccount(
        name=organization.environment,
        found=tuple(found),
        ids={address(key[0], names[key]): uuids[key] for key in bodies if key in uuids},
        variables=variables,
        connection=organization.connection,
        fileless=_fileless(organization),
        creates=tuple(address(key[0], names[key]) for key in bodies if key not in uuids),
    )


def _one_sided(
    key: Key, body: Mapping[str, Any], bodies: Mapping[Key, dict[str, Any]], names: Mapping[Key, str]
) -> tuple[str, ...]:
    """What an output says of agents that don't say it themselves: there it would be sent."""
    agents = {token_of(*other): other for other in bodies if other[0] == "Agent"}
    found = []
    for token in map(str, body.get("assistantIds") or () if KINDS[key[0]].agent_list else ()):
        list_ = KINDS[key[0]].agent_list
        linked = get_path(bodies[agents[token]], ("artifactPlan", list_)) if token in agents else [token_of(*key)]
        if not (isinstance(linked, list) and token_of(*key) in linked):
            agent = address("Agent", names[agents[token]])
            found.append(f"assistantIds names {agent}, whose own {list_} does not name this one.")
    return tuple(found)


def _fileless(organization: Organization) -> tuple[Fileless, ...]:
    found = []
    for (kind, id_), uuid in sorted(organization.ids.uuids.items()):
        if kind == "Credential" or (kind, id_) in organization.resources or is_stock(organization, (kind, id_)):
            continue
        ignored = organization.ignored.get((kind, id_))
        found.append(Fileless(kind, id_, uuid, f".vapi-ignore: {ignored}" if ignored else "it has no file"))
    return tuple(found)


def _stock(checkout: Checkout) -> list[Skipped]:
    files = {
        one.resources[key].body.file for one in checkout.organizations for key in one.resources if is_stock(one, key)
    }
    return [Skipped(file, "Vapi's own, the same in every organization: it stays by its id") for file in sorted(files)]


def equal_names(accounts: Iterable[MovedAccount]) -> dict[str, tuple[str, ...]]:
    """Objects of one kind and one live name, by that name."""
    named: dict[str, dict[str, None]] = {}
    for account in accounts:
        for one in account.found:
            name = KINDS[one.kind].name_of(one.body) if not one.outside else None
            if name:
                named.setdefault(f'{one.kind} "{name}"', {}).setdefault(address(one.kind, one.wanted))
    return {name: tuple(found) for name, found in sorted(named.items()) if len(found) > 1}


def _dangling(one: Dangling, severity: Any) -> Diagnostic:
    left_out = severity == "warning"
    return Diagnostic(
        code="reference",
        severity=severity,
        summary=_at(one, one.why) + (": left out" if left_out else ""),
        mark=one.mark,
        hint="" if left_out else "Mend the name, or leave such references out with --skip-dangling.",
    )


def _unknown(one: Dangling) -> Diagnostic:
    return Diagnostic(
        code="reference-id",
        severity="warning",
        summary=_at(one, f"{one.kind} {one.text}: {one.why}; the id stays as it is"),
        mark=one.mark,
    )


def _at(one: Dangling, text: str) -> str:
    """With the path, where the mark doesn't tell it."""
    return text if one.mark.path else f"{format_path(one.path)}: {text}"


def _unique(found: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Each once: organizations may share their files."""
    by_place: dict[tuple[str, Mark | None], Diagnostic] = {}
    for one in found:
        by_place.setdefault((one.summary, one.mark), one)
    return list(by_place.values())
