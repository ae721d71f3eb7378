"""The connection to Temporal, and the one set of habits that client, workers, replayer and tests share."""

from __future__ import annotations

import dataclasses

import pydantic
from temporalio.client import Client
from temporalio.envconfig import ClientConfig
from temporalio.plugin import SimplePlugin
from temporalio.worker import WorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from duecourse.engine.observe import ActivityObserver
from duecourse.engine.payloads import data_converter
from duecourse.engine.workflow_runner import ContextFreeSandbox
from duecourse.errors import Unavailable

DEFAULT_TARGET = "localhost:7233"

# Loaded once per process instead of once per workflow: eight times cheaper, and the zone and holiday data inside
# `duecourse` cannot work through the sandbox's proxies. The contracts are models and constants, safe to share.
PASSED_THROUGH = ("duecourse", "workflows.contracts", "pydantic", "pydantic_core", "annotated_types", "structlog")

SANDBOX_RESTRICTIONS = SandboxRestrictions.default.with_passthrough_modules(*PASSED_THROUGH)


class ServerUnreachable(Unavailable):
    """No Temporal server answers at the address."""

    def __init__(self, target: str) -> None:
        self.field = "TEMPORAL_ADDRESS"
        self.value = target
        super().__init__(
            f"no Temporal server answers at {target}: start one with `make demo`, "
            "`temporal server start-dev` or `docker compose up`, or name yours in TEMPORAL_ADDRESS or a Temporal "
            "profile (TEMPORAL_PROFILE)"
        )


def plugin() -> SimplePlugin:
    """The shared habits: payloads, sandbox, interceptors, failure types.

    Give it to `Client.connect(plugins=)`, and every worker of that client has it; give it to `Replayer(plugins=)` and
    to test environments as well. Never give it to a worker whose client has it already.
    """
    return SimplePlugin(
        "duecourse",
        data_converter=data_converter,
        workflow_runner=_sandboxed,
        # A start that does not decode fails at once and visibly; by default it would be retried without end.
        # A bug in the loop still parks the loan, which a corrected build then carries on.
        workflow_failure_exception_types=[pydantic.ValidationError],
        interceptors=[ActivityObserver()],
    )


async def connect(target: str | None = None, *, namespace: str | None = None) -> Client:
    """Connect to Temporal as its own tools do: `TEMPORAL_*` variables and profile file, else localhost:7233.

    `target` (`host:port`) and `namespace` win over both. Raises ServerUnreachable.
    """
    config = ClientConfig.load_client_connect_config()
    if target is not None:
        config["target_host"] = target
    config.setdefault("target_host", DEFAULT_TARGET)
    if namespace is not None:
        config["namespace"] = namespace
    try:
        return await Client.connect(**config, plugins=[plugin()])
    except RuntimeError as error:
        # The SDK reports every failure to connect as a bare RuntimeError.
        raise ServerUnreachable(config["target_host"]) from error


def _sandboxed(existing: WorkflowRunner | None) -> WorkflowRunner:
    match existing:
        case None:
            return ContextFreeSandbox(restrictions=SANDBOX_RESTRICTIONS)
        case SandboxedWorkflowRunner():
            restrictions = existing.restrictions.with_passthrough_modules(*PASSED_THROUGH)
            if type(existing) is SandboxedWorkflowRunner:
                return ContextFreeSandbox(restrictions=restrictions, runner_class=existing.runner_class)
            return dataclasses.replace(existing, restrictions=restrictions)
        case _:
            return existing
