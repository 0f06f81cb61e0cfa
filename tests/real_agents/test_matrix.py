"""The cells of the matrix: what every agent program must do, proved on the program itself. The same tests for all of
them; what differs stands in their profiles and rigs.
"""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.e2e.runs.house import messages
from tests.model_server.scenario import Gate, Rule, Scenario, Silence, Text, act, say
from tests.model_server.server import ModelServer
from tests.real_agents.conftest import Found, Launch
from tests.real_agents.house import HARD, block, executer, planner
from tests.real_agents.install import Pin
from tests.real_agents.live import until
from tests.real_agents.rigs import Rig

pytestmark = [pytest.mark.real_agents, pytest.mark.timeout(180)]

SHORT = "Please greet.\nPOLI key: k1\nPOLI end: p1"
SILENCE = 60.0
"""Seconds without a byte from the model: longer than any program's own patience that was measured."""


def message(lines: int) -> str:
    """A message as models write them: everything that a screen would spoil."""
    hard = [
        r"path = 'C:\new\table\x41'",
        '"quoted" \\"twice\\"',
        "日本語の行 한국어 🎉",
        "  * **bold** `code` _it_",
        "\tindented",
    ]
    body = "\n".join(f"{number}. {hard[number % len(hard)]} [[not a block]] &amp; <b>" for number in range(lines))
    return block("plan", "EXECUTER", f"<PLAN>\n{body}\n</PLAN>")


@pytest.mark.cell("ready")
def test_it_gets_ready_and_names_its_conversation_by_the_first_turn(launch: Launch, model: ModelServer) -> None:
    model.play(Scenario((say("Hello."),)))
    agent = launch().ready()
    agent.prompt(SHORT)
    agent.wait("reply")
    assert agent.session


@pytest.mark.cell("paste and submit")
def test_a_prompt_arrives_byte_for_byte_and_once(launch: Launch, model: ModelServer) -> None:
    lines = [f"{number}: \\ ' \" `x` $(id) 漢字 [[/POLI:MSG]] {{}} #{{x}}" for number in range(12)]
    text = "Please read this.\n" + "\n".join(lines) + "\nPOLI end: p1"
    model.play(Scenario((say("Read."),)))
    agent = launch().ready()
    agent.prompt(text)
    assert agent.wait("reply").text == "Read."
    [exchange] = model.asked()
    assert exchange.ask is not None
    assert exchange.ask.prompt == text


@pytest.mark.cell("verbatim block")
def test_a_message_is_told_exactly_as_the_model_wrote_it(launch: Launch, model: ModelServer) -> None:
    text = "Here it is.\n\n" + message(10)
    model.play(Scenario((Rule(((Text(text, chunk=7),),)),)))
    agent = launch().ready()
    agent.prompt(SHORT)
    assert agent.wait("reply").text == text.replace("@KEY@", "k1")


@pytest.mark.cell("300-line message")
def test_300_lines_go_in_and_come_out_exactly(launch: Launch, model: ModelServer) -> None:
    text = message(300)
    asked = "Please read this.\n" + "\n".join(f"{number} 漢字 \\n" for number in range(300)) + f"\n{SHORT}"
    model.play(Scenario((Rule(((Text(text, chunk=997),),)),)))
    agent = launch().ready()
    agent.prompt(asked)
    assert agent.wait("reply").text == text.replace("@KEY@", "k1")
    [exchange] = model.asked()
    assert exchange.ask is not None
    assert exchange.ask.prompt == asked


@pytest.mark.cell("long silence")
def test_a_silence_of_a_minute_is_neither_an_end_nor_readiness(launch: Launch, model: ModelServer) -> None:
    model.play(Scenario((Rule(((Text("Thinking.\n\n"), Silence(SILENCE), Text("Done.")),)),)))
    agent = launch().ready()
    agent.prompt(SHORT)
    until("it is seen at work", lambda: agent.verdict().working)
    over = time.monotonic() + SILENCE - 5
    while time.monotonic() < over:
        assert "turn_end" not in [record.kind for record in agent.poll()]
        seen = agent.verdict()
        assert seen.working is not None or seen.ready is None, seen
        assert seen.dialog is None, seen
        time.sleep(0.5)
    assert agent.wait("turn_end").how == "done"
    assert "hung up" not in [exchange.ended for exchange in model.asked()]


