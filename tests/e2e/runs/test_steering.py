"""What people do to a run while it is under way: pause, interrupt, retry, stop, speak, queue, configure, approve."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.runs.house import Editor, House, messages, until
from tests.rawlsp import LspError


def held(house: House) -> Path:
    """A file that holds an agent at the beginning of its turn until it is removed."""
    path = house.root / "hold"
    path.touch()
    return path


def prompts(house: House, role: str) -> list[dict[str, Any]]:
    return [each for each in house.ledger(role) if each["event"] == "prompt"]


async def working(editor: Editor, run: str, role: str) -> None:
    """Until the agent is in the middle of a turn that it has been given."""
    await editor.event(run, "promptDelivered", lambda event: event["to"] == role)
    house = editor.house
    await until(lambda: prompts(house, role.lower()), what=f"{role} at work")


async def attention(editor: Editor, kind: str) -> dict[str, Any]:
    """The first open item of this kind, waited for."""
    found = await editor.client.wait_for(
        "politerm/attentionChanged", lambda told: any(item["kind"] == kind for item in told["items"])
    )
    item: dict[str, Any] = next(item for item in found["items"] if item["kind"] == kind)
    return item


def prompted(events: list[dict[str, Any]], role: str) -> list[dict[str, Any]]:
    return [event for event in events if event["type"] == "promptRequested" and event["to"] == role]


# ---- pause, interrupt, retry, stop -----------------------------------------------------------------------------------


@pytest.mark.parametrize("witness", [True, False], ids=["record", "screen"])
async def test_a_paused_run_lets_the_turn_end_and_sends_nothing_new(house: House, witness: bool) -> None:
    hold = held(house)
    house.agents("raw", p_hold=hold, witness=witness)
    async with house.serve() as editor:
        run = await editor.start()
        await working(editor, run, "PLANNER")
        view = await editor.command("run.pause", runId=run, reason="lunch")
        assert (view["state"], view["reason"]) == ("paused", "lunch")
        hold.unlink()
        await editor.event(run, "messageReceived", lambda event: event["kind"] == "plan")
        await editor.event(run, "turnEnded", lambda event: event["role"] == "PLANNER")
        assert (await editor.command("run.get", runId=run))["state"] == "paused"
        assert prompted(await editor.told(run), "EXECUTER") == []
        assert (await editor.command("run.resume", runId=run))["state"] in ("starting", "running")
        assert (await editor.ended(run))["outcome"] == "completed"
        assert len(prompts(house, "planner")) == 3
        assert len(prompts(house, "executer")) == 2


@pytest.mark.parametrize("witness", [True, False], ids=["record", "screen"])
async def test_an_interrupted_agent_stops_and_a_resumed_run_goes_on(house: House, witness: bool) -> None:
    hold = held(house)
    house.agents("raw", e_hold=hold, witness=witness)
    async with house.serve() as editor:
        run = await editor.start()
        await working(editor, run, "EXECUTER")
        view = await editor.command("run.interrupt", runId=run, role="executer")
        assert view["state"] == "paused"
        await until(lambda: any(e["event"] == "interrupted" for e in house.ledger("executer")), what="the interrupt")
        sent = await editor.event(run, "keysSent")
        assert sent["sent"]
        ended = await editor.event(run, "turnEnded", lambda event: event["role"] == "EXECUTER")
        assert ended["how"] == "interrupted"
        assert not any(event["type"] == "nudged" for event in await editor.told(run))
        hold.unlink()
        await editor.command("run.resume", runId=run)
        assert (await editor.ended(run))["outcome"] == "completed"
        assert not any(event["type"] == "nudged" for event in await editor.told(run))


async def test_a_run_that_is_stuck_asks_once_and_is_retried(house: House) -> None:
    house.agents("raw", e_disobey=3)
    async with house.serve() as editor:
        run = await editor.start()
        item = await attention(editor, "question")
        assert item["role"] == "EXECUTER"
        assert [choice["id"] for choice in item["choices"]] == ["retry", "stop"]
        assert (await editor.command("run.get", runId=run))["state"] == "paused"
        await editor.command("run.retry", runId=run)
        assert (await editor.ended(run))["outcome"] == "completed"
        raised = [event for event in await editor.told(run) if event["type"] == "attentionRaised"]
        assert len(raised) == 1
        assert (await editor.command("attention.list"))["items"] == []


async def test_stop_answers_when_nothing_is_left(house: House) -> None:
    house.agents("raw", e_hold=held(house))
    async with house.serve() as editor:
        run = await editor.start()
        await working(editor, run, "EXECUTER")
        assert len(house.agents_of(run)) == 2
        view = await editor.command("run.stop", runId=run, reason="enough")
        assert (view["state"], view["outcome"], view["reason"]) == ("ended", "stopped", "enough")
        assert house.agents_of(run) == []
        again = await editor.command("run.stop", runId=run)
        assert again["reason"] == "enough"
        assert house.tmux_server() is None


# ---- a person joins in -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("witness", [True, False], ids=["record", "screen"])
async def test_words_for_now_go_into_the_working_agent(house: House, witness: bool) -> None:
    hold = held(house)
    house.agents("raw", e_hold=hold, witness=witness)
    async with house.serve() as editor:
        run = await editor.start()
        await working(editor, run, "EXECUTER")
        answer = await editor.command("message.send", runId=run, to="executer", text="In step 1, mind the gap.")
        asked = await editor.event(run, "promptRequested", lambda event: event["promptId"] == answer["promptId"])
        assert (asked["origin"], asked["steer"], asked["to"]) == ("user", True, "EXECUTER")
        hold.unlink()
        end = await editor.ended(run)
        assert end["outcome"] == "completed"
        got = [each for each in prompts(house, "executer") if "mind the gap" in each["text"]]
        assert [each["end"] for each in got] == [answer["promptId"]]
        assert [(who, kind) for who, kind, body in messages(await editor.told(run)) if "gap" in body] == [
            ("USER", "note")
        ]


async def test_words_for_later_come_with_the_next_prompt(house: House) -> None:
    hold = held(house)
    house.agents("raw", e_hold=hold)
    async with house.serve() as editor:
        run = await editor.start()
        await working(editor, run, "EXECUTER")
        first = await editor.command("message.send", runId=run, to="PLANNER", text="Be brief.", when="next")
        second = await editor.command("message.send", runId=run, to="PLANNER", text="Be kind.", when="next")
        assert first == second
        assert len(prompts(house, "planner")) == 1
        hold.unlink()
        assert (await editor.ended(run))["outcome"] == "completed"
        heard = prompts(house, "planner")
        assert [("Be brief." in each["text"], "Be kind." in each["text"]) for each in heard] == [
            (False, False),
            (True, True),
            (False, False),
        ]
        assert heard[1]["end"] == first["promptId"]
        assert "Done with step 1." in heard[1]["text"]


async def test_the_primer_is_sent_again_on_demand(house: House) -> None:
    hold = held(house)
    house.agents("raw", e_hold=hold)
    async with house.serve() as editor:
        run = await editor.start()
        await working(editor, run, "EXECUTER")
        answer = await editor.command("primer.resend", runId=run, role="planner")
        await editor.event(run, "promptDelivered", lambda event: event["promptId"] == answer["promptId"])
        hold.unlink()
        assert (await editor.ended(run))["outcome"] == "completed"
        spec = (await editor.told(run))[0]
        primer = next(line for line in spec["primers"]["PLANNER"]["text"].splitlines() if len(line) > 40)
        heard = [each["end"] for each in prompts(house, "planner") if primer in each["text"]]
        assert len(heard) == 2
        assert heard[1] == answer["promptId"]


async def test_a_question_to_the_user_is_answered_over_lsp(house: House) -> None:
    scenario = [
        [{"type": "question", "to": "USER", "body": "Red or blue?"}],
        [{"type": "plan", "body": "Step 1 of 1."}],
        [{"type": "complete", "body": "It is blue."}],
    ]
    house.agents("raw", p_scenario=scenario)
    async with house.serve() as editor:
        run = await editor.start()
        item = await attention(editor, "question")
        assert (item["runId"], item["role"], item["freeText"]) == (run, "PLANNER", True)
        assert "Red or blue?" in item["text"]
        with pytest.raises(LspError) as wrong:
            await editor.command("attention.answer", attentionId=item["attentionId"])
        assert wrong.value.code == -32602
        answered = await editor.command("attention.answer", attentionId=item["attentionId"], text="Blue, please.")
        assert answered["answered"]["text"] == "Blue, please."
        assert "It is blue." in (await editor.ended(run))["summary"]
        assert "Blue, please." in prompts(house, "planner")[1]["text"]
        with pytest.raises(LspError) as gone:
            await editor.command("attention.answer", attentionId=item["attentionId"], text="Red!")
        assert gone.value.data["code"] == "attentionNotFound"


# ---- plans that wait for a person ------------------------------------------------------------------------------------


async def test_the_first_plan_is_edited_and_the_rest_go_by(house: House) -> None:
    house.agents("raw")
    async with house.serve() as editor:
        run = await editor.start(approvePlans="first")
        item = await attention(editor, "plan")
        assert [choice["id"] for choice in item["choices"]] == ["approve", "sendback", "stop"]
        assert "Step 1 of 2." in item["text"]
        assert prompts(house, "executer") == []
        edited = "Step 1 of 2.\nAnd wash your hands first."
        await editor.command("attention.answer", attentionId=item["attentionId"], choice="approve", text=edited)
        assert (await editor.ended(run))["outcome"] == "completed"
        assert "wash your hands first" in prompts(house, "executer")[0]["text"]
        told = await editor.told(run)
        assert next(event for event in told if event["type"] == "planEdited")["body"] == edited
        assert sum(event["type"] == "attentionRaised" for event in told) == 1


async def test_every_plan_waits_and_one_is_sent_back(house: House) -> None:
    house.agents("raw")
    async with house.serve() as editor:
        run = await editor.start(approvePlans="every")
        answered: list[str] = []

        async def decide(choice: str, **more: str) -> None:
            await until(lambda: _waiting(editor, answered), what="a plan")
            item = _waiting(editor, answered)
            assert item is not None
            answered.append(item["attentionId"])
            await editor.command("attention.answer", attentionId=item["attentionId"], choice=choice, **more)

        await decide("sendback", text="Step 1 needs more thought.")
        await decide("approve")
        await decide("approve")
        assert (await editor.ended(run))["outcome"] == "completed"
        told = await editor.told(run)
        assert sum(event["type"] == "roundStarted" for event in told) == 2
        heard = prompts(house, "planner")
        assert "needs more thought" in heard[1]["text"]
        assert len(heard) == 4
        assert len(prompts(house, "executer")) == 2


def _waiting(editor: Editor, answered: list[str]) -> dict[str, Any] | None:
    for told in editor.client.of("politerm/attentionChanged"):
        for item in told["items"]:
            if item["kind"] == "plan" and item["attentionId"] not in answered:
                found: dict[str, Any] = item
                return found
    return None


# ---- several runs ----------------------------------------------------------------------------------------------------


async def test_several_runs_at_once_never_meet(house: House) -> None:
    house.agents("raw", rounds=1)
    async with house.serve() as editor:
        runs = await asyncio.gather(*(editor.start(f"task number {n}") for n in range(3)))
        assert len(set(runs)) == 3
        for run in runs:
            assert (await editor.ended(run))["outcome"] == "completed"
        for n, run in enumerate(runs):
            for role in ("planner", "executer"):
                heard = [each for each in prompts(house, role) if each["run"] == run]
                assert len(heard) == (2 if role == "planner" else 1)
                assert all(each["end"].startswith(run) for each in heard)
                assert not any(f"task number {other}" in each["text"] for other in {0, 1, 2} - {n} for each in heard)
            seqs = [envelope["seq"] for envelope in editor.events(run)]
            assert seqs == list(range(1, len(seqs) + 1))
        listed = (await editor.command("run.list"))["runs"]
        assert {each["runId"] for each in listed} == set(runs)


async def test_a_run_that_queues_waits_for_its_turn(house: House) -> None:
    hold = held(house)
    house.agents("raw", p_hold=hold, rounds=1)
    async with house.serve() as editor:
        first = await editor.start(queue=True)
        await working(editor, first, "PLANNER")
        second = await editor.start(queue=True)
        await editor.event(second, "runQueued")
        dropped = await editor.start(queue=True)
        assert (await editor.command("run.get", runId=second))["state"] == "queued"
        assert (await editor.command("run.stop", runId=dropped))["outcome"] == "stopped"
        assert house.agents_of(second) == []
        hold.unlink()
        assert (await editor.ended(first))["outcome"] == "completed"
        assert (await editor.ended(second))["outcome"] == "completed"
        assert not any(event["type"] == "agentStarting" for event in await editor.told(dropped))


async def test_a_run_id_of_the_clients_starts_one_run(house: House) -> None:
    house.agents("raw", rounds=1)
    async with house.serve() as editor:
        given = "mine-0001"
        both = await asyncio.gather(editor.start(runId=given), editor.start(runId=given))
        assert both == [given, given]
        assert (await editor.ended(given))["outcome"] == "completed"
        assert await editor.start(runId=given) == given
        assert sum(event["type"] == "runStarted" for event in await editor.told(given)) == 1
        assert len((await editor.command("run.list"))["runs"]) == 1


# ---- limits and settings in mid-run ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limits", "habit", "limit"),
    [
        ({"rounds": 1}, {}, "rounds"),
        ({"minutes": 0.02}, {"p_silent": True}, "minutes"),
        ({"perRole": {"executer": {"idleSeconds": 1}}}, {"e_silent": True}, "idle"),
        ({"perRole": {"EXECUTER": {"totalSeconds": 1}}}, {"e_spin": 600}, "total"),
    ],
    ids=["rounds", "minutes", "idle", "total"],
)
async def test_a_limit_ends_the_run(house: House, limits: dict[str, Any], habit: dict[str, Any], limit: str) -> None:
    house.agents("raw", **habit)
    async with house.serve() as editor:
        run = await editor.start(limits=limits)
        end = await editor.ended(run)
        assert end["outcome"] == "limit"
        assert end["reason"]
        reached = [event for event in await editor.told(run) if event["type"] == "limitReached"]
        assert [event["limit"] for event in reached] == [limit]
        await until(lambda: not house.agents_of(run), deadline=5, what="the end of its agents")


async def test_limits_are_extended_in_mid_run(house: House) -> None:
    hold = held(house)
    house.agents("raw", e_hold=hold)
    async with house.serve() as editor:
        run = await editor.start(limits={"rounds": 1, "minutes": 0.1})
        await working(editor, run, "EXECUTER")
        view = await editor.command("run.configure", runId=run, limits={"rounds": 5, "minutes": 10})
        assert view["maxRounds"] == 5
        hold.unlink()
        assert (await editor.ended(run))["outcome"] == "completed"


async def test_another_agent_takes_over_in_mid_run(house: House) -> None:
    house.agents("raw", e_hold=held(house))
    async with house.serve() as editor:
        run = await editor.start()
        await working(editor, run, "EXECUTER")
        house.agents("raw")
        (house.config / "agents" / "e.toml").rename(house.config / "agents" / "other.toml")
        view = await editor.command("run.configure", runId=run, agents={"executer": "other"})
        assert view["roles"]["EXECUTER"]["agent"] == "other"
        assert (await editor.ended(run))["outcome"] == "completed"
        told = await editor.told(run)
        assert any(event["type"] == "recovered" and event["contextLost"] for event in told)
        assert "Step 1 of 2." in prompts(house, "executer")[1]["text"]


# ---- what is refused -------------------------------------------------------------------------------------------------

WRONG: list[tuple[str, dict[str, Any], tuple[str, ...]]] = [
    ("run.start", {}, ("task", "required")),
    ("run.start", {"task": ""}, ("task", "not empty")),
    ("run.start", {"task": 7}, ("task", "a string")),
    ("run.start", {"task": "x", "runId": "Not An Id"}, ("runId",)),
    ("run.start", {"task": "x", "limits": {"rounds": "many"}}, ("limits.rounds", "number")),
    ("run.start", {"task": "x", "limits": {"rounds": -1}}, ("limits.rounds", "at least 0")),
    ("run.start", {"task": "x", "limits": {"perRole": {"BUTLER": {}}}}, ("limits.perRole", "PLANNER")),
    ("run.start", {"task": "x", "approvePlans": "maybe"}, ("approvePlans", "first")),
    ("run.start", {"task": "x", "cwd": "relative/path"}, ("cwd", "absolute")),
    ("run.start", {"task": "x", "colour": "red"}, ("colour", "accepted")),
    ("run.list", {"states": ["asleep"]}, ("states", "queued")),
    ("run.events", {"runId": "nobody-0001", "after": -1}, ("after", "at least 0")),
    ("run.get", {}, ("runId", "required")),
    ("run.configure", {"runId": "nobody-0001", "limits": {"minutes": "ten"}}, ("limits.minutes", "number")),
    ("run.export", {"runId": "nobody-0001", "format": "pdf"}, ("format", "md")),
    ("message.send", {"runId": "nobody-0001", "to": "BUTLER", "text": "x"}, ("to", "PLANNER")),
    ("message.send", {"runId": "nobody-0001", "to": "PLANNER", "text": "x", "when": "soon"}, ("when", "next")),
    ("pane.open", {"runId": "nobody-0001", "role": "PLANNER", "columns": 0}, ("columns", "at least 1")),
    ("search", {}, ("text", "required")),
]
UNKNOWN = {
    "run.get": {},
    "run.events": {},
    "run.pause": {},
    "run.resume": {},
    "run.retry": {},
    "run.stop": {},
    "run.delete": {},
    "run.interrupt": {},
    "run.configure": {"limits": {"rounds": 3}},
    "run.export": {"format": "md"},
    "message.send": {"to": "PLANNER", "text": "x"},
    "pane.open": {"role": "PLANNER"},
    "primer.resend": {"role": "PLANNER"},
    "attention.list": {},
}


async def test_what_does_not_fit_is_refused_with_a_sentence(house: House) -> None:
    house.agents("raw", rounds=1)
    async with house.serve() as editor:
        for name, arguments, words in WRONG:
            with pytest.raises(LspError) as wrong:
                await editor.command(name, **arguments)
            assert wrong.value.code == -32602, (name, arguments, wrong.value)
            assert all(word in wrong.value.message for word in words), (name, arguments, wrong.value.message)
        for name, more in UNKNOWN.items():
            with pytest.raises(LspError) as unknown:
                await editor.command(name, runId="nobody-0001", **more)
            assert (unknown.value.code, unknown.value.data["code"]) == (-32803, "runNotFound"), (name, unknown.value)
        with pytest.raises(LspError) as nobody:
            await editor.start(executer="nobody")
        assert nobody.value.data["code"] == "agentNotFound"
        assert house.tmux_server() is None

        run = await editor.start()
        await editor.ended(run)
        for name, more in UNKNOWN.items():
            if name in ("run.get", "run.events", "run.export", "run.stop", "run.delete", "attention.list"):
                continue
            with pytest.raises(LspError) as late:
                await editor.command(name, runId=run, **more)
            assert (late.value.code, late.value.data["code"]) == (-32803, "wrongState"), (name, late.value)
        with pytest.raises(LspError) as agent:
            await editor.command("message.send", runId=run, to="AGENT", text="x")
        assert agent.value.code == -32602
