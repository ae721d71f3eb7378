"""The outside cases that belong to loans and ladders, turned into facts of a real loan: no rule of its own.

Each function takes a row's `given` and returns at least what its `expect` compares. Pauses are holds that were
placed, debts are installments, a ladder is a ladder; what the loan then says is the answer.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, cast, get_args

from pydantic import ValidationError

from duecourse.loans.decisions import Close, Contact, Review, Wait
from duecourse.loans.delinquency import delinquent_days as delinquent_days_of
from duecourse.loans.delinquency import past_due_days as past_due_days_of
from duecourse.loans.delinquency import reached
from duecourse.loans.facts import FACT, HoldLifted, HoldPlaced
from duecourse.loans.holds import HoldRefused, check_lifted, check_placed, effective, to_lift
from duecourse.loans.loan import Loan
from duecourse.loans.portfolio import BorrowerRecord
from duecourse.loans.terms import Installment, Party, Terms
from duecourse.loans.waterfall import allocate
from duecourse.treatments.ladder import CONTRACT, Anchor, CatchUp, Channel, Ladder, Rung, Tier, TierPolicy, Window

Given = dict[str, Any]
Outcome = dict[str, Any]

CLEAR = "CLEAR"
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
PAUSE, RESUME = "PAUSE", "RESUME"


class NotExpressible(Exception):
    """The row asks for something that this family's code has no word for; the text says what."""


def delinquent_days(given: Given) -> Outcome:
    """Past-due and delinquent days of the oldest unpaid debt, with grace and pauses."""
    if "installments" in given:
        return _book(given)
    debts = [(given["oldest_unpaid_due"], "1.00")] if given.get("oldest_unpaid_due") else []
    told = Told(_installments(debts) or _paid_up(), grace=_whole(given.get("grace_days")))
    if not debts:
        told.tell("payment", given["business_date"], amount="1.00", currency="EUR")
    told.pauses(given.get("pauses"))
    today = _day(given["business_date"])
    days = told.loan.delinquent_days(today)
    return {
        "past_due_days": told.loan.past_due_days(today),
        "delinquent_days": days,
        **_classified(given.get("ranges"), days),
    }


def repayment_in_pause(given: Given) -> Outcome:
    """A repayment, early or late, in or out of a pause: what is overdue, and for how long."""
    return _book(given)


def hold_validation(given: Given) -> Outcome:
    """May a pause be placed, or ended today? A refusal has its stable reason."""
    today, is_open = _day(given["today"]), given.get("loan_status", "ACTIVE") == "ACTIVE"
    disbursed = _day(given["disbursed"]) if given.get("disbursed") else None
    placed: dict[str, HoldPlaced] = {}
    lifted: dict[str, HoldLifted] = {}
    for number, action in enumerate(given.get("existing") or ()):
        match _pause_or_resume(action, f"pause-{number}", placed, lifted):
            case HoldPlaced() as pause:
                placed[pause.hold] = pause
            case HoldLifted() as resume:
                lifted[resume.hold] = resume
    try:
        match _pause_or_resume(given["new"], "new", placed, lifted):
            case HoldPlaced() as pause:
                check_placed(pause, effective(placed, lifted), loan_open=is_open, disbursed_on=disbursed)
            case HoldLifted() as resume:
                check_lifted(resume, placed, lifted, today=today, loan_open=is_open)
    except HoldRefused as refusal:
        return {"accepted": False, "reason": refusal.reason}
    except ValidationError as refusal:
        return {"accepted": False, "reason": _unreadable(refusal)}
    return {"accepted": True, "reason": None}


def stage_by_days(given: Given) -> Outcome:
    """The rung that so many days past due have reached."""
    told = Told(_installments([(given["anchor"], "1.00")]), _ladder(given["ladder"]))
    return {"state": _state(told.loan, _day(given["date"]))}


def stage_by_amount(given: Given) -> Outcome:
    """The threshold that a balance or a number of debts has reached."""
    thresholds = [(str(name), Decimal(str(value))) for name, value, *_ in given["ladder"]]
    return {"state": reached(thresholds, Decimal(str(given["value"]))) or CLEAR}


