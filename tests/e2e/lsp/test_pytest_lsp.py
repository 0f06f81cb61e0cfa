"""The server as an ordinary LSP client library sees it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_lsp
from lsprotocol import types
from pytest_lsp import ClientServerConfig, LanguageClient

SERVER = [sys.executable, str(Path(__file__).with_name("serve_fake.py"))]
RUN = "run-00001"


@pytest_lsp.fixture(config=ClientServerConfig(server_command=SERVER))  # type: ignore[untyped-decorator]
async def client(lsp_client: LanguageClient) -> AsyncIterator[None]:
    result = await lsp_client.initialize_session(
        types.InitializeParams(
            capabilities=types.ClientCapabilities(window=types.WindowClientCapabilities(work_done_progress=True)),
            initialization_options={"politerm": {"trusted": True}},
        )
    )
    assert result.capabilities.execute_command_provider is not None
    yield
    await lsp_client.shutdown_session()


async def command(client: LanguageClient, name: str, **arguments: Any) -> Any:
    params = types.ExecuteCommandParams(command=name, arguments=[arguments])
    return await client.workspace_execute_command_async(params)


@pytest.mark.asyncio
async def test_a_run_is_started_and_followed(client: LanguageClient) -> None:
    events: asyncio.Queue[Any] = asyncio.Queue()

    @client.feature("politerm/event")  # type: ignore[untyped-decorator]
    def on_event(params: Any) -> None:
        events.put_nowait(params)

    started = await command(client, "politerm.run.start", task="write a test", runId=RUN)
    assert started == {"runId": RUN}
    await command(client, "politerm.message.send", runId=RUN, to="planner", text="say 3 10")
    seqs = [(await asyncio.wait_for(events.get(), 20)).seq for _ in range(3)]
    assert seqs == [1, 2, 3]


@pytest.mark.asyncio
async def test_progress_and_a_question(client: LanguageClient) -> None:
    asked: asyncio.Future[types.ShowMessageRequestParams] = asyncio.get_running_loop().create_future()

    @client.feature(types.WINDOW_SHOW_MESSAGE_REQUEST)  # type: ignore[untyped-decorator]
    def on_question(params: types.ShowMessageRequestParams) -> types.MessageActionItem:
        asked.set_result(params)
        return types.MessageActionItem(title="Allow")

    await command(client, "politerm.run.start", task="write a test", runId=RUN)
    await command(client, "politerm.message.send", runId=RUN, to="planner", text="ask Allow Deny")
    params = await asyncio.wait_for(asked, 20)
    assert [action.title for action in params.actions or ()] == ["Allow", "Deny"]
    async with asyncio.timeout(20):
        while (await command(client, "politerm.attention.list"))["items"]:  # noqa: ASYNC110 - the answer is what tells
            await asyncio.sleep(0.01)


@pytest.mark.asyncio
async def test_an_error_has_its_code(client: LanguageClient) -> None:
    from pygls.exceptions import JsonRpcException

    with pytest.raises(JsonRpcException) as caught:
        await command(client, "politerm.run.get", runId="none")
    assert caught.value.code == -32803
    assert caught.value.data["code"] == "runNotFound"
