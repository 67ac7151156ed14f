"""Adopt: take one live object into the state, as the live side of a manifest. Nothing live is changed."""

from __future__ import annotations

from voiceops.apply.adopting import adopt as adopt_now
from voiceops.errors import VoiceopsError
from voiceops.use.load_project import Loaded
from voiceops.use.no_manifest import no_manifest
from voiceops.use.open_job import open_job
from voiceops.use.origin import origin
from voiceops.use.scope_and_terms import Scope, check_adopts, options_of
from voiceops.use.state_place import check_place


async def adopt(loaded: Loaded, address: str, id_: str, *, local_state: bool = False) -> str:
    """Let the live object `id_` stand for the manifest at `address`; gives the object's live name.

    `local_state`: the state in a pipeline's checkout is meant. Raises VoiceopsError where there is no such manifest or
    object, or it is managed already; Locked, Refused, StateError and ProviderError.
    """
    check_adopts(loaded.project)
    check_place(loaded.project, local=local_state, environ=loaded.context.environ)
    if address not in loaded.graph.resources:
        what, hint = no_manifest(loaded.graph, address)
        raise VoiceopsError(what, hint=hint)
    async with open_job(loaded, options_of(loaded.project, Scope())) as job:
        return await adopt_now(job, address, id_, origin(loaded.project.root, loaded.environ))
