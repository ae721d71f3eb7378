"""Whole lives of a loan: random facts, a gate that answers as it likes, days going by.

`Life` plays both sides. The loan decides with `next`; the ledger's side keeps all rows, folds its own loan, and
answers a contact as an activity would. What the loan does is checked at each step against a record that shares
no code with it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from duecourse.loans.decisions import Close, Contact, Plan, Review, Wait
from duecourse.loans.facts import FACT, Decided, Fact
from duecourse.loans.loan import BLIND, MOST_DECISIONS, ROOM, Candidate, Loan
from duecourse.loans.terms import Terms
from duecourse.treatments.ladder import Ladder

STEPS_AT_ONE_INSTANT = 60  # far above any honest burst: each step takes a second of the life
WAKES = ("payment", "hold_lifted", "consent", "reversal", "promise")


@dataclass(frozen=True)
class Happening:
    """A fact of the outside world, at an hour after the life's start."""

    hour: int
    kind: str
    fields: dict[str, Any] = field(default_factory=dict)


@dataclass
class Life:
    terms: Terms
    ladder: Ladder
    happenings: Sequence[Happening]
    chance: Random
    permits: float = 0.5  # how often the gate says yes; the rest is shared by all other answers
    late_news: bool = False  # whether facts reach the loan out of order, and some only with the next result
    failures: bool = True
    arrives: bool = False  # whether every message arrives, instead of some being lost or of unknown fate

    def __post_init__(self) -> None:
        self.loan = Loan.new(self.terms, self.ladder)
        self.ledger = Loan.new(self.terms, self.ladder)
        self.rows: list[Fact] = []
        self.now = self.terms.active_from
        self.sent: list[tuple[str, str, str, datetime]] = []  # claim, channel, state, when
        self.asked: Counter[str] = Counter()
        self.untold: list[Fact] = []
        self.busy = 0

    # --- the ledger's side ---

    def record(self, kind: str, **fields: Any) -> Fact:
        seq = len(self.rows) + 1
        row = FACT.validate_python({"kind": kind, "id": f"row-{seq}", "at": self.now, "loan_seq": seq} | fields)
        self.rows.append(row)
        self.ledger.apply(row)
        return row

    def hear_all(self) -> None:
        """A result carries every row after the loan's sequence, and some twice."""
        for row in self.rows[self.loan.seq :]:
            self.loan.apply(row)
        self.untold.clear()
        assert self.loan.seq == len(self.rows)
        assert not self.loan.ahead

    def plan(self) -> Plan | None:
        one = self.ledger.upcoming(self.now)
        if one is None or one.channel == "review" or self.chance.random() < 0.3:
            return None
        opens = max(self.now, _day(one))
        planned = opens + timedelta(minutes=self.chance.randint(0, 600))
        return Plan(
            rung=one.rung.id,
            installment=one.installment,
            episode=one.episode,
            channel=one.channel,
            planned_at=planned,
            closes=planned + timedelta(minutes=self.chance.randint(1, 300)),
            seq=self.ledger.seq,
        )

    def answer(self, contact: Contact) -> None:
        """What the contact activity does: fold, compare, decide, perhaps send, record."""
        named = {"episode": contact.episode, "installment": contact.installment, "rung": contact.rung}
        one = self.ledger.owes(**named, now=self.now)
        if one is None:
            assert self.loan.seq < len(self.rows), f"{contact.claim}: asked for what is not owed, on the same rows"
            return
        claim = self.ledger.claims.get(contact.claim)
        decisions = 0 if claim is None else claim.decisions
        over = self.ledger.silence(one, self.now)
        named["channel"] = contact.channel
        if over is not None:
            self.record("decided", outcome=over, **named)
        elif decisions >= MOST_DECISIONS - 1:
            self.record("decided", outcome="task", **named)
        elif self.now < _day(one):
            self.record("decided", outcome="deferred", opens=_day(one), closes=_day(one) + timedelta(hours=11), **named)
        elif self.chance.random() < self.permits:
            self.send(one, contact)
        else:
            self.refuse(one, contact, named)

    def refuse(self, one: Candidate, contact: Contact, named: dict[str, str]) -> None:
        hours = self.chance.randint(1, 72)
        later = self.now + timedelta(hours=hours)
        claim = self.ledger.claims.get(contact.claim)
        tried = () if claim is None else claim.tried
        others = [name for name in one.rung.channels if name not in (*tried, contact.channel)]
        match self.chance.choice(("deferred", "waiting", "reviewed", "ended", "next", "failed", "review")):
            case "deferred":
                closes = later + timedelta(minutes=self.chance.randint(1, 300))
                self.record("decided", outcome="deferred", opens=later, closes=closes, **named)
            case "waiting":
                self.record("decided", outcome="withheld", wake=self.chance.sample(WAKES, 2), **named)
            case "reviewed":
                self.record("decided", outcome="withheld", wake=("hold_lifted",), opens=later, **named)
            case "ended":
                self.record("decided", outcome="withheld", **named)
            case "next" if others:
                self.record("decided", outcome="try_next", next_channel=others[0], **named)
            case "failed":
                self.record("decided", outcome="failed", **named)
            case _:
                self.record("decided", outcome="review", **named)

    def send(self, one: Candidate, contact: Contact) -> None:
        before = [(channel, state) for claim, channel, state, _ in self.sent if claim == contact.claim]
        assert all(state in ("failed", "unknown") for _, state in before), f"{contact.claim} was sent twice"
        if one.rung.mandatory:
            assert contact.channel not in [channel for channel, _ in before], f"{contact.claim}: twice on one channel"
        else:
            assert not before, f"{contact.claim}: an optional rung goes out once"
        weights = (1, 0, 0, 0) if self.arrives else (6, 1, 1, 1)
        state = self.chance.choices(("accepted", "unknown", "failed", "shadow"), weights)[0]
        self.sent.append((contact.claim, contact.channel, state, self.now))
        self.record(
            "contacted",
            contact=f"{contact.claim}/{contact.channel}",
            state=state,
            channel=contact.channel,
            episode=contact.episode,
            installment=contact.installment,
            rung=contact.rung,
        )

    # --- both sides ---

    def happen(self, one: Happening) -> None:
        row = self.record(one.kind, **one.fields)
        if self.late_news and self.chance.random() < 0.5:
            self.untold.append(row)
            return
        self.loan.apply(row)
        self.chance.shuffle(self.untold)
        while self.untold and self.chance.random() < 0.5:
            self.loan.apply(self.untold.pop())
        self.loan.adopt(self.plan())

    def live(self, until: datetime, each_step: Callable[[Life], None] | None = None) -> None:
        start = self.terms.active_from
        coming = sorted(self.happenings, key=lambda one: one.hour)
        for row in self.ledger.onboarding(self.now):
            self.record(**(row.model_dump(exclude={"id", "at", "loan_seq"})))
        self.hear_all()
        while self.now < until:
            if each_step is not None:
                each_step(self)
            while coming and start + timedelta(hours=coming[0].hour) <= self.now:
                self.happen(coming.pop(0))
                self.busy = 0
            news = start + timedelta(hours=coming[0].hour) if coming else until
            match self.loan.next(self.now):
                case Wait(until=moment):
                    assert moment > self.now, "a wait that is over before it begins"
                    if self.untold:  # the relay repeats what was not acknowledged
                        moment = min(moment, self.now + timedelta(hours=12))
                        self.chance.shuffle(self.untold)
                        self.loan.apply(self.untold.pop())
                    self.now = min(max(news, self.now + timedelta(seconds=1)), moment, until)
                    self.busy = 0
                case Close():
                    if self.untold:
                        self.hear_all()
                        continue
                    if not coming:
                        return
                    self.now = max(news, self.now + timedelta(seconds=1))
                    self.busy = 0
                case Contact() as contact:
                    assert contact.closes >= self.now + ROOM, "no room for an attempt"
                    self.step(contact.claim)
                    if self.failures and self.chance.random() < 0.05:
                        self.loan.fail(contact.claim, self.now)
                        continue
                    self.answer(contact)
                    self.hear_all()
                    self.loan.adopt(self.plan())
                case Review() as review:
                    self.step(review.claim)
                    over = None
                    one = self.ledger.owes(review.episode, review.installment, review.rung, self.now)
                    if one is not None:
                        over = self.ledger.silence(one, self.now)
                        self.record("decided", outcome=over or "review", channel="review", **review.model_dump())
                    else:
                        assert self.loan.seq < len(self.rows), f"{review.claim}: review of what is not owed"
                    self.hear_all()

    def step(self, claim: str) -> None:
        """One more step at about the same time: a loan that spins is caught here."""
        self.asked[claim] += 1
        self.busy += 1
        assert self.busy <= STEPS_AT_ONE_INSTANT, f"{claim}: the loan spins at {self.now}"
        self.now += timedelta(seconds=1)


