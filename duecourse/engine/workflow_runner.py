"""The workflow sandbox, entered for the workflow's own code and not for each payload around it.

The SDK asks a running workflow three times per payload which serialization context it has, and each question goes
through the sandbox: its importer, its built-ins, its code. Our payloads look the same in every context, so that the
question has one answer, which needs no workflow.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from temporalio.converter import StorageDriverStoreContext
from temporalio.worker import WorkflowInstance, WorkflowInstanceDetails
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner
from temporalio.workflow import Info

_NOWHERE = StorageDriverStoreContext(target=None)


@dataclass(frozen=True)
class ContextFreeSandbox(SandboxedWorkflowRunner):
    """Temporal's sandbox for a data converter that takes no context and stores nothing outside the history.

    With a converter or codec that takes a context it would be wrong: that one would be asked without any.
    """

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        return _ContextFree(super().create_instance(det))


class _ContextFree(WorkflowInstance):
    """A sandboxed workflow; whatever is not about payloads is its own answer."""

    def __init__(self, sandboxed: WorkflowInstance) -> None:
        self._sandboxed = sandboxed

    def activate(self, act: Any) -> Any:
        return self._sandboxed.activate(act)

    def get_serialization_context(self, command_info: object) -> None:
        return None

    def get_external_store_context(self, command_info: object) -> StorageDriverStoreContext:
        return _NOWHERE

    def get_info(self) -> Info:
        return self._sandboxed.get_info()

    def get_thread_id(self) -> int | None:
        return self._sandboxed.get_thread_id()
