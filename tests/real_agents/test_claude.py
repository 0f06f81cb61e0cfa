"""Claude Code itself, both versions, against the scripted model: what the profile and the witness promise."""

from __future__ import annotations

import contextlib
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import politerm.agents
from politerm.agents.profile import AgentProfile
from politerm.agents.registry import parse_profile
from tests.model_server.scenario import Cut, Fail, Gate, Rule, Scenario, Silence, Text, Tool, say
from tests.model_server.server import ModelServer
from tests.real_agents.conftest import installed, require
from tests.real_agents.install import Pin
from tests.real_agents.rig import LiveAgent, claude_env, claude_home, until

pytestmark = [pytest.mark.real_agents, pytest.mark.timeout(180)]

SHORT = "Please greet.\nPOLI key: k1\nPOLI end: p1"


@pytest.fixture(scope="session")
def profile() -> AgentProfile:
    path = Path(politerm.agents.__file__).with_name("claude.toml")
    return parse_profile(path.read_text("utf-8"), "claude", "built-in").profile


@pytest.fixture(params=installed("claude"))
def pin(request: pytest.FixtureRequest) -> Pin:
    chosen: Pin = request.param
    require(chosen)
    return chosen


@pytest.fixture
def launch(
    pin: Pin, profile: AgentProfile, model: ModelServer, project: Path, tmp_path: Path
) -> Iterator[Callable[..., LiveAgent]]:
    """Starts agents that are ended with the test. `trusted=False`: the folder is new to Claude."""
    with contextlib.ExitStack() as ends:

        def start(*, trusted: bool = True, allow: str = "") -> LiveAgent:
            home = claude_home(tmp_path / "home", *([project] if trusted else []))
            state = tmp_path / 'state "dir"'
            state.mkdir(exist_ok=True)
            agent = LiveAgent(
                profile,
                pin.program,
                cwd=project,
                env=claude_env(home, model.url),
                state_dir=state,
                session=str(uuid.uuid4()),
            )
            ends.enter_context(agent)
            return agent.start(extra=["--allowedTools", allow] if allow else [])

        yield start


def block(lines: int) -> str:
    """A message as models write them: everything that a screen would spoil."""
    hard = [
        r"path = 'C:\new\table\x41'",
        '"quoted" \\"twice\\"',
        "日本語の行 한국어 🎉",
        "  * **bold** `code` _it_",
        "\tindented",
    ]
    body = "\n".join(f"{number}. {hard[number % len(hard)]} [[not a block]] &amp; <b>" for number in range(lines))
    return f'[[POLI:MSG {{"to":"EXECUTER","type":"plan","key":"@KEY@"}}]]\n<PLAN>\n{body}\n</PLAN>\n[[/POLI:MSG]]'


def test_starts_without_a_dialog_and_names_its_conversation(launch: Callable[..., LiveAgent]) -> None:
    agent = launch().ready()
    assert agent.wait("session").text == agent._session


def test_a_block_of_300_lines_is_told_exactly_as_the_model_wrote_it(
    launch: Callable[..., LiveAgent], model: ModelServer
) -> None:
    text = block(300)
    model.play(Scenario((Rule(((Text(text, chunk=997),),), tokens=(1234, 567)),)))
    agent = launch().ready()
    agent.prompt(SHORT)
    assert agent.wait("reply").text == text.replace("@KEY@", "k1")
    usage = agent.wait("usage")
    assert (usage.tokens_in, usage.tokens_out) == (1234, 567)
    assert agent.wait("turn_end").how == "done"


@pytest.mark.parametrize("size", [300, 4000])
def test_a_long_prompt_arrives_byte_for_byte(launch: Callable[..., LiveAgent], model: ModelServer, size: int) -> None:
    lines = [f"{number}: \\ ' \" `x` $(id) 漢字 [[/POLI:MSG]] {{}}" for number in range(size)]
    text = "Please read this.\n" + "\n".join(lines) + "\nPOLI end: p1"
    model.play(Scenario((say("Read."),)))
    agent = launch().ready()
    agent.prompt(text)
    assert agent.wait("turn_end").how == "done"
    [exchange] = model.asked()
    assert exchange.ask is not None
    assert exchange.ask.prompt == text


def test_every_text_of_a_turn_is_told_in_order_around_its_tools(
    launch: Callable[..., LiveAgent], model: ModelServer, project: Path
) -> None:
    write = Tool("Write", {"file_path": str(project / "a.txt"), "content": "one\n"})
    bash = Tool(
        "Bash", {"command": 'python3 -c \'open("b.txt", "w").write(open("a.txt").read())\'', "description": "copy"}
    )
    model.play(Scenario((Rule(((Text("First."), write), (Text("Second."), bash), (Text("Third."),))),)))
    agent = launch(allow="Write Bash").ready()
    agent.prompt(SHORT)
    assert [agent.wait("reply").text for _ in range(3)] == ["First.", "Second.", "Third."]
    assert agent.wait("turn_end").how == "done"
    assert (project / "b.txt").read_text() == "one\n"


def test_a_permission_dialog_is_seen_told_and_answered_with_yes(
    launch: Callable[..., LiveAgent], model: ModelServer, project: Path
) -> None:
    path = project / "new.txt"
    write = Tool("Write", {"file_path": str(path), "content": "x\n"})
    model.play(Scenario((Rule(((Text("I write."), write), (Text("Written."),))),)))
    agent = launch().ready()
    agent.prompt(SHORT)
    assert agent.wait("permission").text == f"Write: {path}"
    dialog = agent.dialog()
    assert (dialog.kind, dialog.what) == ("permission", "Do you want to create new.txt?")
    assert set(dialog.choices) == {"allow", "deny"}
    assert not path.exists()
    agent.keys(*dialog.choices["allow"])
    assert agent.wait("turn_end").how == "done"
    assert path.read_text() == "x\n"
    agent.ready()


