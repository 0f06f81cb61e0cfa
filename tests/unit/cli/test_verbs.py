"""The command line as a whole: its verbs, what it loads, `agents`, `doctor`, `demo`, `serve`."""

from __future__ import annotations

import json
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from politerm.cli import VERBS
from politerm.errors import OutsideError, TmuxMissing
from tests.unit.cli.fake import COMPLETED, STARTED, FakeWorkspace, keyboard, message, run

CONTRACT = (
    "serve run demo runs show watch replay search export stop pause resume retry interrupt send answer delete attach "
    "agents doctor"
)


def python(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, timeout=60, **options)


def test_help_names_every_verb_and_each_verb_has_its_own() -> None:
    shown = python("-m", "politerm", "--help").stdout
    for verb in CONTRACT.split():
        assert f"\n  {verb} " in shown
        assert verb in VERBS
    for verb in VERBS:
        ran = run(FakeWorkspace(), verb, "--help", folder=Path("/"))
        assert ran.code == 0


def test_an_unknown_verb_is_2() -> None:
    done = python("-m", "politerm", "frobnicate")
    assert (done.returncode, done.stdout) == (2, "")
    assert "frobnicate" in done.stderr


def test_help_loads_nothing_heavy() -> None:
    look = """
import sys
from politerm.cli import call
assert call(["--help"]) == 0
print([name for name in ("rich", "pydantic", "pygls", "lsprotocol", "libtmux", "pyte") if name in sys.modules])
"""
    assert python("-c", look).stdout.splitlines()[-1] == "[]"


def test_a_reader_that_leaves_early_is_no_error_of_ours() -> None:
    script = f'"{sys.executable}" -m politerm --help | true; exit "${{PIPESTATUS[0]}}"'
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=60)
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


@pytest.mark.parametrize("bad", ["here", "host:port", "127.0.0.1:", "127.0.0.1:70000", ":1", "::1:80"])
def test_serve_wants_host_and_port(bad: str) -> None:
    done = python("-m", "politerm", "serve", "--tcp", bad)
    assert (done.returncode, done.stdout) == (2, "")
    assert "HOST:PORT" in done.stderr


def test_serve_is_stdio_or_tcp() -> None:
    assert python("-m", "politerm", "serve", "--stdio", "--tcp", "127.0.0.1:0").returncode == 2


AGENTS = [
    {"name": "zed", "command": ["zed-cli"], "available": False, "source": "built-in"},
    {"name": "mine", "command": ["python3", "x.py"], "available": True, "version": "1.2", "source": "user"},
]


def test_agents_shows_what_is_installed_first(tmp_path: Path) -> None:
    workspace = FakeWorkspace(answers={"politerm.agent.list": {"agents": AGENTS}})
    ran = run(workspace, "agents", folder=tmp_path)
    assert ran.code == 0
    rows = ran.out.splitlines()[1:]
    assert rows[0].split()[:3] == ["mine", "yes", "1.2"]
    assert rows[1].split()[:2] == ["zed", "no"]
    told = run(workspace, "agents", "--json", folder=tmp_path)
    assert [json.loads(line) for line in told.out.splitlines()] == AGENTS


TOKEN = "sk-ant-" + "api03-" + "x" * 40


def report() -> dict[str, Any]:
    return {"tmux": {"socket": "/run/tmux.sock"}, "notices": [f"key {TOKEN}"], "trusted": None, "agents": []}


def test_doctor_prints_everything_but_secrets(tmp_path: Path) -> None:
    workspace = FakeWorkspace(answers={"politerm.doctor": report()})
    env = {"MY_API_TOKEN": "hunter2hunter2", "PLANNER_CMD": "agent --key hunter2hunter2", "POLI_POLL_INTERVAL": "1"}
    for words in (["doctor"], ["doctor", "--json"]):
        ran = run(workspace, *words, folder=tmp_path, env=env)
        assert ran.code == 0
        for there in ("/run/tmux.sock", "PLANNER_CMD", "POLI_POLL_INTERVAL", "tmux 3", str(tmp_path), sys.executable):
            assert there in ran.out or json.dumps(there)[1:-1] in ran.out
        assert "hunter2" not in ran.out
        assert TOKEN not in ran.out
        assert "\x1b" not in ran.out
    assert json.loads(run(workspace, "doctor", "--json", folder=tmp_path).out)["problems"] == []


def test_doctor_still_tells_the_rest_when_the_workspace_cannot_be_opened(tmp_path: Path) -> None:
    workspace = FakeWorkspace(answers={"politerm.doctor": OutsideError("The log is from a newer version.")})
    ran = run(workspace, "doctor", folder=tmp_path)
    assert ran.code == 1
    assert "problem: The log is from a newer version." in ran.out
    assert sys.executable in ran.out


