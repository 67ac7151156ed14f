"""The vendor's client as data: what its classes add, and every archive that is none."""

import gzip
import io
import tarfile
import zipfile
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import pytest

from voiceops.errors import VoiceopsError
from voiceops.kinds.own_facts import own_facts
from voiceops.kinds.schema import embedded
from voiceops.vendor_facts.client_package import ClientPackage, is_client, read_client
from voiceops.vendor_facts.compare_facts import compare_facts
from voiceops.vendor_facts.facts_text import render
from voiceops.vendor_facts.from_client import over

_HEAD = """\
import typing
import pydantic
import typing_extensions
from ..core.serialization import FieldMetadata
from ..core.unchecked_base_model import UncheckedBaseModel, UnionMetadata
"""
MODULES = {
    "deepgram_voice": """
class DeepgramVoice(UncheckedBaseModel):
    voice_id: typing_extensions.Annotated[DeepgramVoiceId, FieldMetadata(alias="voiceId"), pydantic.Field(alias="x")]
    model: typing.Optional[DeepgramVoiceModel] = None
    breath_rate: typing_extensions.Annotated[
        typing.Optional[float], FieldMetadata(alias="breathRate"), pydantic.Field(alias="breathRate")
    ] = None
    api_key: typing_extensions.Annotated[typing.Optional[str], FieldMetadata(alias="apiKey")] = None
    mood: typing.Optional["Mood"] = None
    moods: typing.Optional[typing.List[Mood]] = None
    more: typing.Optional[typing.Dict[str, typing.Any]] = None
    when: typing.Optional[dt.datetime] = None
    model_config: typing.ClassVar[pydantic.ConfigDict] = pydantic.ConfigDict(extra="allow")
""",
    "deepgram_voice_id": 'DeepgramVoiceId = typing.Union[typing.Literal["asteria", "newcomer"], typing.Any]',
    "deepgram_voice_model": 'DeepgramVoiceModel = typing.Union[typing.Literal["aura-9"], typing.Any]',
    "mood": """
class Mood(UncheckedBaseModel):
    name: str
    inner: typing.Optional["Mood"] = None
    kind: typing.Union[typing.Literal["a", "b"], str]
""",
    "murmur_voice": """
class MurmurVoice(UncheckedBaseModel):
    voice_id: typing_extensions.Annotated[str, FieldMetadata(alias="voiceId")]
    warmth: typing.Optional[float] = None
""",
    "create_assistant_dto": """
class CreateAssistantDto(UncheckedBaseModel):
    voice: typing.Optional[CreateAssistantDtoVoice] = None
    tools: typing.Optional[typing.List[Whisper]] = None
""",
    "create_assistant_dto_voice": """
class CreateAssistantDtoVoice_Murmur(UncheckedBaseModel):
    provider: typing.Literal["murmur"] = "murmur"
    voice_id: typing_extensions.Annotated[str, FieldMetadata(alias="voiceId")]
    warmth: typing.Optional[float] = None

class CreateAssistantDtoVoice_Azure(UncheckedBaseModel):
    provider: typing.Literal["azure"] = "azure"

CreateAssistantDtoVoice = typing_extensions.Annotated[
    typing.Union[CreateAssistantDtoVoice_Murmur, CreateAssistantDtoVoice_Azure], UnionMetadata(discriminant="provider")
]
""",
    "whisper": "Whisper = typing.Union[Whisper, str]",
    "broken": "class Broken(:",
    "deep": "X = " + "(" * 5_000 + ")" * 5_000,
}


def _client(**modules: str) -> ClientPackage:
    return ClientPackage(modules={name: _HEAD + source for name, source in modules.items()})


@pytest.fixture(scope="module")
def found() -> Any:
    facts, notes = over(embedded(), _client(**MODULES))
    return own_facts(render(facts).encode()), notes


def test_fields_and_values_are_added_and_nothing_is_taken_away(found: Any) -> None:
    facts, _ = found
    before, after = embedded().types["DeepgramVoice"]["fields"], facts.types["DeepgramVoice"]["fields"]
    assert after["breathRate"] == {"type": "number"}
    assert after["apiKey"] == {"type": "string", "secret": True}
    assert after["mood"] == {"type": "object", "of": "Mood"}
    assert after["moods"] == {"type": "array", "items": {"type": "object", "of": "Mood"}}
    assert after["more"] == {"type": "object"}
    assert after["when"] == {"type": "string"}
    assert {"voiceId", "model", "speed"} <= before.keys() <= after.keys()
    assert "newcomer" in str(after["voiceId"])
    assert "aura-9" in after["model"]["enum"]
    assert set(before["model"]["enum"]) < set(after["model"]["enum"])
    assert facts.types["Mood"]["required"] == ["name", "kind"]
    assert facts.types["Mood"]["fields"]["kind"] == {"type": "string", "examples": ["a", "b"]}


def test_a_new_provider_is_its_class(found: Any) -> None:
    facts, _ = found
    assert facts.roots["Voice"]["variants"]["murmur"] == "MurmurVoice"
    assert facts.roots["Voice"]["variants"]["azure"] == "AzureVoice"
    voice = facts.types["MurmurVoice"]
    assert voice["fields"]["provider"] == {"type": "string", "enum": ["murmur"]}
    assert voice["required"] == ["provider", "voiceId"]
    changes = {(change.kind, change.at, change.values) for change in compare_facts(embedded(), facts)}
    assert ("new-variants", "Voice", ("murmur",)) in changes