def stage_with_hold(given: Given) -> Outcome:
    """As by days, with a hold for each flag that is up; removed flags are holds that are not there."""
    told = Told(_installments([(given["anchor"], "1.00")]), _ladder(given["ladder"]))
    known = {"ladder", "anchor", "date", "scope", "note"}
    flags = [name for name, value in given.items() if name not in known and value]
    for number, name in enumerate([*flags, *given.get("tags", ())]):
        cause = "written_off" if "written" in name.lower() else "lender"
        told.tell("hold_placed", given["anchor"], hold=f"flag-{number}", cause=cause, starts=_day(given["anchor"]))
    today = _day(given["date"])
    return {"state": CLEAR if told.loan.stage(_morning(today)) == "held" else _state(told.loan, today)}


def reanchor(given: Given) -> Outcome:
    """Live day by day from the first debt on; the state on the day, and whether each rung came in its turn."""
    told = Told(_installments(given["debts"]), _ladder(given["ladder"]))
    today, names = _day(given["date"]), [str(name) for name, *_ in given["ladder"]]
    coming = sorted(given.get("payments") or (), key=lambda payment: _day(payment[0]))
    if other := [how for _, _, *rest in coming for how in rest if how != "oldest first"]:
        raise NotExpressible(f"a payment {other[0]!r}: ours go to the oldest debt first")
    day, entered = min(_day(debt[0]) for debt in given["debts"]), []
    while day <= today:
        while coming and _day(coming[0][0]) <= day:
            payment = coming.pop(0)
            told.tell("payment", payment[0], amount=str(payment[1]), currency="EUR")
        entered += told.steps(day)
        day += timedelta(days=1)
    state = _state(told.loan, today)
    distinct = list(dict.fromkeys(entered))
    return {
        "state": state,
        "entered": entered,
        "every_rung_entered_in_order": distinct == names[: len(distinct)] and state in (CLEAR, *entered),
    }


def reminder_dates(given: Given) -> Outcome:
    """The dates on which a ladder of days before and past due is climbed, if nobody pays."""
    if "offsets" not in given or not {"from", "due"} & set(given):
        raise NotExpressible(f"reminders by {', '.join(sorted(given))}: our rungs count days from the due date")
    ladder = _ladder([(f"R{number}", offset) for number, offset in enumerate(given["offsets"])])
    start = _day(given.get("from") or given["due"])
    told = Told(_installments([(start, "1.00")]), ladder)
    dates: list[str] = []
    now = _morning(start + timedelta(days=min(*given["offsets"], 0) - 1))
    while len(dates) < len(given["offsets"]):
        match told.loan.next(now):
            case Wait(until=until):
                now = _morning(max(now, until).date() + timedelta(days=1 if until.hour > 6 else 0))
            case _:
                dates += [now.date().isoformat()] * len(told.steps(now.date()))
    return {"dates": dates}


def ladder_previous_relative(given: Given) -> Outcome:
    """Levels that count from the due date, to the end of a month, or from the level before, looked at every day.

    Ours count from the due date alone: each level is written as the days after it on which it falls, and a loan that
    nobody pays then climbs them.
    """
    unknown = sorted(set(given) - {"due", "levels", "run_every_day"})
    if unknown or not given.get("run_every_day", True):
        raise NotExpressible(f"levels by {', '.join(unknown) or 'run'}: a loan waits for its own moment, not for a run")
    due = _day(given["due"])
    offsets = _days_after(due, given["levels"])
    channels = [str(channel) for _, _, channel in given["levels"]]
    order = sorted(range(len(offsets)), key=lambda number: offsets[number])
    ladder = _ladder([(str(number), offsets[number]) for number in order], channels=[channels[n] for n in order])
    told = Told(_installments([(due, "1.00")]), ladder)
    taken: list[tuple[str, str]] = []
    for past in range(max(offsets) + 1):
        day = due + timedelta(days=past)
        taken += [(day.isoformat(), channels[int(title)]) for title in told.steps(day)]
    return {"dates": [day for day, _ in taken], "channels": [channel for _, channel in taken]}


