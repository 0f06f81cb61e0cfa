"""Steering a run from outside: `stop pause resume retry interrupt send answer delete`."""

from __future__ import annotations

import click

from politerm.cli.clients import Json, Steady
from politerm.cli.world import Call, find_run, verb
from politerm.errors import AttentionNotFound, InvalidParams

ROLES = click.Choice(["PLANNER", "EXECUTER", "AGENT"], case_sensitive=False)


def say(call: Call, view: Json) -> None:
    """What became of the run: its view for programs, a short line for people."""
    if call.json:
        call.world.print_json(view)
    else:
        state = view.get("outcome") or view["state"]
        call.world.console.print(f"{view['runId']} is {state}, round {view['round']}.", soft_wrap=True)


async def act(call: Call, name: str, run: str, **more: str) -> int:
    async with call.client() as client:
        view = await find_run(client, run)
        say(call, await client.command(name, {"runId": view["runId"], **more}))
    return 0


@click.command()
@click.argument("run", required=False)
@click.option("--all", "everything", is_flag=True, help="Every run of this workspace that has not ended.")
@click.option("--reason", metavar="TEXT")
@verb
async def stop(call: Call, *, run: str | None, everything: bool, reason: str | None) -> int:
    """End a run: its agents are ended, nothing of them is left."""
    if (run is None) != everything:
        raise click.UsageError("Name one run, or say --all.")
    more = {"reason": reason} if reason else {}
    if run is not None:
        return await act(call, "politerm.run.stop", run, **more)
    async with call.client() as client:
        states = ["queued", "starting", "running", "paused"]
        found = (await client.command("politerm.run.list", {"states": states, "limit": 1000}))["runs"]
        # The queued ones first, so that none of them begins because another one ends.
        for view in sorted(found, key=lambda view: view["state"] != "queued"):
            say(call, await client.command("politerm.run.stop", {"runId": view["runId"], **more}))
    if not found and not call.json:
        call.world.errors.print("No run is under way.")
    return 0


@click.command()
@click.argument("run", default="last")
@click.option("--reason", metavar="TEXT")
@verb
async def pause(call: Call, *, run: str, reason: str | None) -> int:
    """Send nothing new; a turn that is under way ends by itself."""
    return await act(call, "politerm.run.pause", run, **({"reason": reason} if reason else {}))


@click.command()
@click.argument("run", default="last")
@verb
async def resume(call: Call, *, run: str) -> int:
    """Go on with a paused run."""
    return await act(call, "politerm.run.resume", run)


@click.command()
@click.argument("run", default="last")
@verb
async def retry(call: Call, *, run: str) -> int:
    """Try the step that failed, or is uncertain, once more, after a look."""
    return await act(call, "politerm.run.retry", run)


@click.command()
@click.argument("run")
@click.argument("role", type=ROLES, required=False)
@verb
async def interrupt(call: Call, *, run: str, role: str | None) -> int:
    """Press the agent's own interrupt key and pause the run."""
    return await act(call, "politerm.run.interrupt", run, **({"role": role} if role else {}))


@click.command()
@click.argument("run")
@click.argument("role", type=ROLES)
@click.argument("text")
@click.option("--queue", is_flag=True, help="For its next turn, instead of now.")
@verb
async def send(call: Call, *, run: str, role: str, text: str, queue: bool) -> int:
    """Say something to an agent of a run. `-` reads TEXT from standard input."""
    said = call.world.stdin.read() if text == "-" else text
    if not said.strip():
        raise click.UsageError("There is nothing to send.")
    async with call.client() as client:
        view = await find_run(client, run)
        argument = {"runId": view["runId"], "to": role, "text": said, "when": "next" if queue else "now"}
        answer = await client.command("politerm.message.send", argument)
    if call.json:
        call.world.print_json(answer)
    else:
        call.world.console.print(f"{'Queued for' if queue else 'Sent to'} {role}.")
    return 0


@click.command()
@click.argument("item", required=False, metavar="[ID]")
@click.argument("choice", required=False)
@click.option("--text", metavar="T", help="Your own words, where they are asked for.")
@verb
async def answer(call: Call, *, item: str | None, choice: str | None, text: str | None) -> int:
    """Answer what waits for you; without ID, list it. ID may be a unique beginning, or `last`."""
    async with call.client() as client:
        items = (await client.command("politerm.attention.list", {}))["items"]
        if item is None:
            _list(call, items)
            return 0
        found = _find(items, item)
        said: Json = {"choice": _choice(found, choice)} if choice is not None else {}
        said |= {"text": text} if text is not None else {}
        if not said:
            raise click.UsageError(f"Say which: {_how(found)}.")
        done = await client.command("politerm.attention.answer", {"attentionId": found["attentionId"], **said})
    if call.json:
        call.world.print_json(done)
    else:
        call.world.console.print("Answered.")
    return 0


def _find(items: list[Json], named: str) -> Json:
    if named == "last" and items:
        return max(items, key=lambda item: str(item["raisedAt"]))
    found = [item for item in items if item["attentionId"].startswith(named)]
    exact = [item for item in found if item["attentionId"] == named]
    if len(exact or found) == 1:
        return (exact or found)[0]
    if found:
        raise InvalidParams(f"{named} is the beginning of {len(found)} ids.", hint="politerm answer lists them.")
    raise AttentionNotFound(f"Nothing that waits begins with {named!r}.", hint="politerm answer lists what waits.")


def _choice(item: Json, said: str) -> str:
    """A choice by its id, its label, or its number in the list; what is unknown is for the engine to refuse."""
    for number, choice in enumerate(item.get("choices") or (), 1):
        if said.casefold() in (str(choice["id"]).casefold(), str(choice["label"]).casefold(), str(number)):
            return str(choice["id"])
    return said


def _how(item: Json) -> str:
    ways = [str(choice["id"]) for choice in item.get("choices") or ()]
    return " | ".join(ways + (["--text '...'"] if item.get("freeText") else [])) or "it takes no answer"


def _list(call: Call, items: list[Json]) -> None:
    from politerm.cli import words

    for item in items:
        if call.json:
            call.world.print_json(item)
            continue
        who = " ".join(part for part in (item.get("runId"), item.get("role")) if part)
        title = words.one_line(item["title"])
        call.world.console.print(f"{item['attentionId']}  {who or 'this workspace'}: {title}", soft_wrap=True)
        call.world.console.print(f"    {_how(item)}", soft_wrap=True)
    if not items and not call.json:
        call.world.errors.print("Nothing waits for you.")


@click.command()
@click.argument("run")
@click.option("--yes", is_flag=True, help="Do not ask.")
@verb
async def delete(call: Call, *, run: str, yes: bool) -> int:
    """Remove an ended run with everything that is stored of it."""
    async with call.client() as client:
        view = await find_run(client, run)
        if not yes and not await _sure(call, client, view):
            return 1
        gone = await client.command("politerm.run.delete", {"runId": view["runId"]})
    if call.json:
        call.world.print_json(gone)
    else:
        call.world.console.print(f"{view['runId']} is deleted.")
    return 0


async def _sure(call: Call, client: Steady, view: Json) -> bool:
    if not call.world.can_ask:
        raise InvalidParams("Deleting cannot be undone.", hint="Say --yes.")
    from politerm.cli import ask, words

    title = words.one_line(view["task"], 60)
    lines = ask.Lines(call.world.stdin)
    return await ask.yes(call.world.errors, lines, f"Delete {view['runId']} ({title})? This cannot be undone.")