def test_what_the_client_does_not_have_is_told_and_modules_that_are_no_python(found: Any) -> None:
    _, notes = found
    told = {(note.kind, note.where) for note in notes}
    assert ("not-in-client", "DeepgramVoice.chunkPlan") in told
    assert ("unreadable", "broken") in told
    assert not [note for note in notes if note.where == "DeepgramVoice.speed"], "a repair added it"


def _wheel(path: Path, files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def _archive(path: Path, files: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        link = tarfile.TarInfo("vapi_server_sdk-9.9.9/src/vapi/types/link.py")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    return path


_MOOD = b"class Mood:\n    name: str\n"


def test_a_wheel_an_archive_and_a_folder_hold_the_same(tmp_path: Path) -> None:
    wheel = _wheel(
        tmp_path / "vapi_server_sdk-9.9.9-py3-none-any.whl",
        {"vapi/types/mood.py": _MOOD, "vapi/client.py": b"", "vapi_server_sdk-9.9.9.dist-info/METADATA": b""},
    )
    archive = _archive(
        tmp_path / "vapi_server_sdk-9.9.9.tar.gz", {"vapi_server_sdk-9.9.9/src/vapi/types/mood.py": _MOOD}
    )
    folder = tmp_path / "site-packages"
    (folder / "vapi" / "types").mkdir(parents=True)
    (folder / "vapi" / "types" / "mood.py").write_bytes(_MOOD)
    (folder / "vapi" / "types" / "away.py").symlink_to("/etc/passwd")
    (folder / "vapi_server_sdk-9.9.9.dist-info").mkdir()
    for path in (wheel, archive, folder, folder / "vapi"):
        assert is_client(path)
        assert read_client(path) == ClientPackage(modules={"mood": _MOOD.decode()}, version="9.9.9"), path


def test_nothing_of_it_is_run(tmp_path: Path) -> None:
    mark = tmp_path / "run"
    evil = f"open({str(mark)!r}, 'w')\nclass Mood:\n    name: open({str(mark)!r}, 'w')\n"
    wheel = _wheel(tmp_path / "a.whl", {"vapi/types/mood.py": evil.encode(), "vapi/__init__.py": evil.encode()})
    over(embedded(), read_client(wheel))
    assert not mark.exists()


def _bomb(path: Path) -> Path:
    return _wheel(path, {f"vapi/types/a{n}.py": b" " * (2 << 20) for n in range(40)})


def _gzip_bomb(path: Path) -> Path:
    with gzip.open(path, "wb") as file:
        info = tarfile.TarInfo("vapi_server_sdk-1/README")
        info.size = 1 << 30
        file.write(info.tobuf())
        for _ in range(300):
            file.write(b"\0" * (1 << 20))
    return path


def _plain(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


_BAD: dict[str, tuple[Any, str]] = {
    "no-zip": (lambda path: _plain(path, b"PK\x03\x04 and nothing"), "is no archive that can be read"),
    "no-gzip": (lambda path: _plain(path, b"\x1f\x8b\x08 and nothing"), "is no archive that can be read"),
    "no-tar": (lambda path: _plain(path, gzip.compress(b"hello")), "is no archive that can be read"),
    "another-wheel": (lambda path: _wheel(path, {"other/types/a.py": b""}), "holds no client of Vapi's"),
    "empty": (lambda path: _wheel(path, {}), "holds no client of Vapi's"),
    "a-bomb": (_bomb, "holds modules of more than 64 MiB"),
    "a-bomb-in-gzip": (_gzip_bomb, "holds more than 256 MiB"),
    "many-files": (
        lambda path: _wheel(path, {f"a/{n}": b"" for n in range(20_001)}, zipfile.ZIP_STORED),
        "holds more than 20,000 files",
    ),
}


@pytest.mark.parametrize(("make", "problem"), _BAD.values(), ids=_BAD)
def test_what_is_no_client_is_told_in_one_line(tmp_path: Path, make: Any, problem: str) -> None:
    with pytest.raises(VoiceopsError) as raised:
        read_client(make(tmp_path / "client"))
    assert problem in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_wheel_that_is_cut_off(tmp_path: Path) -> None:
    whole = _wheel(tmp_path / "whole.whl", {"vapi/types/mood.py": _MOOD * 500}).read_bytes()
    for cut in range(4, len(whole), 37):
        with pytest.raises(VoiceopsError):
            read_client(_plain(tmp_path / "cut.whl", whole[:cut]))


def test_the_client_that_is_installed_says_what_the_facts_say() -> None:
    """Two thousand classes of the vendor's: what they add is few values, and nothing of the facts is missing."""
    client = read_client(Path(str(distribution("vapi-server-sdk").locate_file("vapi"))))
    assert len(client.modules) > 2_000
    facts, notes = over(embedded(), client)
    assert notes == []
    changes = compare_facts(embedded(), own_facts(render(facts).encode()))
    assert {change.kind for change in changes} <= {"new-values"}