def _days_after(due: date, levels: Iterable[Sequence[Any]]) -> list[int]:
    """The peer's own notation for a level's date, as days after the due date."""
    found: list[date] = []
    for how, days, _ in levels:
        match how:
            case "net_days":
                found.append(due + timedelta(days=days))
            case "end_of_month":
                month = due + timedelta(days=days)
                found.append(month.replace(day=monthrange(month.year, month.month)[1]))
            case "previous_date":
                found.append((found[-1] if found else due) + timedelta(days=days))
            case other:
                raise NotExpressible(f"a level by {other!r}")
    return [(one - due).days for one in found]


def run_order(given: Given) -> Outcome:
    """One step a run, though all rungs are overdue: each run takes the next, in order."""
    if not {"invoice_due", "runs"} <= set(given):
        raise NotExpressible(
            f"a run of {', '.join(sorted(given))}: we have no runs, each loan waits for its own moment"
        )
    ladder = _ladder([(f"L{number}", offset) for number, offset in enumerate((10, 40, 50), start=1)])
    told = Told(_installments([(_relative(given["invoice_due"]), "1.00")]), ladder)
    lines = []
    for run in given["runs"]:
        told.steps(_relative(run), most=1)
        lines.append(len(told.loan.claims))
    return {"lines_after_each_run": lines}


def behaviour(given: Given) -> Outcome:
    """Single facts of other products, where ours has the same one: a shape of its own for each."""
    keys = set(given)
    if keys == {"dpd", "ranges"}:
        return {"classification": _classified(given["ranges"], int(given["dpd"]))["classification"]}
    if keys == {"timezone"}:
        return {"accepted": _accepts_zone(given["timezone"])}
    if keys in ({"overdue_customers", "runs"}, {"overdue_customers", "runs", "steps"}):
        loans = [Told(_installments([("2024-01-01", "1.00")])) for _ in range(given["overdue_customers"])]
        sent = sum(len(told.steps(date(2024, 2, 1))) for _ in range(given["runs"]) for told in loans)
        return {"notices": sent, "issued": sent}
    if keys == {"levels", "overdue_for_level", "grace_until"} and given["grace_until"] in ("future", None):
        ladder = _ladder([(str(level), level) for level in given["levels"]], Anchor.DELINQUENT)
        told = Told(_installments([("2024-01-01", "1.00")]), ladder)
        if given["grace_until"]:
            told.pauses([["2024-01-01", "2024-06-01"]])
        taken = told.steps(date(2024, 1, 1) + timedelta(days=given["overdue_for_level"]), most=1)
        return {"next_level": int(taken[0]) if taken else None}
    raise NotExpressible(f"{', '.join(sorted(keys))}: a feature of its own product that ours does not have")


# --- a loan to tell facts to ---


class Told:
    """A real loan with one ladder, told of facts in the order in which the rows name them."""

    def __init__(self, installments: Sequence[Installment], ladder: Ladder | None = None, grace: int = 0) -> None:
        terms = Terms(
            lender="outside",
            loan="case",
            product="loan",
            currency="EUR",
            parties=(Party(borrower="B"),),
            installments=tuple(installments),
            grace_days=grace,
            active_from=LONG_AGO,
        )
        self.loan = Loan.new(terms, ladder or _ladder([("NOTICE", 1)]))

    def tell(self, kind: str, on: object, **fields: Any) -> None:
        seq = self.loan.seq + 1
        row = {"kind": kind, "id": f"row-{seq}", "at": _morning(_day(on)), "loan_seq": seq}
        self.loan.apply(FACT.validate_python(row | fields))

    def pauses(self, pauses: Iterable[Any] | None) -> None:
        for number, pause in enumerate(pauses or ()):
            start, end = _span(pause)
            self.tell("hold_placed", start, hold=f"pause-{number}", cause="forbearance", starts=start, ends=end)

    def steps(self, day: date, most: int = 100) -> list[str]:
        """Take what is due on a day, at most so many steps; each goes out."""
        taken: list[str] = []
        while len(taken) < most:
            match self.loan.next(_morning(day)):
                case Contact() as step:
                    taken.append(self.loan.ladder.rung(step.rung).title)
                    self.tell(
                        "contacted", day, contact=step.claim, state="accepted", **step.model_dump(exclude={"closes"})
                    )
                case Review() | Wait() | Close():
                    break
        return taken


