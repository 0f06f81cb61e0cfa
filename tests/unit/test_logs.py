"""Logs: JSON lines or lines for people, redacted, private, never on standard output."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from politerm import logs

log = logging.getLogger("politerm.somewhere")


def redact(text: str) -> str:
    return text.replace("s3cret", "***")


@pytest.fixture(autouse=True)
def _restore() -> Iterator[None]:
    yield
    ours = logging.getLogger("politerm")
    for handler in ours.handlers[:]:
        ours.removeHandler(handler)
        handler.close()
    ours.propagate = True
    ours.setLevel(logging.NOTSET)


def test_a_file_gets_json_lines_without_secrets(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "deep" / "politerm.log"
    logs.configure(level="INFO", file=path, redact=redact)
    log.debug("not wanted")
    log.info('key "%s"\nnext line', "s3cret", extra={"run": "run-s3cret"})
    try:
        raise ValueError("s3cret in a traceback")
    except ValueError:
        log.exception("failed")
    first, second = map(json.loads, path.read_text().splitlines())
    assert (first["level"], first["logger"], first["run"]) == ("INFO", "politerm.somewhere", "run-***")
    assert first["message"] == 'key "***"\nnext line'
    assert "ValueError: ***" in second["error"]
    assert "s3cret" not in path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600
    assert capsys.readouterr() == ("", "")


def test_without_a_file_lines_go_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    stderr = io.StringIO()
    logs.configure(level="WARNING", file=None, redact=redact, stderr=stderr)
    log.info("not wanted")
    log.warning("beware of s3cret")
    assert stderr.getvalue().endswith("WARNING politerm.somewhere: beware of ***\n")
    assert capsys.readouterr().out == ""


def test_configured_again_it_does_not_say_things_twice(tmp_path: Path) -> None:
    for name in ("a", "b"):
        logs.configure(level="INFO", file=tmp_path / name, redact=redact)
    log.info("once")
    assert not (tmp_path / "a").exists()
    assert len((tmp_path / "b").read_text().splitlines()) == 1


def test_a_link_is_not_followed_and_the_record_is_not_lost(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "target").touch()
    (tmp_path / "log").symlink_to(tmp_path / "target")
    logs.configure(level="INFO", file=tmp_path / "log", redact=redact)
    log.info("first")
    log.info("second")
    assert (tmp_path / "target").read_text() == ""
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("cannot be written") == 1
    assert "first" in err
    assert "second" in err


def test_a_log_never_grows_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "FILE_BYTES", 2000)
    logs.configure(level="INFO", file=tmp_path / "log", redact=redact)
    for _ in range(300):
        log.info("x" * 100)
    kept = sorted(tmp_path.iterdir())
    assert len(kept) == 1 + logs.KEPT_FILES
    assert sum(path.stat().st_size for path in kept) <= 2000 * len(kept)
    log.info("y" * 1_000_000)
    assert all(path.stat().st_size < 100_000 for path in tmp_path.iterdir())
    assert all(path.stat().st_mode & 0o077 == 0 for path in kept)
