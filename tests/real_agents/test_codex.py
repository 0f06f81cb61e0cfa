"""What only Codex does; what every agent must do is in test_matrix.py."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.e2e.runs.house import messages
from tests.e2e.runs.house import until as when
from tests.model_server.scenario import Cut, Fail, Gate, Rule, Scenario, Text, Tool, act, say
from tests.model_server.server import ModelServer
from tests.real_agents.conftest import Found, Launch
from tests.real_agents.house import EXECUTER, block, executer, planner
from tests.real_agents.install import Pin
from tests.real_agents.live import LiveAgent, until
from tests.real_agents.rigs import Rig
from tests.real_agents.rigs.codex import CodexOfCodeMode
from tests.real_agents.test_matrix import SHORT

pytestmark = [pytest.mark.real_agents, pytest.mark.timeout(180), pytest.mark.agents("codex")]


def repository(folder: Path) -> None:
    """It asks whether a folder is trusted only where there is one."""
    subprocess.run(["git", "init", "-q", str(folder)], check=True)


def test_names_its_conversation_in_its_title_before_the_first_prompt(launch: Launch, model: ModelServer) -> None:
    model.play(Scenario((say("Hello."),)))
    agent = launch().ready()
    shown = until("the conversation is named", lambda: agent.verdict().session)
    agent.prompt(SHORT)
    assert agent.wait("reply").text == "Hello."
    assert agent.session is not None
    assert (len(agent.session), agent.session[: len(shown)]) == (36, shown)


def test_a_prompt_of_4000_lines_with_tabs_arrives_byte_for_byte(launch: Launch, model: ModelServer) -> None:
    lines = [f"{number}:\t\\ ' \" `x` $(id) 漢字 [[/POLI:MSG]] {{}}" for number in range(4000)]
    text = "Please read this.\n" + "\n".join(lines) + "\nPOLI end: p1"
    model.play(Scenario((say("Read."),)))
    agent = launch().ready()
    agent.prompt(text)
    assert agent.wait("turn_end").how == "done"
    [exchange] = model.asked()
    assert exchange.ask is not None
    assert exchange.ask.prompt == text


def test_every_text_of_a_turn_is_told_in_order_around_its_tools(
    launch: Launch, model: ModelServer, rig: Rig, project: Path
) -> None:
    write = rig.write(project / "a.txt", "one\n")
    copy = rig.run("cp a.txt b.txt")
    model.play(Scenario((act(Text("First."), write, Text("Second."), copy, Text("Third.")),)))
    agent = launch().ready()
    agent.prompt(SHORT)
    assert [agent.wait("reply").text for _ in range(3)] == ["First.", "Second.", "Third."]
    assert agent.wait("turn_end").how == "done"
    assert (project / "b.txt").read_text() == "one\n"


def test_a_permission_is_recorded_with_what_it_is_for_and_no_ends_the_turn(
    launch: Launch, model: ModelServer, rig: Rig, project: Path
) -> None:
    path = project / "new.txt"
    model.play(Scenario((act(Text("I make it."), rig.asks(path), Text("Never said.")),)))
    agent = launch().ready()
    agent.prompt(SHORT)
    asked = agent.wait("permission").text
    assert asked.startswith("exec_command: touch ")
    dialog = agent.dialog()
    assert dialog.what == "$" + asked.removeprefix("exec_command:")
    agent.keys(*dialog.choices["deny"])
    assert agent.wait("turn_end").how == "interrupted"
    assert not path.exists()


def test_the_box_is_emptied_whatever_it_holds_and_an_empty_one_does_not_end_the_program(
    launch: Launch, model: ModelServer
) -> None:
    model.play(Scenario((say("Well."),)))
    agent = launch().ready()
    for draft in ("", "one line", "line\n" * 5, "line\n" * 500, ""):
        if draft:
            agent.paste(draft)
            until("the draft is shown", lambda: "Ask Codex" not in "\n".join(agent.visible()) or None)
        agent.keys(*agent.profile.clear)
        until("the box is empty", lambda: "› Ask Codex" in "\n".join(agent.visible()) or None)
    assert not agent.dead
    agent.prompt(SHORT)
    assert agent.wait("turn_end").how == "done"


def test_an_interrupt_before_the_first_token_ends_the_turn_and_leaves_no_draft(
    launch: Launch, model: ModelServer
) -> None:
    model.play(Scenario((Rule(((Gate("never"),),), times=1), say("Again."))))
    agent = launch().ready()
    agent.prompt(SHORT)
    until("it is seen at work", lambda: agent.verdict().working)
    agent.keys(*agent.profile.interrupt)
    assert agent.wait("turn_end", seconds=10).how == "interrupted"
    agent.ready()
    assert "› Ask Codex" in "\n".join(agent.visible())
    agent.prompt("Please greet again.\nPOLI end: p2")
    assert agent.wait("reply").text == "Again."


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        ((Fail(401, "bad key"),), "401"),
        ((Fail(429, "too many"),), "429"),
        ((Fail(500, "boom"),), "high demand"),
        ((Text("Half"), Cut()), "stream disconnected"),
    ],
    ids=["401", "429", "500", "cut"],
)
def test_a_failed_request_ends_the_turn_as_failed(
    launch: Launch, model: ModelServer, steps: tuple[Text | Fail | Cut, ...], words: str
) -> None:
    model.play(Scenario((Rule((steps,), text="greet"), say("Well again.", text="better"))))
    agent = launch().ready()
    agent.prompt(SHORT)
    ended = agent.wait("turn_end", seconds=60)
    assert ended.how == "failed"
    assert words in ended.text
    agent.prompt("Is it better?\nPOLI end: p2")
    assert agent.wait("turn_end").how == "done"


def test_a_prompt_given_during_a_tool_is_taken_once_it_is_over(
    launch: Launch, model: ModelServer, rig: Rig, project: Path
) -> None:
    wait = Tool("exec_command", {"cmd": "while [ ! -e go ]; do sleep 0.1; done", "yield_time_ms": 30_000})
    model.play(Scenario((act(Text("I wait."), wait, Text("Never said."), text="greet"), say("Otherwise."))))
    agent = launch().ready()
    agent.prompt(SHORT)
    agent.wait("reply")
    agent.paste("Do it otherwise.\nPOLI end: s1")
    until("the draft is shown", lambda: "POLI end: s1" in "\n".join(agent.visible()) or None)
    agent.keys(*agent.profile.submit)
    until("it waits", lambda: "after next tool call" in "\n".join(agent.visible()) or None)
    (project / "go").touch()
    assert agent.wait("turn_end").how == "done"
    assert [record.text for record in agent.heard if record.kind == "prompt"][1:] == ["Do it otherwise.\nPOLI end: s1"]
    assert [record.text for record in agent.heard if record.kind == "reply"] == ["I wait.", "Otherwise."]


def test_a_command_that_was_left_running_is_work_that_goes_on(launch: Launch, model: ModelServer, rig: Rig) -> None:
    left = Tool("exec_command", {"cmd": "sleep 1000", "yield_time_ms": 250})
    model.play(Scenario((act(Text("I start it."), left, Text("It runs.")),)))
    agent = launch().ready()
    agent.prompt(SHORT)
    assert agent.wait("turn_end").how == "done"
    hit = until("it is seen at work", lambda: agent.verdict().background)
    assert hit.evidence.startswith("1 background terminal running")


def test_a_folder_it_does_not_trust_is_asked_about_and_nothing_is_ready(launch: Launch, project: Path) -> None:
    repository(project)
    agent = launch(trusted=False)
    dialog = agent.dialog()
    assert (dialog.kind, dialog.what) == ("trust", "Trust this folder?")
    assert agent.verdict().ready is None
    agent.keys(*dialog.choices["exit"])
    until("it is gone", lambda: agent.dead or None)


def test_trust_given_by_a_person_leads_to_a_ready_agent(launch: Launch, project: Path) -> None:
    repository(project)
    agent = launch(trusted=False)
    agent.keys(*agent.dialog().choices["trust"])
    agent.ready()


def test_a_page_that_takes_the_keys_is_a_dialog_until_it_is_left(launch: Launch) -> None:
    agent = launch().ready()
    agent.keys("Left")  # The list of agents.
    dialog = agent.dialog()
    assert dialog.kind == "question"
    agent.keys(*dialog.choices["cancel"])
    agent.ready()


def test_a_model_that_works_by_programs_is_read_as_well(
    pin: Pin, model: ModelServer, project: Path, tmp_path: Path, rig: Rig
) -> None:
    """Newer models are given one tool that runs JavaScript, from which all others are called."""
    path = project / "new.txt"
    other = CodexOfCodeMode()
    model.play(
        Scenario(
            (
                act(
                    Text("I write."),
                    other.write(project / "a.txt", "one\n"),
                    Text("I ask."),
                    other.asks(path),
                    Text("Over."),
                ),
            )
        )
    )
    with LiveAgent(other, pin, cwd=project, folder=tmp_path / "agent", url=model.url) as agent:
        agent.start().ready()
        agent.prompt(SHORT)
        dialog = agent.dialog()
        assert (dialog.kind, path.name in dialog.what) == ("permission", True)
        agent.keys(*dialog.choices["allow"])
        assert agent.wait("turn_end").how == "done"
        assert [record.text for record in agent.heard if record.kind == "reply"] == ["I write.", "I ask.", "Over."]
    assert (path.exists(), (project / "a.txt").read_text()) == (True, "one\n")


async def test_a_word_of_the_users_cuts_a_reply_and_the_answer_is_still_given(
    found: Found, pin: Pin, model: ModelServer
) -> None:
    """What had been said of the cut reply is recorded nowhere: the model is asked again, with the word."""
    model.play(
        Scenario(
            (
                *planner(block("plan", "EXECUTER", "Work."), block("complete", "ORCHESTRATOR", "Over.")),
                executer(1, Text("I begin.\n\n" + block("result", "PLANNER", "Half of it")[:-20]), Gate("never")),
                say(block("result", "PLANNER", "Heard: be careful."), conversation=EXECUTER, text="be careful"),
            )
        )
    )
    house = found(pin)
    async with house.serve() as editor:
        run = await editor.start("Be steered", planner=pin.name, executer=pin.name)
        await when(lambda: [e for e in model.asked() if e.ask and EXECUTER in e.ask.conversation], what="the turn")
        await editor.command("message.send", runId=run, to="EXECUTER", text="/be careful", when="now")
        ended = await editor.ended(run, deadline=60)
        assert ended["outcome"] == "completed"
        told = await editor.told(run)
    assert [body for who, _, body in messages(told) if who != "USER"] == ["Work.", "Heard: be careful.", "Over."]
    assert "hung up" in [exchange.ended for exchange in model.asked()]
    assert not [event for event in told if event["type"] in ("nudged", "promptUncertain", "messageRefused")]
