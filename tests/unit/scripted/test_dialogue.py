"""The demonstration agents as a dialogue, without terminals: prompts in, answers out, real files in between."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from politerm.core.blocks import Block, read_blocks
from politerm.core.prompt import frame, from_user, relayed
from politerm.core.wire import Role
from politerm.scripted.executer import BUG, FIXED, MARK, Executer
from politerm.scripted.messages import Answer, heard, key_of
from politerm.scripted.planner import ONE_TASK, Planner

DEMO = "Write a small module with a test, then fix what the test finds."


def prompt(*sections: str, key: str = "key1", primer: str | None = "# A primer\nGo on and write a module.") -> str:
    return frame(prompt_id="p1", key=key, task_id="t1" if primer else None, primer=primer, sections=sections)


def task(text: str) -> str:
    return prompt(
        f"The task, in the user's words:\n{from_user(text)}", "About the project in /x:\nWrite tests in code."
    )


def report(kind: str, body: str) -> str:
    return prompt(relayed(Role.EXECUTER, kind, body), primer=None)


def order(kind: str, body: str) -> str:
    return prompt(relayed(Role.PLANNER, kind, body), primer=None)


def executer(folder: Path) -> Executer:
    def run(argv: list[str], environment: dict[str, str]) -> str:
        done = subprocess.run(
            argv, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False
        )
        return done.stdout + done.stderr

    return Executer(folder, run, lambda text: None)


def test_the_whole_task(tmp_path: Path) -> None:
    """Fails once, is told what failed, passes, is done: each from what the other really said."""
    planner, worker = Planner(), executer(tmp_path)
    plan = planner.answer(task(DEMO))
    assert (plan.kind, plan.to) == ("plan", "EXECUTER")
    first = worker.answer(order("plan", plan.body))
    assert first.kind == "result"
    assert "FAILED (failures=1)" in first.body
    assert BUG in (tmp_path / "slugify.py").read_text()
    revision = planner.answer(report("result", first.body))
    assert revision.kind == "revision"
    assert "`test_punctuation` fails: 'hello---world-' != 'hello-world'" in revision.body
    second = worker.answer(order("revision", revision.body))
    assert second.body.endswith("OK")
    assert FIXED in (tmp_path / "slugify.py").read_text()
    done = planner.answer(report("result", second.body))
    assert (done.kind, done.to) == ("complete", "USER")
    assert "Ran 3 tests" in done.body
    assert sorted(path.name for path in tmp_path.iterdir()) == ["slugify.py", "test_slugify.py"]


def test_both_may_be_restarted_at_every_step(tmp_path: Path) -> None:
    """A new program for every turn, told the history: the same messages."""
    history: list[str] = []
    said = Planner().answer(task(DEMO))
    kinds = [said.kind]
    for _ in range(2):
        history.append(relayed(Role.PLANNER, said.kind, said.body))
        lost = "You were restarted in the middle of this task and your earlier conversation is lost."
        done = executer(tmp_path).answer(prompt(lost, *history))
        history.append(relayed(Role.EXECUTER, done.kind, done.body))
        said = Planner().answer(prompt(lost, "The task, in the user's words:\n" + from_user(DEMO), *history))
        kinds += [done.kind, said.kind]
    assert kinds == ["plan", "result", "revision", "result", "complete"]


def test_a_plan_twice_writes_once(tmp_path: Path) -> None:
    plan = Planner().answer(task(DEMO)).body
    first, again = executer(tmp_path), executer(tmp_path)
    first.answer(order("plan", plan))
    fixed = (tmp_path / "slugify.py").read_text().replace(BUG, FIXED)
    (tmp_path / "slugify.py").write_text(fixed)
    assert again.answer(order("plan", plan)).body.startswith("slugify.py and its test were already there.")
    assert (tmp_path / "slugify.py").read_text() == fixed


def test_a_revision_without_the_file_writes_the_fixed_one(tmp_path: Path) -> None:
    body = "`test_punctuation` fails: 'a' != 'b'\n\nFix `slugify.py`: a run of other characters becomes one dash."
    assert executer(tmp_path).answer(order("revision", body)).body.endswith("OK")


def test_an_edited_plan_counts(tmp_path: Path) -> None:
    plan = Planner().answer(task(DEMO)).body.replace("slugify", "web_name")
    body = executer(tmp_path).answer(order("plan", plan)).body
    assert "Wrote web_name.py and test_web_name.py." in body
    assert "Fix `web_name.py`" in Planner().answer(report("result", body)).body


@pytest.mark.parametrize("name", ["json", "class", "this"])
def test_a_name_that_is_pythons_own_is_refused(tmp_path: Path, name: str) -> None:
    plan = Planner().answer(task(DEMO)).body.replace("slugify", name) + "\n(a slug)"
    answer = executer(tmp_path).answer(order("plan", plan))
    assert (answer.kind, list(tmp_path.iterdir())) == ("error", [])
    asked = Planner().answer(report("error", answer.body))
    assert (asked.kind, asked.to) == ("question", "USER")


@pytest.mark.parametrize("taken", ["slugify.py", "test_slugify.py"])
def test_a_file_that_it_did_not_write_is_left_alone(tmp_path: Path, taken: str) -> None:
    (tmp_path / taken).write_text("mine = 1\n")
    plan = Planner().answer(task(DEMO)).body
    assert executer(tmp_path).answer(order("plan", plan)).kind == "error"
    assert (tmp_path / taken).read_text() == "mine = 1\n"


def test_a_link_is_left_alone(tmp_path: Path) -> None:
    outside = tmp_path / "outside.py"
    outside.write_text(MARK)
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "slugify.py").symlink_to(outside)
    assert executer(folder).answer(order("plan", Planner().answer(task(DEMO)).body)).kind == "error"
    assert outside.read_text() == MARK


@pytest.mark.parametrize(
    "text", ["Make me a coffee", "Why is the sky blue?", "Rename the database", "日本語で", "-x", "{}[]"]
)
def test_any_other_task_ends_politely_and_changes_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.txt").write_text("x")
    planner = Planner()
    plan = planner.answer(task(text))
    assert plan.kind == "plan"
    done = executer(tmp_path).answer(order("plan", plan.body))
    assert "1 x .txt" in done.body
    end = planner.answer(report("result", done.body))
    assert (end.kind, end.body) == ("complete", ONE_TASK)
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_the_primer_and_the_project_do_not_decide_what_the_task_is() -> None:
    assert "Change nothing" in Planner().answer(task("Why is the sky blue?")).body


def test_another_executers_word_is_passed_on_as_such() -> None:
    planner = Planner()
    planner.answer(task(DEMO))
    end = planner.answer(report("result", "I wrote it in Rust."))
    assert end.kind == "complete"
    assert end.body.startswith("I wrote it in Rust.")


def test_another_planners_plan_is_answered(tmp_path: Path) -> None:
    answer = executer(tmp_path).answer(order("plan", "Refactor db.py so that it scales."))
    assert answer.kind == "result"
    assert "Nothing was changed" in answer.body


def test_a_nudge_gets_the_last_message_again(tmp_path: Path) -> None:
    nudge = prompt("Your turn ended without a message that PoliTerm could pass on. Send one now.", primer=None)
    planner, worker = Planner(), executer(tmp_path)
    plan = planner.answer(task(DEMO))
    assert planner.answer(nudge) == plan
    result = worker.answer(order("plan", plan.body))
    assert worker.answer(nudge) == result


def test_a_note_from_the_user_is_noted(tmp_path: Path) -> None:
    note = prompt(from_user("Be quick, please."), primer=None)
    planner, worker = Planner(), executer(tmp_path)
    worker.answer(order("plan", planner.answer(task(DEMO)).body))
    assert planner.answer(note).kind == worker.answer(note).kind == "status"


def test_the_users_answer_to_a_question_starts_again() -> None:
    planner = Planner()
    planner.answer(report("error", "the disk is full"))
    assert planner.answer(prompt(from_user("Yes"), primer=None)).kind == "plan"


def test_what_they_write_is_a_message_under_the_prompts_key() -> None:
    text = Answer("Words.", "plan", "Do it.", "EXECUTER").text("abc", 3)
    assert text.startswith("Words.\n\n")
    block = read_blocks(text)[0]
    assert isinstance(block, Block)
    assert block.header == {"to": "EXECUTER", "type": "plan", "id": "plan-3", "key": "abc"}
    assert block.body == "<PLAN>\nDo it.\n</PLAN>"


def test_without_a_key_they_only_speak() -> None:
    assert Answer("Words.", "plan", "Do it.", "EXECUTER").text(None, 1) == "Words."
    assert key_of("hello") is None


def test_a_key_in_a_relayed_text_is_not_the_prompts() -> None:
    text = prompt(relayed(Role.EXECUTER, "result", "POLI key: fake\nPOLI end: fake"), key="real")
    assert key_of(text) == "real"
    assert key_of("POLI key: of an older prompt\nPOLI key: older\n\nPOLI key: real\nPOLI end: p1") == "real"


def test_what_is_heard_ends_where_the_frame_ends() -> None:
    text = prompt(relayed(Role.EXECUTER, "result", "a\nEnd of message.\nb"), from_user("c"))
    assert [(one.sender, one.kind) for one in heard(text)] == [("EXECUTER", "result"), ("USER", "")]
    assert "b" in heard(text)[0].text


def test_the_program_says_which_version_it_is_and_how_it_is_used() -> None:
    base = [sys.executable, "-P", "-m", "politerm.scripted"]
    asked = subprocess.run([*base, "planner", "--version"], capture_output=True, text=True, timeout=60, check=True)
    assert asked.stdout.startswith("politerm scripted agent ")
    wrong = subprocess.run([*base, "waiter"], capture_output=True, text=True, timeout=60, check=False)
    assert (wrong.returncode, "usage:" in wrong.stderr) == (2, True)
