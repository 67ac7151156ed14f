"""Credential: a secret that Vapi keeps and uses (`/credential`, in the vendor's guides but not in its schema's paths)."""

from voiceops.kinds.base import Kind

KIND = Kind(
    name="Credential",
    type="vapi_credential",
    path="/credential",
    title="credential",
    immutable=frozenset({"provider"}),
    patch_omits=frozenset({"provider"}),
)
