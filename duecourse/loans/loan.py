"""What a loan does next: the rungs that are owed, their moments, and the one step to take.

A rung is owed because of dates and money alone. Whether it may go out is the gate's answer; when the
gate said no, the answer is a row, and this file reads it like any other fact.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from hashlib import sha256

from duecourse.loans.decisions import Close, Contact, Next, Plan, Review, Wait
from duecourse.loans.delinquency import date_at
from duecourse.loans.facts import Decided
from duecourse.loans.holds import Held
from duecourse.loans.state import NONE as NONE
from duecourse.loans.state import Claim, LoanState
from duecourse.loans.terms import Installment
from duecourse.loans.waterfall import unpaid
from duecourse.treatments.ladder import REVIEW_CHANNEL, Anchor, CatchUp, Rung

ROOM = timedelta(seconds=90)  # an adapter's time-out and 60 s: less is not worth a call
BLIND = timedelta(hours=1)  # how long one decision without a plan stays open
EARLIEST_ZONE = timedelta(hours=14)  # a date begins this long before 00:00 UTC somewhere on Earth
RECEIPT_TIMEOUT = timedelta(hours=24)  # an unknown mandatory notice goes by another channel after it
MOST_DECISIONS = 20  # then a rung becomes a task for a person
ALL_QUIET = timedelta(days=31)
NEVER = datetime.max.replace(tzinfo=UTC)
_UNTOUCHED = Claim()


@dataclass(frozen=True, slots=True)
class Candidate:
    """A rung that is owed now or will be, if nothing changes. Dates are book dates, instants aware UTC."""

    episode: str
    installment: str
    rung: Rung
    due_on: date
    lives_from: date  # its date, or the day the loan came to us where that is later
    begins: datetime  # the first instant of its date anywhere on Earth; at the lender, for a review
    channel: str  # REVIEW_CHANNEL also for a mandatory notice that no channel is left for

    @property
    def claim(self) -> str:
        return f"{self.episode}/{self.installment}/{self.rung.id}"

    @property
    def expires_on(self) -> date | None:
        """The first date on which an optional rung is over; a mandatory one stays due.

        One that is skipped rather than caught up goes out on its day or not at all.
        """
        if self.rung.mandatory:
            return None
        life = 1 if self.rung.catch_up is CatchUp.SKIP_AND_RECORD else self.rung.life_days
        return self.lives_from + timedelta(days=life)


@dataclass(frozen=True, slots=True)
class _Entry:
    """A candidate with the moment at which to act on it, and when that act must be over."""

    moment: datetime
    closes: datetime
    order: int
    candidate: Candidate

    def rank(self, now: datetime) -> tuple[datetime, bool, date, int]:
        """What comes first: the earliest; of those that are ready, the mandatory, then the oldest."""
        one = self.candidate
        return max(self.moment, now), not one.rung.mandatory, one.due_on, self.order


class Loan(LoanState):
    """A loan that can say what it wants next."""

    def next(self, now: datetime) -> Next:
        """The one step to take at `now` (aware UTC)."""
        if self.closed():
            return Close(reason="closed" if self.closing is not None and self.balance else "paid")
        entry = self._first(now)
        quiet = min(now + ALL_QUIET, self._booked_ahead(now))
        if entry is None or entry.moment >= quiet:
            return Wait(until=quiet, why="nothing is due")
        one = entry.candidate
        if entry.moment > now:
            return Wait(until=entry.moment, why=one.claim)
        if one.channel == REVIEW_CHANNEL:
            return Review(episode=one.episode, installment=one.installment, rung=one.rung.id)
        return Contact(
            episode=one.episode, installment=one.installment, rung=one.rung.id, channel=one.channel, closes=entry.closes
        )

    def upcoming(self, now: datetime) -> Candidate | None:
        """The rung that `next` acts on or waits for; the one that a plan is made for."""
        entry = None if self.closed() else self._first(now)
        return None if entry is None else entry.candidate

    def owes(self, episode: str, installment: str, rung: str, now: datetime) -> Candidate | None:
        """The named rung, if it is owed today and was not settled; None means moot."""
        if self.closed():
            return None
        for one in self._each_owed(self.terms.book_date(now)):
            if (one.episode, one.installment, one.rung.id) == (episode, installment, rung):
                return None if self._settled(one) or one.begins > now else one
        return None

    def step_for(self, obligation: str, now: datetime) -> Candidate | None:
        """The rung that is still to serve that obligation, the earliest of several; None where no rung will."""
        today = self.terms.book_date(now)
        open_ = [one for one in self._each_owed(today) if one.rung.obligation == obligation and not self._settled(one)]
        return min(open_, key=lambda one: one.due_on, default=None)

    def left_to_a_person(self, obligation: str) -> bool:
        """Whether a rung for that obligation has become a person's task."""
        named = {rung.id for rung in self.ladder.rungs if rung.obligation == obligation}
        return any(name.split("/")[2] in named and claim.outcome == "task" for name, claim in self.claims.items())

    def silence(self, candidate: Candidate, now: datetime) -> str | None:
        """Why an optional rung can only be recorded as over: "expired", "overtaken", or None."""
        today = self.terms.book_date(now)
        return self._silence(candidate, self._owed(today), today)

    def onboarding(self, now: datetime) -> tuple[Decided, ...]:
        """Rungs that lie before `active_from` and are skipped by their catch-up policy, to be recorded.

        The rows have ids but no sequence yet. Statutory rungs are never among them, nor is what the
        old system's records have settled.
        """
        start = self.terms.book_date(self.terms.active_from)
        today = self.terms.book_date(now)
        past = [
            one for one in self._owed(today) if one.due_on < start and not one.rung.statutory and not self._settled(one)
        ]
        latest: dict[tuple[str, str, str], Candidate] = {}
        for one in past:
            if one.rung.catch_up is CatchUp.LATEST_ONLY and self._silence(one, past, today) is None:
                key = (one.episode, one.installment, one.rung.purpose)
                if key not in latest or one.due_on >= latest[key].due_on:
                    latest[key] = one
        kept = {one.claim for one in latest.values()}
        return tuple(
            Decided(
                id=f"onboarding/{sha256(one.claim.encode()).hexdigest()[:32]}",  # the claim itself may be too long
                at=now,
                episode=one.episode,
                installment=one.installment,
                rung=one.rung.id,
                channel=one.channel,
                outcome="skipped",
                rule="treatment:onboarding",
            )
            for one in past
            if one.rung.catch_up is not CatchUp.IN_ORDER and one.claim not in kept
        )

    def reached(self, today: date) -> Rung | None:
        """The last rung of the delinquency ladder whose day has come, sent or not."""
        late = [
            (one.due_on, order, one.rung)
            for order, one in enumerate(self._each_owed(today))
            if one.rung.anchor in (Anchor.PAST_DUE, Anchor.DELINQUENT) and one.due_on <= today
        ]
        return max(late, key=lambda entry: entry[:2])[2] if late else None

    # --- what is owed ---

    def _owed(self, today: date) -> tuple[Candidate, ...]:
        return tuple(self._each_owed(today))

    def _each_owed(self, today: date) -> Iterator[Candidate]:
        left = unpaid(self.installments, self.paid(today))
        if not left:
            return
        oldest = left[0]
        episode = self.episode(today)
        holds = self.holds()
        for rung in self.ladder.rungs:
            match rung.anchor:
                case Anchor.DISBURSED if self.terms.disbursed_on is not None:
                    yield self._candidate(NONE, NONE, rung, _shift(self.terms.disbursed_on, rung))
                case Anchor.PLACED if self.terms.placed_on is not None:
                    yield self._candidate(NONE, NONE, rung, _shift(self.terms.placed_on, rung))
                case Anchor.DUE:
                    for one in _near(left, rung, today):
                        # Past due, the ladder of the episode speaks instead of reminders; but what is owed stays
                        # owed, and a reminder that never went out before the miss still needs its recorded end.
                        if episode is None or rung.mandatory or one.due_on < today:
                            yield self._candidate(NONE, one.id, rung, _shift(one.due_on, rung))
                case Anchor.PAST_DUE | Anchor.DELINQUENT if rung.per == "installment":
                    # No episode in the claim: a reversal may put the same miss into another one.
                    for one in _near(left, rung, today):
                        due_on = self._late_date(one, rung, holds)
                        if due_on is not None:
                            yield self._candidate(NONE, one.id, rung, due_on)
                case Anchor.PAST_DUE | Anchor.DELINQUENT:
                    due_on = self._late_date(oldest, rung, holds)
                    if due_on is not None:
                        yield self._candidate(episode or oldest.id, NONE, rung, due_on)
                case _:
                    pass

    def _late_date(self, missed: Installment, rung: Rung, holds: Sequence[Held]) -> date | None:
        if rung.anchor is Anchor.PAST_DUE:
            return _shift(missed.due_on, rung)
        return date_at(missed.due_on, self.terms.grace_days, holds, rung.offset_days)

    def _candidate(self, episode: str, installment: str, rung: Rung, due_on: date) -> Candidate:
        claim = self.claims.get(f"{episode}/{installment}/{rung.id}", _UNTOUCHED)
        begins = datetime.combine(due_on, time(0), UTC) - EARLIEST_ZONE
        plan = self._plan_for(episode, installment, rung, claim, begins)
        channel = _channel(rung, claim, plan)
        if channel == REVIEW_CHANNEL:
            begins = self.terms.day_starts(due_on)  # a person of the lender's looks, on the lender's day
        lives_from = max(due_on, self.terms.book_date(self.terms.active_from))
        return Candidate(episode, installment, rung, due_on, lives_from, begins, channel)

    def _plan_for(self, episode: str, installment: str, rung: Rung, claim: Claim, begins: datetime) -> Plan | None:
        """The plan, if it is this rung's, knows its last verdict, and does not lie before its date.

        A payment moves the date and leaves the old plan standing: acting on it would be moot, and the
        loan would ask again at once, for ever.
        """
        plan = self.plan
        if plan is None or (plan.rung, plan.episode, plan.installment) != (rung.id, episode, installment):
            return None
        return plan if plan.seq >= claim.seq and plan.planned_at >= begins else None

    def _state(self, candidate: Candidate) -> Claim:
        return self.claims.get(candidate.claim, _UNTOUCHED)

    def _settled(self, candidate: Candidate) -> bool:
        """Nothing more is to be done: it arrived, or it ended.

        A mandatory notice of which no contact arrived is not settled while a channel is left, nor then,
        before a person has answered for it.
        """
        claim = self._state(candidate)
        if claim.arrived or claim.state == "ended":
            return True
        if candidate.rung.mandatory and claim.contacts:
            return claim.outcome == "approved" and not _left(candidate.rung, claim)
        return claim.state == "done" or claim.uncertain

    def _silence(self, candidate: Candidate, owed: Sequence[Candidate], today: date) -> str | None:
        if candidate.rung.mandatory or candidate.due_on > today:
            return None
        if candidate.expires_on is not None and today >= candidate.expires_on:
            return "expired"
        if candidate.rung.anchor is Anchor.DUE and candidate.due_on - timedelta(candidate.rung.offset_days) < today:
            return "overtaken"  # the day it was to remind of is over
        if candidate.rung.catch_up is CatchUp.IN_ORDER:
            return None
        for other in owed:
            if (
                candidate.due_on < other.due_on <= today
                and other.rung.purpose == candidate.rung.purpose
                and (other.episode, other.installment) == (candidate.episode, candidate.installment)
                and not other.rung.mandatory
                and self._state(other).state != "ended"
            ):
                return "overtaken"
        return None

    # --- when ---

    def _first(self, now: datetime) -> _Entry | None:
        return min(self._agenda(now), key=lambda entry: entry.rank(now), default=None)

    def _agenda(self, now: datetime) -> Iterator[_Entry]:
        """Every rung that still needs a step some day, with its moment."""
        today = self.terms.book_date(now)
        owed = self._owed(today)
        for order, one in enumerate(owed):
            if self._settled(one):
                continue
            if self._silence(one, owed, today):
                if self._state(one).state in ("withheld", "review"):
                    continue  # its last verdict already says why nothing was sent; a deferral does not
                moment, closes = now, now + BLIND
            else:
                moment, closes = self._moment(one, now)
            failure = self.failures.get(one.claim)
            if failure is not None and failure.at + BLIND > moment:
                moment, closes = failure.at + BLIND, max(closes, failure.at + 2 * BLIND)
            if moment < NEVER:
                yield _Entry(moment, closes, order, one)

    def _moment(self, candidate: Candidate, now: datetime) -> tuple[datetime, datetime]:
        """When to act on a candidate, and when that act must be over."""
        claim = self._state(candidate)
        if claim.state == "review" or (claim.state == "withheld" and not self._woken(claim)):
            return self._asleep(candidate, claim), now + BLIND
        moment = candidate.begins
        if claim.at is not None and claim.outcome == "unknown":
            moment = max(moment, claim.at + RECEIPT_TIMEOUT)
        elif claim.at is not None and claim.state == "deferred" and claim.outcome == "failed":
            moment = max(moment, claim.not_before or claim.at + BLIND)
        plan = self._plan_for(candidate.episode, candidate.installment, candidate.rung, claim, moment)
        if plan is not None and plan.channel == candidate.channel and plan.closes >= now + ROOM:
            return plan.planned_at, plan.closes
        if claim.state == "deferred" and claim.not_before is not None:
            moment = max(moment, claim.not_before)
            if claim.closes is not None and claim.closes >= max(moment, now) + ROOM:
                return moment, claim.closes
        return moment, max(moment, now) + BLIND

    def _asleep(self, candidate: Candidate, claim: Claim) -> datetime:
        """A withheld rung waits for a fact, its review date, or the end of its life; and for its own date."""
        ends = [claim.not_before] if claim.not_before is not None else []
        if candidate.expires_on is not None:
            ends.append(datetime.combine(candidate.expires_on, time(0), UTC) + EARLIEST_ZONE)
        return max(candidate.begins, min(ends, default=NEVER))

    def _woken(self, claim: Claim) -> bool:
        return any(self.heard.get(kind, 0) > claim.seq for kind in claim.wake)

    def _booked_ahead(self, now: datetime) -> datetime:
        """When the next payment with a later value date counts: it changes the loan without a fact."""
        today = self.terms.book_date(now)
        ahead = (self._value_on(one) for one in self.standing_payments)
        return min((self.terms.day_starts(day) for day in ahead if day > today), default=NEVER)


def _left(rung: Rung, claim: Claim) -> list[str]:
    """The channels on which this rung has not been tried."""
    return [name for name in rung.channels if name not in claim.tried]


def _channel(rung: Rung, claim: Claim, plan: Plan | None) -> str:
    """The channel of the next try: as planned, as the last verdict said, or the rung's first."""
    named = [name for name in (plan.channel if plan else None, claim.channel) if name is not None]
    if claim.contacts and rung.mandatory:  # something left and did not arrive: never there again
        left = _left(rung, claim)
        return next((name for name in named if name in left), left[0] if left else REVIEW_CHANNEL)
    return next((name for name in named if name not in claim.tried), named[-1] if named else rung.channels[0])


def _near(left: Sequence[Installment], rung: Rung, today: date) -> Iterator[Installment]:
    """The oldest unpaid installment, and those whose rung may fall due before the loan looks again."""
    horizon = today + ALL_QUIET + timedelta(days=2 - rung.offset_days)
    for position, one in enumerate(left):
        if position and one.due_on > horizon:
            return
        yield one


def _shift(anchor: date, rung: Rung) -> date:
    return anchor + timedelta(days=rung.offset_days)