def _day(one: Candidate) -> datetime:
    """09:00 UTC of the rung's date: where this world's borrower lives, the window opens then."""
    return datetime.combine(one.due_on, time(9), UTC)


def unanswered(life: Life, slack: timedelta) -> list[str]:
    """Owed rungs whose time came long ago and of which no row says what became of them, or not how it ended."""
    horizon: date = life.terms.book_date(life.now - slack)
    lapse = BLIND  # an activity without an answer stands aside for so long
    assert lapse < slack
    found = []
    for one in life.ledger._owed(life.terms.book_date(life.now)):
        claim = life.ledger.claims.get(one.claim)
        if one.lives_from < horizon and claim is None:
            found.append(one.claim)
        over = one.expires_on is not None and one.expires_on < horizon
        if over and claim is not None and claim.state in ("open", "deferred") and not claim.contacts:
            found.append(f"{one.claim} ({claim.state}, though its life is over)")
    return found


def ended_twice(life: Life) -> list[str]:
    """Claims whose end was recorded more than once."""
    ends = Counter(
        f"{row.episode}/{row.installment}/{row.rung}"
        for row in life.rows
        if isinstance(row, Decided) and row.outcome in ("expired", "overtaken", "skipped")
    )
    return [claim for claim, times in ends.items() if times > 1]


def cents(amount: int) -> str:
    return str(Decimal(amount) / 100)