def _book(given: Given) -> Outcome:
    """Several installments, payments and pauses on one day; per installment too, by the waterfall."""
    told = Told(_installments(given["installments"]), grace=_whole(given.get("grace_days")))
    payments = given.get("payments") or ([given["payment"]] if given.get("payment") else [])
    for on, amount, *_ in payments:
        told.tell("payment", on, amount=str(amount), currency="EUR")
    told.pauses(given.get("pauses"))
    loan, today = told.loan, _day(given["business_date"])
    days = loan.delinquent_days(today)
    return {
        "overdue_amount": _money(loan.overdue_amount(today)),
        "delinquent_amount": _money(loan.overdue_amount(today)) if days else _money(Decimal(0)),
        "balance": _money(loan.balance),
        "past_due_days": loan.past_due_days(today),
        "delinquent_days": days,
        "installments": _each(loan, given.get("ranges"), today),
        **_classified(given.get("ranges"), days),
    }


def _each(loan: Loan, ranges: Any, today: date) -> list[Outcome]:
    rows = []
    paid = allocate(loan.installments, loan.paid(today)).paid
    for one, money in zip(loan.installments, paid, strict=True):
        open_amount = one.total - money.total
        is_open = open_amount > 0 and one.due_on < today
        days = delinquent_days_of(one.due_on, loan.terms.grace_days, loan.holds(), today) if is_open else 0
        rows.append(
            {
                "due": one.due_on.isoformat(),
                "overdue_amount": _money(open_amount if is_open else Decimal(0)),
                "past_due_days": past_due_days_of(one.due_on, today) if is_open else 0,
                "delinquent_days": days,
                **_classified(ranges, days),
            }
        )
    return rows


def _classified(ranges: Any, days: int) -> Outcome:
    """The range that the days fall into: [from, to], or [name, from, to]."""
    if not ranges:
        return {}
    lows = [(str(number), Decimal(one[-2])) for number, one in enumerate(ranges)]
    found = reached(lows, Decimal(days))
    if found is None:
        return {"range": None, "classification": None}
    row = ranges[int(found)]
    return {"range": list(row[-2:]), "classification": row[0] if len(row) == 3 else list(row)}


def _pause_or_resume(
    action: Sequence[Any], name: str, placed: dict[str, HoldPlaced], lifted: dict[str, HoldLifted]
) -> HoldPlaced | HoldLifted:
    """A resume speaks of the pause that is active on its day; the row names none."""
    kind, start, end = (*action, None)[:3]
    at = _morning(_day(start)) if start else LONG_AGO
    if kind == PAUSE:
        fields = {"hold": name, "cause": "forbearance", "starts": _known(start), "ends": _known(end)}
        return HoldPlaced.model_validate({"id": name, "at": at} | fields)
    if kind != RESUME:
        raise NotExpressible(f"a hold's action {kind!r}")
    hold = to_lift("forbearance", placed, lifted, _day(start)) if start else None
    fields = {"hold": hold or "none", "on": _known(start)} | ({} if end is None else {"ends": _known(end)})
    return HoldLifted.model_validate({"id": f"resume-{name}", "at": at} | fields)


def _unreadable(refusal: ValidationError) -> str:
    """A stable code for a fact that cannot be read: which field is missing, or is not known at all."""
    problem = refusal.errors()[0]
    field = {"starts": "start", "on": "start", "ends": "end"}.get(str(problem["loc"][0]), str(problem["loc"][0]))
    return f"unexpected_{field}" if problem["type"] == "extra_forbidden" else f"missing_{field}"