def test_a_permission_dialog_answered_with_no_ends_the_turn(
    launch: Callable[..., LiveAgent], model: ModelServer, project: Path
) -> None:
    bash = Tool("Bash", {"command": "touch made-by-bash", "description": "touch"})
    model.play(Scenario((Rule(((Text("I run."), bash), (Text("Never said."),))),)))
    agent = launch().ready()
    agent.prompt(SHORT)
    assert agent.wait("permission").text == "Bash: touch made-by-bash"
    dialog = agent.dialog()
    agent.keys(*dialog.choices["deny"])
    assert agent.wait("turn_end").how == "interrupted"
    assert not (project / "made-by-bash").exists()


def test_an_interrupt_in_mid_reply_ends_the_turn(launch: Callable[..., LiveAgent], model: ModelServer) -> None:
    model.play(Scenario((Rule(((Text("Half of it.\n\n"), Gate("never")),)),)))
    agent = launch().ready()
    agent.prompt(SHORT)
    until("it is seen at work", lambda: agent.verdict().working)
    until("the half is on the screen", lambda: "Half of it." in "\n".join(agent.visible()) or None)
    agent.keys(*agent.profile.interrupt)
    assert agent.wait("turn_end", seconds=10).how == "interrupted"
    assert model.wait(lambda exchange: exchange.ended == "hung up").ask is not None
    agent.ready()


def test_an_interrupt_before_the_first_token_ends_the_turn_too(
    launch: Callable[..., LiveAgent], model: ModelServer
) -> None:
    model.play(Scenario((Rule(((Gate("never"),),), times=1), say("Again."))))
    agent = launch().ready()
    agent.prompt(SHORT)
    until("it is seen at work", lambda: agent.verdict().working)
    agent.keys(*agent.profile.interrupt)
    assert agent.wait("turn_end", seconds=15).how == "interrupted"
    until(
        "the prompt is back in the box",
        lambda: any(row.split() == ["❯", "Please", "greet."] for row in agent.visible()),
    )
    agent.keys(*agent.profile.clear)
    agent.ready()
    agent.prompt("Please greet again.\nPOLI end: p2")
    assert agent.wait("reply").text == "Again."


def test_a_silence_of_20_seconds_is_neither_an_end_nor_readiness(
    launch: Callable[..., LiveAgent], model: ModelServer
) -> None:
    model.play(Scenario((Rule(((Text("Thinking.\n\n"), Silence(20.0), Text("Done.")),)),)))
    agent = launch().ready()
    agent.prompt(SHORT)
    begun = time.monotonic()
    while time.monotonic() - begun < 18:
        assert "turn_end" not in [record.kind for record in agent.poll()]
        seen = agent.verdict()
        assert seen.ready is None, seen
        assert seen.working is not None, agent.visible()
        time.sleep(0.5)
    assert agent.wait("reply").text == "Thinking.\n\nDone."
    assert agent.wait("turn_end").how == "done"


def test_a_killed_agent_goes_on_with_the_same_conversation(
    launch: Callable[..., LiveAgent], model: ModelServer
) -> None:
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
    cursor = agent.witness.cursor()
    agent.kill()

    agent.witness = agent.open_witness()
    assert agent.witness.seek(cursor) is None
    agent.records.clear()
    agent.start(resume=True).ready()
    assert agent.wait("session").text == agent._session
    agent.prompt("Please do the third.\nPOLI end: p3")
    assert agent.wait("reply").text == "Third answer."
    assert agent.wait("turn_end").how == "done"
    last = model.asked()[-1].ask
    assert last is not None
    assert "Please greet." in last.conversation, "the conversation was resumed, not begun anew"


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
    launch: Callable[..., LiveAgent], model: ModelServer, steps: tuple[Text | Fail | Cut, ...], words: str
) -> None:
    model.play(Scenario((Rule((steps,), text="greet"), say("Well again.", text="better"))))
    agent = launch().ready()
    agent.prompt(SHORT)
    ended = agent.wait("turn_end", seconds=60)
    assert ended.how == "failed"
    assert words in ended.text
    agent.prompt("Is it better?\nPOLI end: p2")
    assert agent.wait("turn_end").how == "done"


def test_a_prompt_given_in_mid_turn_is_taken_once(
    launch: Callable[..., LiveAgent], model: ModelServer, project: Path
) -> None:
    wait = Tool("Bash", {"command": "while [ ! -e go ]; do sleep 0.1; done", "description": "wait"})
    model.play(Scenario((Rule(((Text("I wait."), wait), (Text("Over."),))),)))
    agent = launch(allow="Bash").ready()
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


def test_a_folder_it_does_not_trust_is_asked_about_and_nothing_is_ready(launch: Callable[..., LiveAgent]) -> None:
    agent = launch(trusted=False)
    dialog = agent.dialog()
    assert dialog.kind == "trust"
    assert agent.verdict().ready is None
    agent.keys(*dialog.choices["exit"])
    until("it is gone", lambda: agent.dead or None)


def test_trust_given_by_a_person_leads_to_a_ready_agent(launch: Callable[..., LiveAgent]) -> None:
    agent = launch(trusted=False)
    dialog = agent.dialog()
    agent.keys(*dialog.choices["trust"])
    agent.ready()
