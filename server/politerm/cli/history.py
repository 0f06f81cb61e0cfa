"""Looking back: `runs show watch replay search export`, all from the one log that everybody reads."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import click

from politerm.cli import trust as trusting
from politerm.cli.clients import Json
from politerm.cli.world import Call, find_run, verb
from politerm.errors import NotFound, Untrusted

RUN_STATES = ("queued", "starting", "running", "paused", "ended")


@click.command()
@click.option("--state", "states", multiple=True, type=click.Choice(RUN_STATES), help="Only runs in this state.")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True)
@verb
async def runs(call: Call, *, states: tuple[str, ...], limit: int) -> int:
    """The runs of this workspace, newest first."""
    argument: Json = {"limit": limit} | ({"states": list(states)} if states else {})
    async with call.client() as client:
        found = (await client.command("politerm.run.list", argument))["runs"]
    if call.json:
        for view in found:
            call.world.print_json(view)
        return 0
    if not found:
        call.world.errors.print('There is no run in this workspace yet. Start one: politerm run "TASK"')
        return 0
    _print_table(call, found)
    return 0


def _print_table(call: Call, found: list[Json]) -> None:
    from rich.table import Table
    from rich.text import Text

    from politerm.cli import words
    from politerm.cli.display import OUTCOME_STYLES

    now = datetime.now(UTC)
    table = Table(box=None, header_style="dim", padding=(0, 2, 0, 0), pad_edge=False)
    wide = call.world.console.width >= 130
    for name in ("RUN", "STATE", "ROUND", "TOOK", "AGO", *(("AGENTS",) if wide else ()), "TASK"):
        table.add_column(name, no_wrap=name != "TASK")
    for view in found:
        state = str(view.get("outcome") or view["state"])
        waits = f" ({view['attention']} for you)" if view["attention"] else ""
        table.add_row(
            view["runId"],
            Text(state + waits, style=OUTCOME_STYLES.get(state, "cyan")),
            str(view["round"]),
            words.duration(words.between(view["startedAt"], view.get("endedAt"), now)),
            words.duration(words.between(view["startedAt"], None, now)),
            *([Text(" → ".join(role["agent"] for role in view["roles"].values()))] if wide else []),
            Text(words.one_line(view["task"], 60)),
        )
    call.world.print_table(table)


@click.command()
@click.argument("run", default="last")
@click.option("--all", "everything", is_flag=True, help="Also what is only of interest when something went wrong.")
@verb
async def show(call: Call, *, run: str, everything: bool) -> int:
    """A run's whole conversation so far, untrimmed."""
    from politerm.cli.follow import stored

    async with call.client() as client:
        view = await find_run(client, run)
        envelopes = await stored(client, view["runId"])
    if call.json:
        for envelope in envelopes:
            call.world.print_json(envelope)
        return 0
    _print_story(call, view, envelopes, everything=everything)
    return 0


def _print_story(call: Call, view: Json, envelopes: list[Json], *, everything: bool) -> None:
    from rich.text import Text

    from politerm.cli import words
    from politerm.cli.display import timeline
    from politerm.cli.summary import print_summary

    console = call.world.console
    console.print(Text.assemble((view["runId"], "bold"), f"  {view['state']}  {words.safe(view['cwd'])}"))
    began = words.instant(envelopes[0]["at"]) if envelopes else None
    for envelope in envelopes:
        line = words.describe(envelope["event"])
        if line is None or began is None or (line.weight in ("trace", "detail") and not everything):
            continue
        since = words.duration((words.instant(envelope["at"]) - began).total_seconds())
        if console.is_terminal:
            console.print(timeline(line, since, None))
        else:
            console.print(Text(f"{since:>6}  {line.head}"), soft_wrap=True)
            for row in line.body.split("\n") if line.body else ():
                console.print(Text(f"        | {row}".rstrip()), soft_wrap=True)
    print_summary(call.world, view, None)