def _state(loan: Loan, today: date) -> str:
    rung = loan.reached(today)
    return CLEAR if rung is None else rung.title


def _ladder(
    steps: Iterable[Sequence[Any]], anchor: Anchor = Anchor.PAST_DUE, channels: Sequence[str] | None = None
) -> Ladder:
    """A ladder of mandatory notices by days past due, or before and on the day, in the order of the row."""
    rungs = tuple(
        Rung(
            id=f"r{number}",
            title=str(name),
            title_zh=str(name),
            anchor=anchor if int(days) > 0 else Anchor.DUE,
            offset_days=int(days),
            per="episode" if int(days) > 0 else "installment",
            channels=("letter" if channels is None else _channel(channels[number]),),
            template="notice",
            purpose="notice",
            window=Window.model_validate({"from": "00:00", "to": "24:00"}),
            obligation=CONTRACT,
            catch_up=CatchUp.IN_ORDER,
        )
        for number, (name, days, *_) in enumerate(steps)
    )
    return Ladder(id="outside", version="1", title="Outside", rungs=rungs, tiers={tier: TierPolicy() for tier in Tier})


def _channel(name: str) -> Channel:
    if name not in get_args(Channel):
        raise NotExpressible(f"a level by {name!r}")
    return cast(Channel, name)


def _installments(debts: Iterable[Sequence[Any]]) -> tuple[Installment, ...]:
    made = sorted(((_day(due), Decimal(str(amount))) for due, amount, *_ in debts), key=lambda debt: debt[0])
    return tuple(
        Installment(id=str(number), due_on=due, principal=amount) for number, (due, amount) in enumerate(made, start=1)
    )


def _paid_up() -> tuple[Installment, ...]:
    return _installments([("1970-01-02", "1.00")])


def _accepts_zone(zone: str) -> bool:
    """Whether a borrower may be registered as living in that zone."""
    try:
        BorrowerRecord(id="B", name="B", language="en", country="US", zones=(zone,))
    except ValidationError:
        return False
    return True


# --- reading, and nothing else ---


def _day(text: object) -> date:
    if isinstance(text, datetime):
        return text.date()
    return text if isinstance(text, date) else date.fromisoformat(str(text)[:10])


def _known(text: object) -> date | None:
    return None if text is None else _day(text)


def _morning(day: date) -> datetime:
    """06:00 UTC: the day has begun in the book, and the next day nowhere on Earth."""
    return datetime.combine(day, time(6), UTC)


def _span(pause: Any) -> tuple[date, date | None]:
    """A pause as [start, end] or as an object; a resumed one ends on the day of the resume."""
    if isinstance(pause, dict):
        end = pause.get("resumed") or pause.get("end")
        return _day(pause["start"]), _known(end)
    return _day(pause[0]), _known((*pause, None)[1])


def _relative(text: str) -> date:
    """ "today-6m": the row's own notation, from a today of our choice."""
    today = date(2024, 6, 30)
    sign = text.removeprefix("today")
    if not sign:
        return today
    if not text.startswith("today"):
        return _day(text)
    unit = {"d": 1, "w": 7, "m": 30, "y": 365}[sign[-1]]
    return today + timedelta(days=int(sign[:-1]) * unit)


def _whole(value: Any) -> int:
    return int(value or 0)


def _money(amount: Decimal) -> str:
    return f"{amount:.2f}"


FAMILIES = {
    "delinquent_days": delinquent_days,
    "repayment_in_pause": repayment_in_pause,
    "hold_validation": hold_validation,
    "stage_by_days": stage_by_days,
    "stage_by_amount": stage_by_amount,
    "stage_with_hold": stage_with_hold,
    "reanchor": reanchor,
    "reminder_dates": reminder_dates,
    "ladder_previous_relative": ladder_previous_relative,
    "run_order": run_order,
    "behaviour": behaviour,
}