@pytest.mark.cell("permission dialog")
@pytest.mark.parametrize("answer", ["allow", "deny"])
def test_a_permission_dialog_is_seen_and_its_answer_counts(
    launch: Launch, model: ModelServer, rig: Rig, project: Path, answer: str
) -> None:
    path = project / "made.txt"
    model.play(Scenario((act(Text("I make it."), rig.asks(path), Text("Over.")),)))
    agent = launch().ready()
    agent.prompt(SHORT)
    dialog = agent.dialog()
    assert dialog.kind == "permission"
    assert {"allow", "deny"} <= set(dialog.choices)
    assert agent.verdict().ready is None
    assert not path.exists()
    agent.keys(*dialog.choices[answer])
    if answer == "allow":
        assert agent.wait("turn_end").how == "done"
    else:
        until("the dialog is gone", lambda: agent.verdict().dialog is None or None)
    agent.ready()
    assert path.exists() == (answer == "allow")


@pytest.mark.cell("interrupt")
def test_an_interrupt_in_mid_reply_ends_the_turn_and_nothing_else(launch: Launch, model: ModelServer) -> None:
    model.play(Scenario((Rule(((Text("Half of it.\n\n"), Gate("never")),), text="greet"), say("Well.", text="better"))))
    agent = launch().ready()
    agent.prompt(SHORT)
    until("it is seen at work", lambda: agent.verdict().working)
    until("the half is on the screen", lambda: "Half of it." in "\n".join(agent.visible()) or None)
    agent.interrupt()
    assert agent.wait("turn_end", seconds=15).how == "interrupted"
    assert model.wait(lambda exchange: exchange.ended == "hung up").ask is not None
    agent.ready()
    agent.prompt("Is it better now?\nPOLI end: p2")
    assert agent.wait("turn_end").how == "done"


@pytest.mark.cell("death and resume")
def test_a_killed_agent_goes_on_with_the_same_conversation(launch: Launch, model: ModelServer) -> None:
    model.play(
        Scenario(
            (
                say("First answer.", text="greet"),
                Rule(((Text("Half.\n"), Gate("never")),), text="second", times=1),
                say("Third answer.", text="third"),
            )
        )
    )
    agent = launch().ready()
    agent.prompt(SHORT)
    agent.wait("turn_end")
    agent.prompt("Please do the second.\nPOLI end: p2")
    until("it is seen at work", lambda: agent.verdict().working)
    agent.kill()
    agent.start(resume=True).ready()
    agent.prompt("Please do the third.\nPOLI end: p3")
    assert agent.wait("reply").text == "Third answer."
    assert agent.wait("turn_end").how == "done"
    last = model.asked()[-1].ask
    assert last is not None
    assert "Please greet." in last.conversation, "the conversation was resumed, not begun anew"


@pytest.mark.cell("usage")
def test_what_was_used_is_told_as_the_model_counted_it(
    launch: Launch, model: ModelServer, rig: Rig, project: Path
) -> None:
    path = project / "used.txt"
    model.play(Scenario((act(Text("I write."), rig.write(path, "x\n"), Text("Written."), tokens=(1234, 567)),)))
    agent = launch(allowed=True).ready()
    agent.prompt(SHORT)
    agent.wait("turn_end")
    spent = [record for record in agent.heard if record.kind == "usage"]
    asked = len(model.asked())
    assert (sum(each.tokens_in for each in spent), sum(each.tokens_out for each in spent)) == (
        1234 * asked,
        567 * asked,
    )


