"""Every command: the model of its argument and the few lines that bring it to the engine and its answer to the wire."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from politerm.core.wire import Wire
from politerm.engine import requests as rq
from politerm.engine.api import EngineApi, PaneViewer
from politerm.lsp.explain import read_arguments


@dataclass(frozen=True)
class Call:
    """Who asks: the engine, the connection's pane viewer, and how to learn whether this client's folder is trusted."""

    engine: EngineApi
    viewer: PaneViewer
    trusted: Callable[[], Awaitable[bool]]


Handler = Callable[[Call, Any], Awaitable[Any]]
H = TypeVar("H", bound=Handler)


@dataclass(frozen=True)
class Command:
    params: type[Wire]
    run: Handler


COMMANDS: dict[str, Command] = {}


def command(name: str, params: type[Wire]) -> Callable[[H], H]:
    def register(handler: H) -> H:
        COMMANDS[name] = Command(params, handler)
        return handler

    return register


async def run_command(call: Call, name: str, arguments: dict[str, Any]) -> Any:
    """The command's JSON result. Raises InvalidParams for its argument and whatever the engine raises."""
    entry = COMMANDS[name]
    return await entry.run(call, read_arguments(name, entry.params, arguments))


@command("politerm.run.start", rq.StartRun)
async def start_run(call: Call, request: rq.StartRun) -> Any:
    return {"runId": await call.engine.start_run(request, trusted=await call.trusted())}


@command("politerm.run.list", rq.ListRuns)
async def list_runs(call: Call, request: rq.ListRuns) -> Any:
    return {"runs": [view.to_json() for view in await call.engine.list_runs(request)]}


@command("politerm.run.get", rq.RunRef)
async def get_run(call: Call, request: rq.RunRef) -> Any:
    return (await call.engine.get_run(request.run_id)).to_json()


@command("politerm.run.events", rq.ReadEvents)
async def read_events(call: Call, request: rq.ReadEvents) -> Any:
    events, last = await call.engine.read_events(request)
    return {"events": [envelope.to_json() for envelope in events], "last": last}


@command("politerm.run.pause", rq.RunAct)
async def pause_run(call: Call, request: rq.RunAct) -> Any:
    return (await call.engine.pause(request)).to_json()


@command("politerm.run.resume", rq.RunAct)
async def resume_run(call: Call, request: rq.RunAct) -> Any:
    return (await call.engine.resume(request)).to_json()


@command("politerm.run.retry", rq.RunAct)
async def retry_run(call: Call, request: rq.RunAct) -> Any:
    return (await call.engine.retry(request)).to_json()


@command("politerm.run.stop", rq.RunAct)
async def stop_run(call: Call, request: rq.RunAct) -> Any:
    return (await call.engine.stop(request)).to_json()


@command("politerm.run.delete", rq.RunAct)
async def delete_run(call: Call, request: rq.RunAct) -> Any:
    return (await call.engine.delete(request)).to_json()


@command("politerm.run.configure", rq.ConfigureRun)
async def configure_run(call: Call, request: rq.ConfigureRun) -> Any:
    return (await call.engine.configure(request)).to_json()


@command("politerm.run.interrupt", rq.InterruptRun)
async def interrupt_run(call: Call, request: rq.InterruptRun) -> Any:
    return (await call.engine.interrupt(request)).to_json()


@command("politerm.run.export", rq.ExportRun)
async def export_run(call: Call, request: rq.ExportRun) -> Any:
    return {"text": await call.engine.export(request)}


@command("politerm.search", rq.SearchText)
async def search(call: Call, request: rq.SearchText) -> Any:
    hits = await call.engine.search(request)
    return {"hits": [{"runId": hit.run_id, "seq": hit.seq, "excerpt": hit.excerpt} for hit in hits]}


@command("politerm.message.send", rq.SendMessage)
async def send_message(call: Call, request: rq.SendMessage) -> Any:
    return {"promptId": await call.engine.send(request)}


@command("politerm.attention.list", rq.ListAttention)
async def list_attention(call: Call, request: rq.ListAttention) -> Any:
    return {"items": [item.to_json() for item in await call.engine.list_attention(request)]}


@command("politerm.attention.answer", rq.AnswerAttention)
async def answer_attention(call: Call, request: rq.AnswerAttention) -> Any:
    return (await call.engine.answer(request)).to_json()


@command("politerm.pane.open", rq.OpenPane)
async def open_pane(call: Call, request: rq.OpenPane) -> Any:
    return (await call.engine.open_pane(request, call.viewer)).to_json()


@command("politerm.pane.close", rq.PaneRef)
async def close_pane(call: Call, request: rq.PaneRef) -> Any:
    await call.engine.close_pane(request, call.viewer)
    return {}


@command("politerm.pane.takeOver", rq.TakeOver)
async def take_over(call: Call, request: rq.TakeOver) -> Any:
    return (await call.engine.take_over(request, call.viewer)).to_json()


@command("politerm.pane.input", rq.PaneInput)
async def pane_input(call: Call, request: rq.PaneInput) -> Any:
    await call.engine.pane_input(request, call.viewer)
    return {}


@command("politerm.pane.resize", rq.ResizePane)
async def resize_pane(call: Call, request: rq.ResizePane) -> Any:
    return (await call.engine.resize_pane(request, call.viewer)).to_json()


@command("politerm.pane.attach", rq.AttachPane)
async def attach_pane(call: Call, request: rq.AttachPane) -> Any:
    pane = rq.PaneRef(run_id=request.run_id, role=request.role)
    return {"command": list(await call.engine.attach_command(pane, read_only=request.read_only))}


@command("politerm.primer.resend", rq.PaneRef)
async def resend_primer(call: Call, request: rq.PaneRef) -> Any:
    return {"promptId": await call.engine.resend_primer(request)}


@command("politerm.agent.list", rq.Nothing)
async def list_agents(call: Call, request: rq.Nothing) -> Any:
    return {"agents": [agent.to_json() for agent in await call.engine.list_agents()]}


@command("politerm.agent.check", rq.CheckAgent)
async def check_agent(call: Call, request: rq.CheckAgent) -> Any:
    return await call.engine.check_agent(request, trusted=await call.trusted())


@command("politerm.doctor", rq.Nothing)
async def doctor(call: Call, request: rq.Nothing) -> Any:
    return await call.engine.doctor()