def test_doctor_without_tmux_is_1(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("politerm.cli.agents.shutil.which", lambda name: None)
    workspace = FakeWorkspace(answers={"politerm.doctor": TmuxMissing("There is no tmux.")})
    ran = run(workspace, "doctor", folder=tmp_path)
    assert ran.code == 1
    assert "tmux is not installed" in ran.out


def test_doctor_of_an_agent_says_which_rule_gave_which_state(tmp_path: Path) -> None:
    why = {"source": "screen", "rule": "ready", "evidence": "mine>"}
    check = {"name": "mine", "ok": True, "state": "ready", "why": why, "screen": ["\x1b[2Jmine>"]}
    answers: dict[str, Any] = {"politerm.doctor": report(), "politerm.agent.check": check}
    workspace = FakeWorkspace(answers=answers)
    ran = run(workspace, "doctor", "mine", folder=tmp_path)
    assert ran.code == 0
    assert workspace.called("politerm.agent.check") == [{"agent": "mine"}]
    for text in ("state: ready", "rule: ready", "evidence: mine>"):
        assert text in ran.out
    answers["politerm.agent.check"] = check | {"ok": False, "state": "dead"}
    assert run(workspace, "doctor", "mine", folder=tmp_path).code == 1


def test_doctor_keeps_a_screen_without_secrets_and_names(tmp_path: Path) -> None:
    head = f"title: {platform.node()}\nexpect: ready\nwhat:\n---\n"
    rows = f"{head}key sk-0123456789abcdefghijkl in {Path.home()}/p\nmine>\n"
    check = {"name": "mine", "ok": True, "state": "ready", "rules": {"ready: mine>": "mine>"}, "golden": rows}
    workspace = FakeWorkspace(answers={"politerm.doctor": report(), "politerm.agent.check": check})
    kept = tmp_path / "ready.txt"
    ran = run(workspace, "doctor", "mine", "--save-screen", str(kept), folder=tmp_path)
    assert ran.code == 0
    assert "ready: mine>" in ran.out
    assert "---" not in ran.out
    assert kept.read_text("utf-8") == "title: host\nexpect: ready\nwhat:\n---\nkey [secret] in ~/p\nmine>\n"
    assert run(workspace, "doctor", "--save-screen", str(kept), folder=tmp_path).code == 2


def demonstration(folder: Path) -> FakeWorkspace:
    def write(text: str) -> Any:
        return lambda: (folder / "slugify.py").write_text(text) and None

    ran = "$ python -m unittest test_slugify\n{}\n"
    return FakeWorkspace(
        [
            STARTED,
            write("def slugify(): ...  # first\n"),
            message("EXECUTER", "PLANNER", "result", ran.format("FAILED (failures=1)")),
            write("def slugify(): ...  # fixed\n"),
            message("EXECUTER", "PLANNER", "result", ran.format("Ran 3 tests\n\nOK")),
            COMPLETED,
        ]
    )


@pytest.mark.parametrize("terminal", [False, True])
def test_the_demo_shows_a_run_and_then_what_was_done(tmp_path: Path, terminal: bool) -> None:
    place = tmp_path / "new" / "place"
    workspace = demonstration(place)
    ran = run(workspace, "demo", str(place), folder=tmp_path, terminal=terminal)
    assert ran.code == 0
    (argument,) = workspace.called("politerm.run.start")
    assert (argument["planner"], argument["executer"]) == ("scripted-planner", "scripted-executer")
    assert argument["cwd"] == str(place)
    assert workspace.env.get("POLITERM_SCRIPTED_PACE") == ("0.3" if terminal else None)
    for text in ("FAILED (failures=1)", "OK", "# fixed", "slugify.py", "~/new/place" if terminal else str(place)):
        assert text in ran.out
    assert ran.out.index("FAILED") < ran.out.index("Ran 3 tests")


def test_the_demo_without_a_folder_makes_one_and_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    ran = run(FakeWorkspace([STARTED, COMPLETED]), "demo", folder=tmp_path)
    assert ran.code == 0
    (made,) = tmp_path.glob("politerm-demo-*")
    assert f"The project stays in {made}" in ran.out


def test_the_demo_leaves_a_folder_alone_that_has_something_in_it(tmp_path: Path) -> None:
    (tmp_path / "mine").touch()
    workspace = FakeWorkspace()
    assert run(workspace, "demo", str(tmp_path), folder=tmp_path).code == 2
    assert workspace.calls == []


def test_the_demo_for_programs_is_envelopes_only(tmp_path: Path) -> None:
    place = tmp_path / "place"
    ran = run(demonstration(place), "demo", str(place), "--json", folder=tmp_path)
    assert ran.code == 0
    assert [json.loads(line)["seq"] for line in ran.out.splitlines()] == [1, 2, 3, 4]


def test_a_demo_that_does_not_complete_is_1(tmp_path: Path) -> None:
    failed = {"type": "runEnded", "outcome": "failed", "reason": "tmux is gone"}
    ran = run(FakeWorkspace([STARTED, failed]), "demo", str(tmp_path / "x"), folder=tmp_path)
    assert ran.code == 1
    assert "tmux is gone" in ran.out


def test_doctor_asks_for_trust_before_it_starts_an_agent(tmp_path: Path) -> None:
    from politerm.errors import Untrusted

    answers = {"politerm.doctor": report(), "politerm.agent.check": Untrusted("No.")}
    workspace = FakeWorkspace(trusted=False, answers=answers)
    ran = run(workspace, "doctor", "mine", folder=tmp_path)
    assert ran.code == 1
    assert "--trust" in ran.out
    with keyboard("no") as (stdin, _):
        ran = run(workspace, "doctor", "mine", folder=tmp_path, stdin=stdin, terminal=True)
    assert ran.code == 1
    assert "Trust it?" in ran.err