@pytest.mark.cell("turn end")
def test_the_end_of_a_turn_is_told_once_by_the_agents_own_record(
    launch: Launch, model: ModelServer, rig: Rig, project: Path
) -> None:
    path = project / "a.txt"
    model.play(
        Scenario(
            (act(Text("First."), rig.write(path, "one\n"), Text("Last."), text="greet"), say("Again.", text="again"))
        )
    )
    agent = launch(allowed=True).ready()
    agent.prompt(SHORT)
    assert agent.wait("turn_end").how == "done"
    assert path.read_text("utf-8") == "one\n"
    agent.prompt("Please greet again.\nPOLI end: p2")
    assert agent.wait("turn_end").how == "done"
    agent.ready()
    told = [(record.kind, record.text) for record in agent.heard if record.kind in ("prompt", "turn_end")]
    assert told == [
        ("prompt", SHORT),
        ("turn_end", ""),
        ("prompt", "Please greet again.\nPOLI end: p2"),
        ("turn_end", ""),
    ]
    assert "Last." in "".join(record.text for record in agent.heard if record.kind == "reply")


@pytest.mark.cell("dual run as planner")
async def test_it_plans_for_another_agent(found: Found, rig: Rig, pin: Pin, model: ModelServer) -> None:
    model.play(
        Scenario(
            planner(
                "Here is my plan.\n\n" + block("plan", "EXECUTER", "Step 1.\n" + HARD),
                block("continue", "EXECUTER", "Step 2."),
                block("complete", "ORCHESTRATOR", "Both are done."),
            )
        )
    )
    house = found(pin)
    house.agents("raw")
    async with house.serve() as editor:
        run = await editor.start("Take two steps", planner=pin.name, executer="e")
        ended = await editor.ended(run, deadline=90)
        assert ended["outcome"] == "completed"
        told = await editor.told(run)
    assert messages(told) == [
        ("PLANNER", "plan", "Step 1.\n" + "\n".join(line for line in HARD.splitlines() if line[:1] != "<")),
        ("EXECUTER", "result", "Done with step 1."),
        ("PLANNER", "continue", "Step 2."),
        ("EXECUTER", "result", "Done with step 2."),
        ("PLANNER", "complete", "Both are done."),
    ]
    [prompt, *_] = [each["text"] for each in house.ledger("executer") if each["event"] == "prompt"]
    assert f"\nStep 1.\n{HARD}\n" in prompt
    assert not [event for event in told if event["type"] in ("nudged", "promptUncertain", "messageRefused")]


@pytest.mark.cell("dual run as executer")
async def test_it_executes_the_plans_of_another_agent(found: Found, rig: Rig, pin: Pin, model: ModelServer) -> None:
    house = found(pin)
    house.agents("raw")
    path = house.workspace / "made.txt"
    model.play(
        Scenario(
            (
                executer(
                    1,
                    Text("I write it."),
                    rig.write(path, "made\n"),
                    Text(block("result", "PLANNER", "Done with step 1.\n" + HARD)),
                ),
                executer(2, Text(block("result", "PLANNER", "Done with step 2."))),
            )
        )
    )
    async with house.serve() as editor:
        run = await editor.start("Take two steps", planner="p", executer=pin.name)
        ended = await editor.ended(run, deadline=90)
        assert ended["outcome"] == "completed"
        told = await editor.told(run)
    assert [(who, kind) for who, kind, _ in messages(told)] == [
        ("PLANNER", "plan"),
        ("EXECUTER", "result"),
        ("PLANNER", "continue"),
        ("EXECUTER", "result"),
        ("PLANNER", "complete"),
    ]
    assert path.read_text("utf-8") == "made\n"
    heard = [each["text"] for each in house.ledger("planner") if each["event"] == "prompt"]
    assert any(f"\nDone with step 1.\n{HARD}\n" in prompt for prompt in heard)
    assert not [event for event in told if event["type"] in ("nudged", "promptUncertain", "messageRefused")]
