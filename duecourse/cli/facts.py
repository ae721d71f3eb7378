"""What happened to a loan: payments, reversals, promises, holds, opt-outs, answers to reviews."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from duecourse.cli.command import LenderId, LoanId, command
from duecourse.cli.desk import Answer, Desk
from duecourse.client import Session, Told, facts_of, find, loan_line, open_reviews, record_facts
from duecourse.errors import Conflict, InvalidInput, NotFound
from duecourse.ledger.queries import LoanLine
from duecourse.loans.facts import FACT, Fact, FromOutside
from duecourse.treatments.located import remedy

FactIdOption = Annotated[
    str | None, typer.Option("--id", help="The fact's own id: the same one again changes nothing. Made if left out.")
]
At = Annotated[str | None, typer.Option("--at", help="When it happened, ISO 8601 with an offset; now if left out.")]


def add_to(app: typer.Typer) -> None:
    for name, act in (
        ("pay", pay),
        ("reverse", reverse),
        ("promise", promise),
        ("hold", hold),
        ("lift", lift),
        ("opt-out", opt_out),
        ("approve", approve),
    ):
        command(app, name, needs="temporal")(act)


async def pay(
    desk: Desk,
    loan: LoanId,
    amount: Annotated[str, typer.Argument(help="Such as 250.00.")],
    currency: Annotated[str | None, typer.Option(help="The loan's, if left out.")] = None,
    value_on: Annotated[str | None, typer.Option(help="The book date from which it counts, YYYY-MM-DD.")] = None,
    lender: LenderId = None,
    id: FactIdOption = None,
    at: At = None,
) -> Answer:
    """Record a payment."""
    fields = {"amount": amount, "currency": currency, "value_on": value_on}
    return await _tell(desk, loan, lender, "payment", id, at, fields, lambda line, _: {"currency": line.currency})


async def reverse(
    desk: Desk,
    loan: LoanId,
    payment: Annotated[str, typer.Argument(help="The payment's fact id.")],
    lender: LenderId = None,
    id: FactIdOption = None,
    at: At = None,
) -> Answer:
    """Record that a payment did not hold: it bounced, was recalled, or was booked in error."""
    return await _tell(desk, loan, lender, "reversal", id, at, {"payment": payment}, lambda *_: {})


async def promise(
    desk: Desk,
    loan: LoanId,
    amount: Annotated[str, typer.Argument(help="Such as 250.00.")],
    by: Annotated[str, typer.Option(help="The promised date, YYYY-MM-DD.")],
    currency: Annotated[str | None, typer.Option(help="The loan's, if left out.")] = None,
    tolerance: Annotated[str | None, typer.Option(help="How much less still keeps it.")] = None,
    lender: LenderId = None,
    id: FactIdOption = None,
    at: At = None,
) -> Answer:
    """Record a promise to pay: reminders are silent until its date."""
    fields = {"amount": amount, "by": by, "currency": currency, "tolerance": tolerance}
    return await _tell(desk, loan, lender, "promise", id, at, fields, lambda line, _: {"currency": line.currency})


async def hold(
    desk: Desk,
    loan: LoanId,
    cause: Annotated[str, typer.Argument(help="dispute, hardship, bankruptcy, attorney, cease, forbearance, ...")],
    hold: Annotated[str | None, typer.Option("--hold", help="The hold's own id, to lift it by.")] = None,
    starts: Annotated[str | None, typer.Option(help="YYYY-MM-DD; today's book date if left out.")] = None,
    ends: Annotated[str | None, typer.Option(help="The first day after it, YYYY-MM-DD.")] = None,
    review_on: Annotated[str | None, typer.Option(help="When it is to be looked at again, YYYY-MM-DD.")] = None,
    scope: Annotated[str | None, typer.Option(help="debt, or person for all loans of the debtor.")] = None,
    days: Annotated[str | None, typer.Option(help="paused, or counted: whether held days count as delinquent.")] = None,
    lender: LenderId = None,
    id: FactIdOption = None,
    at: At = None,
) -> Answer:
    """Place a hold. What may still go out in spite of it is for the rules to say."""
    fields = {
        "cause": cause,
        "hold": hold,
        "starts": starts,
        "ends": ends,
        "review_on": review_on,
        "scope": scope,
        "days": days,
    }

    def defaults(line: LoanLine, fact: str) -> dict[str, Any]:
        return {"hold": fact, "starts": line.today.isoformat()}

    return await _tell(desk, loan, lender, "hold_placed", id, at, fields, defaults)


async def lift(
    desk: Desk,
    loan: LoanId,
    hold: Annotated[str, typer.Argument(help="The hold's id.")],
    on: Annotated[str | None, typer.Option(help="YYYY-MM-DD; today's book date if left out.")] = None,
    lender: LenderId = None,
    id: FactIdOption = None,
    at: At = None,
) -> Answer:
    """Lift a hold."""
    fields = {"hold": hold, "on": on}
    return await _tell(
        desk, loan, lender, "hold_lifted", id, at, fields, lambda line, _: {"on": line.today.isoformat()}
    )


async def opt_out(
    desk: Desk,
    loan: LoanId,
    channel: Annotated[str, typer.Argument(help="sms, email, call, letter, or * for all.")],
    contact_point: Annotated[str | None, typer.Option(help="A contact point's id; all if left out.")] = None,
    lender: LenderId = None,
    id: FactIdOption = None,
    at: At = None,
) -> Answer:
    """Record that the debtor wants no more of a channel: for all their loans with this lender."""
    fields = {"channel": channel, "contact_point": contact_point}
    return await _tell(desk, loan, lender, "opt_out", id, at, fields, lambda *_: {})


async def approve(
    desk: Desk,
    loan: LoanId,
    by: Annotated[str, typer.Option(help="Who answers: a staff id.")],
    rung: Annotated[str | None, typer.Option(help="The rung in review; left out: the only one.")] = None,
    refuse: Annotated[bool, typer.Option("--refuse", help="Answer no.")] = False,
    lender: LenderId = None,
    id: FactIdOption = None,
    at: At = None,
) -> Answer:
    """Answer a review: the rung goes on, or with --refuse ends."""
    async with desk.session() as session:
        key = await find(session, loan, lender)
        open_ = [one for one in await open_reviews(session) if one[:2] == key and rung in (None, one[4])]
    if len(open_) != 1 and (id is None or open_):
        names = ", ".join(one[4] for one in open_)
        if open_:
            raise InvalidInput("--rung", rung, f"one of the rungs in review: {names}")
        raise NotFound("review", rung or loan, f"no review of it is open; see `starter.py explain {loan}`")
    fields = {"answer": "refused" if refuse else "approved", "by": by}
    if open_:
        fields |= {"episode": open_[0][2], "installment": open_[0][3], "rung": open_[0][4]}
    return await _tell(desk, loan, lender, "approval", id, at, fields, lambda *_: {})


async def _tell(
    desk: Desk,
    loan: str,
    lender: str | None,
    kind: str,
    id_: str | None,
    at: str | None,
    fields: Mapping[str, Any],
    defaults: Callable[[LoanLine, str], dict[str, Any]],
) -> Answer:
    """Record one fact and tell the loan. What was left out comes from the fact of that id, if there is one, else
    from `defaults`, so that a repeat tomorrow is still the same fact."""
    async with desk.session() as opened:
        key = await find(opened, loan, lender)
        fact_id = id_ or f"{kind.replace('_', '-')}-{uuid.uuid4()}"
        line = await loan_line(opened, *key)
        known = await _known(opened, key, kind, fact_id) if id_ else None
        now = await opened.now()
        filled = defaults(line, fact_id) | {"at": now.isoformat()} if known is None else known
        given = {name: value for name, value in {**fields, "at": at}.items() if value is not None}
        fact = _fact({**filled, **given, "id": fact_id, "kind": kind})
        session = await desk.connected(opened)
        (told,) = await record_facts(session, *key, [fact])
        line = await loan_line(opened, *key)
    data = {
        "lender": key[0],
        "loan": key[1],
        "id": fact_id,
        "kind": kind,
        "again": told.recorded.again,
        "loan_seq": told.recorded.fact.loan_seq,
        "applied": told.applied is not None or told.recorded.again,
        "stage": line.stage,
        "balance": str(line.balance),
        "currency": line.currency,
        "others": list(told.recorded.others),
    }
    if told.applied is None and not told.recorded.again and not told.recorded.start:
        desk.warn("The loan has not answered: run `python worker.py`. The fact stands, and reaches the loan then.")
    return Answer(data, _told_text(told, line, fact_id))


async def _known(session: Session, key: tuple[str, str], kind: str, fact_id: str) -> dict[str, Any] | None:
    for row in await facts_of(session, *key):
        if row.id == fact_id:
            if row.kind != kind:
                raise Conflict(f"fact {fact_id} is recorded as a {row.kind.replace('_', ' ')}; use another id")
            return row.model_dump(mode="json", exclude={"loan_seq", "id", "kind"}, exclude_none=True)
    return None


def _fact(fields: dict[str, Any]) -> FromOutside:
    try:
        fact: Fact = FACT.validate_python(fields)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = str(first["loc"][-1]) if first["loc"] else "fact"
        value = fields.get(name)
        raise InvalidInput(name, value, remedy(first["type"], first["msg"]).removeprefix("Input should be ")) from error
    assert isinstance(fact, FromOutside)  # the kinds of this file are
    return fact


def _told_text(told: Told, line: LoanLine, fact_id: str) -> str:
    if told.recorded.again:
        lines = [f"{fact_id} was recorded before; nothing changed."]
    else:
        kind = told.recorded.fact.kind.replace("_", " ")
        lines = [f"{kind} {fact_id} recorded for {line.lender}/{line.loan}."]
    lines.append(f"The loan is {line.stage}, {line.balance:,.2f} {line.currency} open.")
    if told.recorded.others:
        lines.append(f"It holds for the debtor's other loans too: {', '.join(told.recorded.others)}.")
    return "\n".join(lines)
