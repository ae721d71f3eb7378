"""What happens around every activity attempt: its clock starts, and its log lines get the loan's and workflow's id."""

from __future__ import annotations

from typing import Any

import structlog
from temporalio import activity
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from duecourse.engine.business_time import mark_attempt_began

_LOAN_PREFIX = "loan/"


class ActivityObserver(Interceptor):
    """Worker interceptor; the plugin in `connect.py` gives it to every worker."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return _ObservedActivity(next)


class _ObservedActivity(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        mark_attempt_began()
        info = activity.info()
        workflow_id = info.workflow_id or ""
        bound: dict[str, object] = {"workflow_id": workflow_id, "activity": info.activity_type, "attempt": info.attempt}
        loan = loan_of(workflow_id)
        if loan is not None:
            bound["lender"], bound["loan"] = loan
        with structlog.contextvars.bound_contextvars(**bound):
            return await super().execute_activity(input)


def loan_of(workflow_id: str) -> tuple[str, str] | None:
    """Lender and loan of a workflow id `loan/<lender>/<loan>`; None for any other id. Loan ids may contain slashes."""
    if not workflow_id.startswith(_LOAN_PREFIX):
        return None
    lender, _, loan = workflow_id.removeprefix(_LOAN_PREFIX).partition("/")
    return (lender, loan) if lender and loan else None
