"""Tables for people: loans and their stages, messages by channel, verdicts by reason, one loan's status."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from duecourse.client import Overview
from duecourse.compliance.explain import word
from duecourse.compliance.packs import PackSet
from duecourse.ledger.duties import OpenDuty
from duecourse.ledger.queries import LoanLine
from duecourse.loans.display import moment
from duecourse.present.words import money, words_in
from workflows.contracts import LoanStatus

_STAGES = {
    "current": "green",
    "due": "cyan",
    "overdue": "red",
    "promised": "cyan",
    "held": "magenta",
    "review": "yellow",
    "legal": "red",
    "closed": "dim",
}
_STATES = ("accepted", "delivered", "unknown", "failed", "released", "shadow", "reserved", "sending")
_VERDICTS = {"withhold": "not sent", "defer": "put off", "review": "asked a person"}


def loans_table(loans: Sequence[LoanLine]) -> Table:
    """One row a loan: tier, stage, what is open and overdue, days past due, the last rung whose day has come."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    for name in ("Loan", "Lender", "Tier", "Stage"):
        table.add_column(name, no_wrap=True)
    for name in ("Open", "Overdue"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_column("Late", justify="right", no_wrap=True)
    table.add_column("Step reached")
    for one in loans:
        table.add_row(
            one.loan,
            one.lender,
            one.tier,
            Text(one.stage, style=_STAGES[one.stage]),
            _amount(one.balance),
            _amount(one.overdue),
            one.currency if one.balance else "",
            f"{one.past_due_days} d" if one.past_due_days else "",
            (one.reached or "").replace("_", " "),
        )
    return table


def messages_table(contacts: Mapping[tuple[str, str], int]) -> Table:
    """Messages by channel and state; only states that occur."""
    states = [state for state in _STATES if any(key[1] == state for key in contacts)]
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("Messages")
    for state in states:
        table.add_column(state, justify="right")
    for channel in sorted({key[0] for key in contacts}):
        counts = [contacts.get((channel, state), 0) for state in states]
        table.add_row(word(channel), *(str(count or "") for count in counts))
    return table


def verdicts_table(verdicts: Mapping[tuple[str, str], int], packs: PackSet) -> Table:
    """Verdicts that kept a message back or put it off, by reason in words and rule; permits in one row.

    A rule's words are those of `packs`, in force now; what it said earlier stands with each verdict.
    """
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("Verdicts", no_wrap=True)
    table.add_column("Reason")
    table.add_column("Rule", no_wrap=True)
    table.add_column("", justify="right")
    permits = sum(count for (kind, _), count in verdicts.items() if kind == "permit")
    table.add_row(verdict_in_words("permit"), "", "", str(permits))
    rest = [(kind, rule, count) for (kind, rule), count in verdicts.items() if kind != "permit"]
    for kind, rule, count in sorted(rest, key=lambda row: (-row[2], row[0], row[1])):
        table.add_row(verdict_in_words(kind), rule_in_words(rule, packs), rule, str(count))
    return table


def verdict_in_words(kind: str) -> Text:
    """A verdict's kind in two words and its colour."""
    if kind == "permit":
        return Text("permitted", style="green")
    return Text(_VERDICTS.get(kind, kind), style="yellow")


def rule_in_words(rule: str, packs: PackSet, language: str = "en") -> str:
    """What a rule says, shortly: its own text, or what the lender's own silence means."""
    words = words_in(language)
    if rule.endswith("/tier"):
        return words.say("tier", of="rules")
    if words.has(rule, of="rules"):
        return words.say(rule, of="rules")
    found = packs.rule(rule)
    if found is None:
        return rule
    return found.text.zh if words.language == "zh" else found.text.en


def print_overview(overview: Overview, console: Console) -> None:
    """The book at a glance: stages, messages, verdicts, and what waits."""
    stages: dict[str, int] = {}
    for one in overview.loans:
        stages[one.stage] = stages.get(one.stage, 0) + 1
    counted = ", ".join(f"{count} {stage}" for stage, count in sorted(stages.items(), key=lambda item: -item[1]))
    console.print(Text.assemble((f"{len(overview.loans)} loans", "bold"), f": {counted or 'none'}"))
    console.print(Text(f"As of {moment(overview.at)}.", style="dim"))
    if overview.paused_since is not None:
        console.print(Text(f"All sends are paused since {moment(overview.paused_since)}.", style="bold red"))
    if overview.contacts:
        console.print(messages_table(overview.contacts))
    if overview.verdicts:
        console.print(verdicts_table(overview.verdicts, overview.packs))
    for task in overview.tasks:
        console.print(f"For a person: {task.loan} ({task.lender}), {task.rung}, because of {task.why}")
    for duty in overview.duties:
        console.print(duty_in_words(duty))
    for lender, loan, _, _, rung in overview.reviews:
        console.print(f"To be reviewed: {loan} ({lender}), {rung}: starter.py approve {loan} --by STAFF-ID")
    if overview.waiting:
        console.print(f"{overview.waiting} loans have not acknowledged what the ledger holds: starter.py outbox")


def duty_in_words(one: OpenDuty, language: str = "en") -> str:
    """A notice that a person must see to: which, by when, and why nobody else does."""
    words, duty = words_in(language), one.duty
    why = words.say(duty.unknown or duty.why, of="duties")
    forms = words.say("or", of="acts").join(word(form, words.language) for form in duty.forms)
    by = "" if duty.latest is None else words.say("by", of="duties", day=words.day(duty.latest))
    return words.say(
        "line", of="duties", loan=one.loan, lender=one.lender, rule=duty.rule, citation=duty.citation, forms=forms,
        by=by, why=why,
    )  # fmt: skip


def _duty_json(one: OpenDuty) -> dict[str, Any]:
    duty = one.duty
    return {
        "lender": one.lender,
        "loan": one.loan,
        "rule": duty.rule,
        "citation": duty.citation,
        "forms": list(duty.forms),
        "proof": duty.proof,
        "latest": duty.latest.isoformat() if duty.latest else None,
        "task_by": duty.task_by.isoformat() if duty.task_by else None,
        "why": duty.why,
        "unknown": duty.unknown or None,
        "since": one.opened_at.isoformat(),
        "sentence": duty_in_words(one),
    }


def print_status(line: LoanLine, status: LoanStatus | None, console: Console) -> None:
    """One loan: what the ledger folds, and what its workflow says it does next."""
    console.print(
        Text.assemble(
            (line.loan, "bold"), f" of {line.lender}: ", (line.stage, _STAGES[line.stage]), f", {line.tier} risk"
        )
    )
    grid = Table.grid(padding=(0, 3))
    grid.add_column(style="dim")
    grid.add_column()
    grid.add_row("Open", f"{money(line.balance)} {line.currency}")
    grid.add_row("Overdue", f"{money(line.overdue)} {line.currency}")
    grid.add_row("Days past due, delinquent", f"{line.past_due_days}, {line.delinquent_days}")
    if line.closed_at is not None:
        grid.add_row("Closed", moment(line.closed_at))
    if status is not None:
        grid.add_row("Next", status.next)
        if status.pending is not None:
            grid.add_row("Under way", status.pending)
        for position, note in enumerate(reversed(status.notes)):
            rule = f" ({note.rule})" if note.rule else ""
            said = f"{moment(note.at)}  {note.rung} by {note.channel}: {note.verdict}{rule}"
            grid.add_row("Last verdicts" if position == 0 else "", said)
    console.print(grid)
    console.print(Text(f"Why: starter.py explain {line.loan}", style="dim"))


def line_json(line: LoanLine) -> dict[str, Any]:
    """A loan's line as JSON values; money as text."""
    return {
        "lender": line.lender,
        "loan": line.loan,
        "debtor": line.debtor,
        "product": line.product,
        "tier": line.tier,
        "stage": line.stage,
        "balance": str(line.balance),
        "overdue": str(line.overdue),
        "currency": line.currency,
        "past_due_days": line.past_due_days,
        "delinquent_days": line.delinquent_days,
        "rung": line.reached,
        "seq": line.seq,
        "closed_at": line.closed_at.isoformat() if line.closed_at else None,
    }


def overview_json(overview: Overview) -> dict[str, Any]:
    """The book at a glance as JSON values."""
    stages: dict[str, int] = {}
    for one in overview.loans:
        stages[one.stage] = stages.get(one.stage, 0) + 1
    return {
        "as_of": overview.at.isoformat(),
        "paused_since": overview.paused_since.isoformat() if overview.paused_since else None,
        "loans": stages,
        "messages": [
            {"channel": channel, "state": state, "count": count}
            for (channel, state), count in sorted(overview.contacts.items())
        ],
        "verdicts": [
            {
                "verdict": kind,
                "rule": rule or None,
                "reason": rule_in_words(rule, overview.packs) if rule else None,
                "count": count,
            }
            for (kind, rule), count in sorted(overview.verdicts.items())
        ],
        "tasks": [
            {"lender": one.lender, "loan": one.loan, "rung": one.rung, "why": one.why, "at": one.at.isoformat()}
            for one in overview.tasks
        ],
        "duties": [_duty_json(one) for one in overview.duties],
        "reviews": [
            {"lender": lender, "loan": loan, "episode": episode, "installment": installment, "rung": rung}
            for lender, loan, episode, installment, rung in overview.reviews
        ],
        "unacknowledged": overview.waiting,
    }


def _amount(value: Decimal) -> str:
    return money(value) if value else ""
