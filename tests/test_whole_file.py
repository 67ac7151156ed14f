"""A file written whole."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from voiceops.whole_file import write_new, write_whole


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_it_takes_the_place_of_what_is_there_with_its_rights(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"old")
    path.chmod(0o640)
    write_whole(path, b"new")
    assert (path.read_bytes(), mode_of(path)) == (b"new", 0o640)
    write_whole(path, b"secret", mode=0o600)
    assert (path.read_bytes(), mode_of(path)) == (b"secret", 0o600)
    assert names(tmp_path) == ["a"]


def test_a_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").write_bytes(b"old")
    write_whole(tmp_path / "a", b"new")
    assert (tmp_path / "a").is_symlink()
    assert (tmp_path / "b").read_bytes() == b"new"


def test_what_a_kill_left_is_in_nobodys_way(tmp_path: Path) -> None:
    (tmp_path / ".a.new").write_bytes(b"half")
    write_new(tmp_path / "a", b"whole")
    assert (tmp_path / "a").read_bytes() == b"whole"
    assert names(tmp_path) == ["a"]


def test_nothing_new_is_written_over_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"theirs")
    (tmp_path / "b").symlink_to("nowhere")
    for name in ("a", "b"):
        with pytest.raises(FileExistsError):
            write_new(tmp_path / name, b"ours")
    assert (tmp_path / "a").read_bytes() == b"theirs"
    assert names(tmp_path) == ["a", "b"]


def test_where_it_cannot_be_written_all_is_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(OSError, match="directory"):
        write_whole(tmp_path / "a", b"x")
    assert names(tmp_path) == ["a"]
