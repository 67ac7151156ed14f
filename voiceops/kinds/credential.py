"""Credential: a secret that Vapi keeps and uses.

`/credential` stands in the vendor's guides, not in the paths of its schema.
"""

from voiceops.kinds.base import Kind

KIND = Kind(
    name="Credential",
    waits=3,
    type="vapi_credential",
    path="/credential",
    title="credential",
    immutable=frozenset({"provider"}),
    patch_omits=frozenset({"provider"}),
)
