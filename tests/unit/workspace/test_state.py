"""Where state lives: keys, modes, links, foreign folders, and paths that are too long for a socket."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import pytest

from politerm.errors import ReadOnly
from politerm.private import open_private, private_folder, read_private, replace_private
from politerm.workspace.state import SOCKET_PATH_BYTES, locate, workspace_key


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_key_is_the_real_folders_whatever_link_leads_there(tmp_path: Path) -> None:
    real = tmp_path / "a 'quoted' project"
    real.mkdir()
    (tmp_path / "link").symlink_to(real)
    assert workspace_key(real) == workspace_key(tmp_path / "link") == workspace_key(f"{real}/.")
    assert workspace_key(real) != workspace_key(tmp_path)
    assert workspace_key("/") == "8a5edab282632443"  # sha256 of "/": the key must not change between versions


def test_state_goes_where_the_environment_says(tmp_path: Path) -> None:
    key = workspace_key(tmp_path)
    assert locate(tmp_path, {"POLITERM_STATE_DIR": "/a/b"}).root == Path("/a/b") / key
    assert locate(tmp_path, {"XDG_STATE_HOME": "/x"}).root == Path("/x/politerm") / key
    assert locate(tmp_path, {"HOME": "/h"}).root == Path("/h/.local/state/politerm") / key
    paths = locate(tmp_path, {"POLITERM_STATE_DIR": "/a/b"})
    assert paths.control_socket == paths.root / "control.sock"
    assert paths.db == paths.root / "politerm.db"


def test_ensure_makes_closed_folders_and_closes_open_ones(tmp_path: Path) -> None:
    paths = locate(tmp_path, {"POLITERM_STATE_DIR": str(tmp_path / "deep" / "state")}, short_base=tmp_path)
    paths.ensure()
    assert mode(paths.root) == mode(paths.recordings) == mode(paths.runtime) == mode(paths.sockets) == 0o700
    paths.root.chmod(0o755)
    paths.ensure()
    assert mode(paths.root) == 0o700


def test_a_path_too_long_for_a_socket_gets_a_short_stand_in(tmp_path_factory: pytest.TempPathFactory) -> None:
    base = tmp_path_factory.mktemp("s")
    state = base / ("d" * 60) / ("é" * 40)
    paths = locate(base, {"POLITERM_STATE_DIR": str(state)}, short_base=base)
    assert len(os.fsencode(paths.root / "control.sock")) > SOCKET_PATH_BYTES
    assert paths.sockets.parent == base / f"politerm-{os.geteuid()}"
    assert paths == locate(base, {"POLITERM_STATE_DIR": str(state), "TMPDIR": "/else"}, short_base=base)
    assert paths.sockets != locate(base, {"POLITERM_STATE_DIR": f"{state}x"}, short_base=base).sockets
    paths.ensure()
    assert mode(paths.sockets) == mode(paths.sockets.parent) == 0o700
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(paths.control_socket))


def test_a_link_in_place_of_a_folder_is_refused(tmp_path: Path) -> None:
    paths = locate(tmp_path, {"POLITERM_STATE_DIR": str(tmp_path / "state")})
    (tmp_path / "elsewhere").mkdir()
    paths.root.parent.mkdir()
    paths.root.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ReadOnly, match="symbolic link"):
        paths.ensure()
    assert not list((tmp_path / "elsewhere").iterdir())


def test_a_link_in_place_of_the_short_folder_is_refused(tmp_path: Path) -> None:
    paths = locate(tmp_path, {"POLITERM_STATE_DIR": str(tmp_path / ("d" * 100))}, short_base=tmp_path)
    (tmp_path / "elsewhere").mkdir()
    paths.sockets.parent.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ReadOnly, match="symbolic link"):
        paths.ensure()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to another user")
def test_a_foreign_folder_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    paths = locate(tmp_path, {"POLITERM_STATE_DIR": str(tmp_path / "state")})
    paths.ensure()
    os.chown(paths.root, 12345, 12345)
    paths.root.chmod(0o755)
    with pytest.raises(ReadOnly, match="belongs to user 12345"):
        paths.ensure()
    assert mode(paths.root) == 0o755


def test_a_file_in_place_of_a_folder_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("")
    with pytest.raises(ReadOnly, match=r"state.* cannot be used"):
        locate(tmp_path, {"POLITERM_STATE_DIR": str(tmp_path / "state")}).ensure()


def test_private_files_do_not_follow_links_or_wait_for_a_fifo(tmp_path: Path) -> None:
    (tmp_path / "target").write_text("secret")
    (tmp_path / "link").symlink_to(tmp_path / "target")
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(OSError, match=r"symbolic link|Too many"):
        open_private(tmp_path / "link", os.O_RDWR)
    with pytest.raises(ReadOnly, match="regular file"):
        read_private(tmp_path / "fifo", limit=10)
    assert read_private(tmp_path / "none", limit=10) is None

    replace_private(tmp_path / "link", b"new")
    assert (tmp_path / "target").read_text() == "secret"
    assert (tmp_path / "link").read_bytes() == b"new"
    assert mode(tmp_path / "link") == 0o600


def test_a_failed_replacement_leaves_the_old_file_and_no_litter(tmp_path: Path) -> None:
    (tmp_path / "name").mkdir()
    with pytest.raises(OSError, match="directory"):
        replace_private(tmp_path / "name", b"new")
    assert [found.name for found in tmp_path.iterdir()] == ["name"]


def test_private_folder_answers_its_path(tmp_path: Path) -> None:
    assert private_folder(tmp_path / "a" / "b") == tmp_path / "a" / "b"
