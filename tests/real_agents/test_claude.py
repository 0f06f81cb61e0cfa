"""What only Claude Code does, on both versions; what every agent must do is in test_matrix.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.model_server.scenario import Cut, Fail, Gate, Rule, Scenario, Text, act, say
from tests.model_server.server import ModelServer
from tests.real_agents.conftest import Launch
from tests.real_agents.live import until
from tests.real_agents.rigs import Rig
from tests.real_agents.test_matrix import SHORT

pytestmark = [pytest.mark.real_agents, pytest.mark.timeout(180), pytest.mark.agents("claude")]


def test_names_its_conversation_before_the_first_prompt(launch: Launch) -> None:
    agent = launch().ready()
    assert agent.wait("session").text == agent.session


def test_a_prompt_of_4000_lines_arrives_byte_for_byte(launch: Launch, model: ModelServer) -> None:
    lines = [f"{number}: \\ ' \" `x` $(id) 漢字 [[/POLI:MSG]] {{}}" for number in range(4000)]
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
    copy = rig.run('python3 -c \'open("b.txt", "w").write(open("a.txt").read())\'')
    model.play(Scenario((act(Text("First."), write, Text("Second."), copy, Text("Third.")),)))
    agent = launch(allowed=True).ready()
    agent.prompt(SHORT)
    assert [agent.wait("reply").text for _ in range(3)] == ["First.", "Second.", "Third."]
    assert agent.wait("turn_end").how == "done"
    assert (project / "b.txt").read_text() == "one\n"


def test_a_permission_is_recorded_with_what_it_is_for(
    launch: Launch, model: ModelServer, rig: Rig, project: Path
) -> None:
    path = project / "new.txt"
    model.play(Scenario((act(Text("I write."), rig.write(path, "x\n"), Text("Written.")),)))
    agent = launch().ready()
    agent.prompt(SHORT)
    assert agent.wait("permission").text == f"Write: {path}"
    assert agent.dialog().what == "Do you want to create new.txt?"


def test_a_permission_dialog_answered_with_no_ends_the_turn(
    launch: Launch, model: ModelServer, rig: Rig, project: Path
) -> None:
    model.play(Scenario((act(Text("I run."), rig.run("touch made-by-bash"), Text("Never said.")),)))
    agent = launch().ready()
    agent.prompt(SHORT)
    assert agent.wait("permission").text == "Bash: touch made-by-bash"
    agent.keys(*agent.dialog().choices["deny"])
    assert agent.wait("turn_end").how == "interrupted"
    assert not (project / "made-by-bash").exists()


def test_an_interrupt_before_the_first_token_ends_the_turn_too(launch: Launch, model: ModelServer) -> None:
    model.play(Scenario((Rule(((Gate("never"),),), times=1), say("Again."))))
    agent = launch().ready()
    agent.prompt(SHORT)
    until("it is seen at work", lambda: agent.verdict().working)
    agent.keys(*agent.profile.interrupt)
    # Only its status tells; a busy one that was never seen is believed to have ended after 15 s.
    assert agent.wait("turn_end", seconds=30).how == "interrupted"
    until(
        "the prompt is back in the box",
        lambda: any(row.split() == ["❯", "Please", "greet."] for row in agent.visible()),
    )
    agent.keys(*agent.profile.clear)
    agent.ready()
    agent.prompt("Please greet again.\nPOLI end: p2")
    assert agent.wait("reply").text == "Again."


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        ((Fail(401, "bad key"),), "401"),
        ((Fail(429, "too many"),), "429"),
        ((Fail(500, "boom"),), "500"),
        ((Text("Half"), Cut()), "API Error"),
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


def test_a_prompt_given_in_mid_turn_is_taken_once(launch: Launch, model: ModelServer, rig: Rig, project: Path) -> None:
    wait = rig.run("while [ ! -e go ]; do sleep 0.1; done")
    model.play(Scenario((act(Text("I wait."), wait, Text("Over.")),)))
    agent = launch(allowed=True).ready()
    agent.prompt(SHORT)
    agent.wait("reply")
    steer = "Do it otherwise.\nPOLI end: s1"
    agent.prompt(steer)
    (project / "go").touch()
    assert agent.wait("turn_end", seconds=20).how == "done"
    everything = agent.open_witness()
    until("all is read", lambda: everything.poll())
    fresh = agent.open_witness()
    assert [record.text for record in fresh.poll() if record.kind == "prompt"] == [SHORT, steer]


def test_a_folder_it_does_not_trust_is_asked_about_and_nothing_is_ready(launch: Launch) -> None:
    agent = launch(trusted=False)
    dialog = agent.dialog()
    assert dialog.kind == "trust"
    assert agent.verdict().ready is None
    agent.keys(*dialog.choices["exit"])
    until("it is gone", lambda: agent.dead or None)


def test_trust_given_by_a_person_leads_to_a_ready_agent(launch: Launch) -> None:
    agent = launch(trusted=False)
    dialog = agent.dialog()
    agent.keys(*dialog.choices["trust"])
    agent.ready()
