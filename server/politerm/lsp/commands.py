"""Every command: the model of its argument and the few lines that bring it to the engine and its answer to the wire."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from politerm.core.views import Attention, RunView
from politerm.core.wire import Wire
from politerm.engine import answers
from politerm.engine import requests as rq
from politerm.engine.api import EngineApi, PaneOpened, PaneSize, PaneViewer
from politerm.lsp.explain import read_arguments


@dataclass(frozen=True)
class Call:
    """Who asks: the engine, the connection's pane viewer, and how to learn whether this client's folder is trusted."""

    engine: EngineApi
    viewer: PaneViewer
    trusted: Callable[[], Awaitable[bool]]


Handler = Callable[[Call, Any], Awaitable[Wire | dict[str, Any]]]
H = TypeVar("H", bound=Handler)


@dataclass(frozen=True)
class Command:
    """`answer` is None where a report is answered that has no fixed shape."""

    params: type[Wire]
    answer: type[Wire] | None
    run: Handler


COMMANDS: dict[str, Command] = {}


def command(name: str, params: type[Wire], answer: type[Wire] | None) -> Callable[[H], H]:
    def register(handler: H) -> H:
        COMMANDS[name] = Command(params, answer, handler)
        return handler

    return register


async def run_command(call: Call, name: str, arguments: dict[str, Any]) -> Any:
    """The command's JSON result. Raises InvalidParams for its argument and whatever the engine raises."""
    entry = COMMANDS[name]
    answer = await entry.run(call, read_arguments(name, entry.params, arguments))
    return answer.to_json() if isinstance(answer, Wire) else answer


@command("politerm.run.start", rq.StartRun, answers.RunStarting)
async def start_run(call: Call, request: rq.StartRun) -> answers.RunStarting:
    return answers.RunStarting(run_id=await call.engine.start_run(request, trusted=await call.trusted()))


@command("politerm.run.list", rq.ListRuns, answers.RunList)
async def list_runs(call: Call, request: rq.ListRuns) -> answers.RunList:
    return answers.RunList(runs=tuple(await call.engine.list_runs(request)))


@command("politerm.run.get", rq.RunRef, RunView)
async def get_run(call: Call, request: rq.RunRef) -> RunView:
    return await call.engine.get_run(request.run_id)


@command("politerm.run.events", rq.ReadEvents, answers.EventPage)
async def read_events(call: Call, request: rq.ReadEvents) -> answers.EventPage:
    events, last = await call.engine.read_events(request)
    return answers.EventPage(events=tuple(events), last=last)


@command("politerm.run.pause", rq.RunAct, RunView)
async def pause_run(call: Call, request: rq.RunAct) -> RunView:
    return await call.engine.pause(request)


@command("politerm.run.resume", rq.RunAct, RunView)
async def resume_run(call: Call, request: rq.RunAct) -> RunView:
    return await call.engine.resume(request)


@command("politerm.run.retry", rq.RunAct, RunView)
async def retry_run(call: Call, request: rq.RunAct) -> RunView:
    return await call.engine.retry(request)


@command("politerm.run.stop", rq.RunAct, RunView)
async def stop_run(call: Call, request: rq.RunAct) -> RunView:
    return await call.engine.stop(request)


@command("politerm.run.delete", rq.RunAct, RunView)
async def delete_run(call: Call, request: rq.RunAct) -> RunView:
    return await call.engine.delete(request)


@command("politerm.run.configure", rq.ConfigureRun, RunView)
async def configure_run(call: Call, request: rq.ConfigureRun) -> RunView:
    return await call.engine.configure(request)


@command("politerm.run.interrupt", rq.InterruptRun, RunView)
async def interrupt_run(call: Call, request: rq.InterruptRun) -> RunView:
    return await call.engine.interrupt(request)


@command("politerm.run.export", rq.ExportRun, answers.Exported)
async def export_run(call: Call, request: rq.ExportRun) -> answers.Exported:
    return answers.Exported(text=await call.engine.export(request))


@command("politerm.search", rq.SearchText, answers.SearchHits)
async def search(call: Call, request: rq.SearchText) -> answers.SearchHits:
    hits = await call.engine.search(request)
    found = (answers.SearchHit(run_id=hit.run_id, seq=hit.seq, excerpt=hit.excerpt) for hit in hits)
    return answers.SearchHits(hits=tuple(found))


@command("politerm.message.send", rq.SendMessage, answers.PromptSent)
async def send_message(call: Call, request: rq.SendMessage) -> answers.PromptSent:
    return answers.PromptSent(prompt_id=await call.engine.send(request))


@command("politerm.attention.list", rq.ListAttention, answers.AttentionItems)
async def list_attention(call: Call, request: rq.ListAttention) -> answers.AttentionItems:
    return answers.AttentionItems(items=tuple(await call.engine.list_attention(request)))


@command("politerm.attention.answer", rq.AnswerAttention, Attention)
async def answer_attention(call: Call, request: rq.AnswerAttention) -> Attention:
    return await call.engine.answer(request)


@command("politerm.pane.open", rq.OpenPane, PaneOpened)
async def open_pane(call: Call, request: rq.OpenPane) -> PaneOpened:
    return await call.engine.open_pane(request, call.viewer)


@command("politerm.pane.close", rq.PaneRef, answers.Done)
async def close_pane(call: Call, request: rq.PaneRef) -> answers.Done:
    await call.engine.close_pane(request, call.viewer)
    return answers.Done()


@command("politerm.pane.takeOver", rq.TakeOver, PaneSize)
async def take_over(call: Call, request: rq.TakeOver) -> PaneSize:
    return await call.engine.take_over(request, call.viewer)


@command("politerm.pane.input", rq.PaneInput, answers.Done)
async def pane_input(call: Call, request: rq.PaneInput) -> answers.Done:
    await call.engine.pane_input(request, call.viewer)
    return answers.Done()


@command("politerm.pane.resize", rq.ResizePane, PaneSize)
async def resize_pane(call: Call, request: rq.ResizePane) -> PaneSize:
    return await call.engine.resize_pane(request, call.viewer)


@command("politerm.pane.attach", rq.AttachPane, answers.AttachCommand)
async def attach_pane(call: Call, request: rq.AttachPane) -> answers.AttachCommand:
    pane = rq.PaneRef(run_id=request.run_id, role=request.role)
    return answers.AttachCommand(command=await call.engine.attach_command(pane, read_only=request.read_only))


@command("politerm.primer.resend", rq.PaneRef, answers.PromptSent)
async def resend_primer(call: Call, request: rq.PaneRef) -> answers.PromptSent:
    return answers.PromptSent(prompt_id=await call.engine.resend_primer(request))


@command("politerm.agent.list", rq.Nothing, answers.AgentList)
async def list_agents(call: Call, request: rq.Nothing) -> answers.AgentList:
    return answers.AgentList(agents=tuple(await call.engine.list_agents()))


@command("politerm.agent.check", rq.CheckAgent, None)
async def check_agent(call: Call, request: rq.CheckAgent) -> dict[str, Any]:
    return await call.engine.check_agent(request, trusted=await call.trusted())


@command("politerm.doctor", rq.Nothing, None)
async def doctor(call: Call, request: rq.Nothing) -> dict[str, Any]:
    return await call.engine.doctor()
