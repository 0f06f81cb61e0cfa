"""Dialogs of agents: asked of a person once, answered by keys only while they stand there, never typed into."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.runs.house import Editor, House
from tests.rawlsp import LspError

ASK_AND_STOP = [[{"type": "plan", "body": "Step 1 of 1."}], [{"type": "complete", "body": "That is all."}]]


async def raised(editor: Editor, kind: str) -> dict[str, Any]:
    """The attention item of this kind, waited for."""
    told = await editor.client.wait_for(
        "politerm/attentionChanged", lambda told: any(item["kind"] == kind for item in told["items"])
    )
    item: dict[str, Any] = next(item for item in told["items"] if item["kind"] == kind)
    return item


def asked(house: House, role: str = "executer") -> list[tuple[bool, str]]:
    """What the agent was answered, and what reached its dialogs beside the answer."""
    return [(each["answer"], each["stray"]) for each in house.ledger(role) if each["event"] == "asked"]


@pytest.mark.parametrize("witness", [True, False], ids=["record", "screen"])
@pytest.mark.parametrize("choice", ["allow", "deny"])
async def test_a_permission_is_asked_for_and_answered(house: House, choice: str, witness: bool) -> None:
    house.agents("asking", planner="raw", p_scenario=ASK_AND_STOP, witness=witness)
    async with house.serve() as editor:
        run = await editor.start()
        item = await raised(editor, "permission")
        assert (item["runId"], item["role"]) == (run, "EXECUTER")
        assert "allowed.txt" in item["text"]
        assert [each["id"] for each in item["choices"]] == ["allow", "deny"]
        view = await editor.command("run.get", runId=run)
        assert (view["attention"], view["roles"]["EXECUTER"]["state"]) == (1, "blocked")
        with pytest.raises(LspError) as wrong:
            await editor.command("attention.answer", attentionId=item["attentionId"], choice="perhaps")
        assert wrong.value.code == -32602
        assert asked(house) == []

        answer = await editor.command("attention.answer", attentionId=item["attentionId"], choice=choice)
        assert answer["answered"]["choice"] == choice
        assert (await editor.ended(run))["outcome"] == "completed"
        assert asked(house) == [(choice == "allow", "")]
        assert (house.workspace / "allowed.txt").exists() == (choice == "allow")
        told = await editor.told(run)
        kinds = {event["kind"] for event in told if event["type"] == "messageReceived" and event["from"] == "EXECUTER"}
        assert kinds == {"result" if choice == "allow" else "error"}
        assert sum(event["type"] == "attentionRaised" for event in told) == 1
        assert [event["sent"] for event in told if event["type"] == "keysSent"] == [True]


async def test_a_dialog_that_is_answered_in_the_pane_is_closed(house: House) -> None:
    hold = house.root / "hold"
    house.agents("asking", planner="raw", p_scenario=ASK_AND_STOP, p_hold=hold)
    async with house.serve() as editor:
        run = await editor.start()
        item = await raised(editor, "permission")
        hold.touch()
        view = await editor.command("run.get", runId=run)
        # A person who is attached presses a key in the pane itself.
        house.tmux("send-keys", "-t", view["roles"]["EXECUTER"]["pane"], "y")
        closed = await editor.event(run, "attentionAnswered")
        assert (closed["attentionId"], closed["by"]) == (item["attentionId"], "pane")
        with pytest.raises(LspError) as late:
            await editor.command("attention.answer", attentionId=item["attentionId"], choice="deny")
        assert late.value.data["code"] == "attentionNotFound"
        hold.unlink()
        assert (await editor.ended(run))["outcome"] == "completed"
        assert asked(house) == [(True, "")]
        assert not any(event["type"] == "keysRequested" for event in await editor.told(run))


@pytest.mark.parametrize("witness", [True, False], ids=["record", "screen"])
async def test_nothing_is_pasted_into_a_dialog(house: House, witness: bool) -> None:
    """The user speaks to an agent whose dialog is open: the words wait."""
    house.agents("asking", planner="raw", p_scenario=ASK_AND_STOP, witness=witness)
    async with house.serve() as editor:
        run = await editor.start()
        item = await raised(editor, "permission")
        sent = await editor.command("message.send", runId=run, to="EXECUTER", text="step 1, yes?", when="now")
        assert (await editor.command("run.get", runId=run))["roles"]["EXECUTER"]["state"] == "blocked"
        await editor.command("attention.answer", attentionId=item["attentionId"], choice="allow")
        await editor.event(run, "promptDelivered", lambda event: event["promptId"] == sent["promptId"])
        again = await editor.client.wait_for(
            "politerm/attentionChanged",
            lambda told: any(each["attentionId"] != item["attentionId"] for each in told["items"]),
        )
        await editor.command("attention.answer", attentionId=again["items"][0]["attentionId"], choice="allow")
        assert (await editor.ended(run))["outcome"] == "completed"
        assert asked(house) == [(True, ""), (True, "")]
        assert [each for each in house.ledger("executer") if each["event"] == "stray"] == []


@pytest.mark.parametrize("witness", [True, False], ids=["record", "screen"])
async def test_an_agent_that_asks_for_trust_at_its_start_gets_no_prompt_before(house: House, witness: bool) -> None:
    house.agents("raw", planner="distrustful", rounds=1, witness=witness)
    async with house.serve() as editor:
        run = await editor.start()
        item = await raised(editor, "trust")
        assert (item["runId"], item["role"]) == (run, "PLANNER")
        await editor.event(run, "agentReady", lambda event: event["role"] == "EXECUTER")
        view = await editor.command("run.get", runId=run)
        assert view["state"] == "starting"
        assert view["roles"]["PLANNER"]["state"] == "blocked"
        assert not any(event["type"] == "promptRequested" for event in await editor.told(run))
        await editor.command("attention.answer", attentionId=item["attentionId"], choice="trust")
        assert (await editor.ended(run))["outcome"] == "completed"
        assert asked(house, "planner") == [(True, "")]


async def test_an_agent_that_is_not_trusted_ends_and_a_person_is_asked(house: House) -> None:
    house.agents("raw", planner="distrustful", rounds=1)
    async with house.serve() as editor:
        run = await editor.start()
        for nth in range(4):
            item = await _trust_number(editor, nth)
            await editor.command("attention.answer", attentionId=item["attentionId"], choice="leave")
        stuck = await raised(editor, "question")
        assert "4 times" in stuck["title"]
        assert (await editor.command("run.get", runId=run))["state"] == "paused"
        assert asked(house, "planner") == [(False, "")] * 4
        await editor.command("attention.answer", attentionId=stuck["attentionId"], choice="stop")
        assert (await editor.ended(run))["outcome"] == "stopped"


async def _trust_number(editor: Editor, nth: int) -> dict[str, Any]:
    def items() -> dict[str, dict[str, Any]]:
        told = editor.client.of("politerm/attentionChanged")
        return {item["attentionId"]: item for each in told for item in each["items"] if item["kind"] == "trust"}

    await editor.client.until(lambda: len(items()) > nth, what=f"trust item {nth + 1}")
    return list(items().values())[nth]