@click.command()
@click.argument("run", default="last")
@trusting.option
@verb
async def watch(call: Call, *, run: str, trust: bool) -> int:
    """Follow a run from its beginning, live, to its end. What it asks can be answered here; Ctrl-C only leaves."""
    from politerm.cli.display import display_for
    from politerm.cli.follow import Follower
    from politerm.cli.summary import print_summary
    from politerm.cli.watching import Watching

    world = call.world
    if trust:
        await trusting.keep_yes(call)
    async with call.client(trusted=True if trust else None) as client:
        follower = Follower(client)
        view = await find_run(client, run)
        if view["state"] != "ended" and await trusting.trust_item(client) is not None:
            # Nobody else holds the workspace: without trust the run would not go on, and we would wait for ever.
            await trusting.ask_for_trust(call, client, Untrusted("The run cannot go on in an untrusted folder."))
        asks = not call.json and world.console.is_terminal and world.stdin.isatty()
        with display_for(world, as_json=call.json, hint="Ctrl-C leaves, the run goes on") as display:
            await Watching(world, client, follower, display, asks=asks).follow(view["runId"])
        view = await client.command("politerm.run.get", {"runId": view["runId"]})
    if not call.json:
        print_summary(world, view, None)
    return 0


@click.command()
@click.argument("run", default="last")
@click.option("--speed", type=click.FloatRange(min=0), default=1.0, show_default=True, help="0: all at once.")
@click.option("--max-pause", type=click.FloatRange(min=0), default=3.0, show_default=True, metavar="SECONDS")
@verb
async def replay(call: Call, *, run: str, speed: float, max_pause: float) -> int:
    """Show a run again at the pace it had. Long pauses are cut to --max-pause."""
    from politerm.cli import words
    from politerm.cli.display import display_for
    from politerm.cli.follow import stored
    from politerm.cli.summary import print_summary

    async with call.client() as client:
        view = await find_run(client, run)
        envelopes = await stored(client, view["runId"])
    with display_for(call.world, as_json=call.json, still=True) as display:
        before = None
        for envelope in envelopes:
            at = words.instant(envelope["at"])
            if before is not None and speed > 0:
                await asyncio.sleep(min(max_pause, max(0.0, (at - before).total_seconds()) / speed))
            before = at
            display.show(envelope)
    if not call.json:
        print_summary(call.world, view, None)
    return 0


@click.command()
@click.argument("text")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@verb
async def search(call: Call, *, text: str, limit: int) -> int:
    """Find words in the messages of all runs of this workspace. Exits with 1 when there are none."""
    from politerm.cli import words

    if not text.strip():
        raise click.UsageError("There is nothing to search for.")
    async with call.client() as client:
        hits = (await client.command("politerm.search", {"text": text, "limit": limit}))["hits"]
    for hit in hits:
        if call.json:
            call.world.print_json(hit)
        else:
            excerpt = words.one_line(hit["excerpt"], 120)
            call.world.console.print(f"{hit['runId']} {hit['seq']:>5}  {excerpt}", soft_wrap=True)
    return 0 if hits else 1


@click.command()
@click.argument("run", default="last")
@click.option("--format", "form", type=click.Choice(["md", "jsonl", "cast"]), default="md", show_default=True)
@click.option("--output", "-o", type=click.Path(dir_okay=False, writable=True), help="Write a file instead.")
@verb
async def export(call: Call, *, run: str, form: str, output: str | None) -> int:
    """A run as Markdown, as JSON lines, or its panes as an asciicast."""
    from politerm.cli import words

    if call.json:
        form = "jsonl"
    async with call.client() as client:
        view = await find_run(client, run)
        text = (await client.command("politerm.run.export", {"runId": view["runId"], "format": form}))["text"]
    if not text:
        raise NotFound(f"Nothing of {view['runId']} can be exported as {form}.")
    if output is not None:
        with click.open_file(output, "w", encoding="utf-8") as file:
            file.write(text)
    else:
        shown = words.safe(text) if call.world.stdout.isatty() and form == "md" else text
        call.world.stdout.write(shown if shown.endswith("\n") else shown + "\n")
        call.world.stdout.flush()
    return 0
