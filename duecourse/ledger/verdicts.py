"""Every verdict with its reasons, in a hash chain per loan.

The chain runs over salted commitments to inputs and grounds, not over the texts: erasing what a verdict was
decided on leaves the proof intact that it was decided, when, and with which answer.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pydantic import TypeAdapter
from sqlalchemy import Connection, bindparam, insert, select

from duecourse.compliance.case import Case
from duecourse.compliance.verdict import Defer, Grounds, Permit, Review, Verdict, Withhold, binding
from duecourse.errors import NotFound
from duecourse.ledger import published
from duecourse.ledger.columns import instant_text
from duecourse.ledger.dossier import Dossier
from duecourse.ledger.prepared import Prepared
from duecourse.ledger.tables import loans, verdicts

CASE: TypeAdapter[Case] = TypeAdapter(Case)
GROUNDS: TypeAdapter[Grounds] = TypeAdapter(Grounds)

_ADD = Prepared(insert(verdicts))
_CHAIN = (
    select(verdicts)
    .where(verdicts.c.lender == bindparam("lender_"), verdicts.c.loan == bindparam("loan_"))
    .order_by(verdicts.c.no)
)
_HEAD = select(loans.c.verdicts, loans.c.verdict_head).where(
    loans.c.lender == bindparam("lender_"), loans.c.id == bindparam("loan_")
)


@dataclass(frozen=True, slots=True)
class Judged:
    """What a contact's result says of its verdict; the findings stay in the ledger."""

    no: int
    kind: Literal["permit", "defer", "withhold", "review"]
    rule: str  # the rule that bound it; "" for a permit
    until: datetime | None  # a permit's or stretch's end, a deferral's begin
    hash: str  # the head of the loan's chain


@dataclass(frozen=True, slots=True)
class Chain:
    """Whether a loan's verdicts are as they were written; `broken_at` is the first that is not."""

    loan: str
    count: int
    head: str
    broken_at: int | None
    why: str = ""


def store(
    connection: Connection,
    dossier: Dossier,
    claim: tuple[str, str, str],
    channel: str,
    at: datetime,
    verdict: Verdict,
    case: Case | None,
) -> Judged:
    """Write one verdict at the end of the loan's chain; the dossier's head moves, `save` writes it."""
    lender, loan = dossier.key
    kind, until = _said(verdict)
    bound = binding(verdict)
    rule = bound.rule if bound and kind != "permit" else ""
    grounds = GROUNDS.dump_json(verdict.grounds).decode()
    inputs = "" if case is None else CASE.dump_json(case).decode()
    salt = secrets.token_hex(16)
    number = dossier.verdicts + 1
    commitment = _commitment(salt, inputs, grounds)
    previous = dossier.verdict_head
    hash_ = _link(previous, lender, loan, number, claim, channel, at, kind, rule, until, commitment)
    _ADD.change(
        connection,
        {
            "lender": lender,
            "loan": loan,
            "no": number,
            "episode": claim[0],
            "installment": claim[1],
            "rung": claim[2],
            "channel": channel,
            "at": at,
            "kind": kind,
            "rule": rule,
            "until": until,
            "grounds": grounds,
            "inputs": inputs,
            "salt": salt,
            "commitment": commitment,
            "previous": previous,
            "hash": hash_,
        },
    )
    dossier.verdicts, dossier.verdict_head = number, hash_
    return Judged(number, kind, rule, until, hash_)


def verify_chain(connection: Connection, lender: str, loan: str) -> Chain:
    """Read the chain again from its first link. Raises NotFound for an unknown loan."""
    key = {"lender_": lender, "loan_": loan}
    head = connection.execute(_HEAD, key).first()
    if head is None:
        raise NotFound("loan", f"{lender}/{loan}", "register it first: start or import")
    previous = ""
    number = 0
    for row in connection.execute(_CHAIN, key):
        number += 1
        why = ""
        claim = (row.episode, row.installment, row.rung)
        link = _link(
            previous, lender, loan, number, claim, row.channel, row.at, row.kind, row.rule, row.until, row.commitment
        )
        if row.no != number:
            why = f"verdict {number} is missing"
        elif row.previous != previous or row.hash != link:
            why = "it was changed, or what came before it"
        elif row.inputs and row.commitment != _commitment(row.salt, row.inputs, row.grounds):
            why = "its inputs or grounds were changed"
        if why:
            return Chain(loan, head.verdicts, head.verdict_head, number, why)
        previous = row.hash
    if number != head.verdicts or previous != head.verdict_head:
        return Chain(loan, head.verdicts, head.verdict_head, number + 1, "the end of the chain is missing")
    return Chain(loan, number, previous, None)


def decide_again(connection: Connection, lender: str, loan: str, no: int) -> Verdict:
    """The gate's answer to a stored case under the packs of that day. Treatment findings are not the gate's.

    Raises NotFound where there is no such verdict, or its inputs were erased or never built.
    """
    from duecourse.compliance.gate import decide

    for row in connection.execute(_CHAIN, {"lender_": lender, "loan_": loan}):
        if row.no == no and row.inputs:
            grounds = GROUNDS.validate_json(row.grounds)
            packs = published.as_of(connection, grounds.packs)
            return decide(CASE.validate_json(row.inputs), packs)
    raise NotFound("verdict", f"{lender}/{loan}#{no}", "it has no inputs: nothing was asked of the gate, or erased")


def _said(verdict: Verdict) -> tuple[Literal["permit", "defer", "withhold", "review"], datetime | None]:
    match verdict:
        case Permit(closes=closes):
            return "permit", closes
        case Defer(opens=opens):
            return "defer", opens
        case Withhold():
            return "withhold", None
        case Review():
            return "review", None


def _commitment(salt: str, inputs: str, grounds: str) -> str:
    return hashlib.sha256(f"{salt}\n{inputs}\n{grounds}".encode()).hexdigest()


def _link(
    previous: str,
    lender: str,
    loan: str,
    number: int,
    claim: tuple[str, str, str],
    channel: str,
    at: datetime,
    kind: str,
    rule: str,
    until: datetime | None,
    commitment: str,
) -> str:
    parts = (
        previous,
        lender,
        loan,
        str(number),
        *claim,
        channel,
        instant_text(at),
        kind,
        rule,
        instant_text(until) if until else "",
        commitment,
    )
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
