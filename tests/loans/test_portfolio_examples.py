"""The files in examples/: they can be read, and the story that they tell comes out of the real state machine.

The law is left out here: whatever the ladder, the tier and an opt-out leave over counts as sent.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest

from duecourse.compliance.differences import differences
from duecourse.compliance.packs import Pack, load_packs, package_documents
from duecourse.errors import InvalidInput
from duecourse.loans.decisions import Close, Contact, Review, Wait
from duecourse.loans.facts import FACT, Contacted, Decided, Fact, OptOut
from duecourse.loans.intake import check_book, read_borrowers, read_lenders, read_portfolio
from duecourse.loans.loan import Loan
from duecourse.loans.portfolio import BorrowerRecord, LenderRecord, LoanRecord
from duecourse.loans.story import Scene, Story, read_story, scenes
from duecourse.treatments.catalogue import ladder_ids, load_ladder
from duecourse.treatments.thinning import channels_for, thin

EXAMPLES = Path(__file__).parents[2] / "examples"
BARE_STEP = "steps:\n- {at: '2027-01-05T00:00:00Z', lender: qinghe, loan: %s, %s}"


def _text(name: str) -> str:
    return (EXAMPLES / name).read_text(encoding="utf-8")


@cache
def _lenders() -> dict[str, LenderRecord]:
    intake = read_lenders(_text("lenders.yaml"), "yaml", "lenders.yaml")
    assert intake.errors == ()
    return {lender.id: lender for lender in intake.rows}


@cache
def _borrowers() -> dict[str, BorrowerRecord]:
    intake = read_borrowers(_text("borrowers.csv"), "csv", "borrowers.csv")
    assert intake.errors == ()
    return {borrower.id: borrower for borrower in intake.rows}


@cache
def _loans() -> dict[str, LoanRecord]:
    ladders = {name: load_ladder(name) for name in ladder_ids()}
    portfolio = read_portfolio(_text("portfolio.csv"), "csv", "portfolio.csv")
    intake = check_book(portfolio, _lenders(), _borrowers(), ladders)
    assert intake.errors == ()
    return {loan.loan: loan for loan in intake.rows}


@cache
def _story() -> Story:
    return read_story(_text("story.yaml"), _loans().values())


@cache
def _lived() -> dict[str, tuple[Loan, tuple[Decided | Contacted, ...]]]:
    """Each loan at the story's end, with what came of its rungs."""
    by_loan: dict[str, list[Scene]] = {}
    for scene in scenes(_story(), _loans().values(), _lenders()):
        by_loan.setdefault(scene.loan, []).append(scene)
    return {name: _live(_loans()[name], its_scenes) for name, its_scenes in by_loan.items()}


def _live(record: LoanRecord, script: list[Scene]) -> tuple[Loan, tuple[Decided | Contacted, ...]]:
    assert script[0].fact is None, "a loan begins with its start"
    now = script[0].at
    loan = Loan.new(record.terms(_lenders()[record.lender], now, _borrowers().values()), load_ladder(record.ladder))
    rows: list[Fact] = []
    stopped: set[str] = set()

    def add(row: Fact) -> None:
        rows.append(row.model_copy(update={"loan_seq": len(rows) + 1}))
        loan.apply(rows[-1])

    for skipped in loan.onboarding(now):
        add(skipped)
    upcoming = script[1:]
    for _ in range(2000):
        if upcoming and upcoming[0].at <= now:
            fact = upcoming.pop(0).fact
            assert fact is not None, "a loan starts once"
            if isinstance(fact, OptOut):
                stopped.add(fact.channel)
            add(fact)
            continue
        until = upcoming[0].at if upcoming else _story().ends
        match loan.next(now):
            case Wait(until=moment):
                now = min(moment, until)
            case Contact() | Review() as act:
                add(_outcome(loan, record, act, stopped, now))
            case Close():
                now = until
        if now >= _story().ends:
            return loan, tuple(row for row in rows if isinstance(row, Decided | Contacted))
    raise AssertionError(f"{record.loan} does not come to rest")


def _outcome(loan: Loan, record: LoanRecord, act: Contact | Review, stopped: set[str], now: datetime) -> Fact:
    """The row of one decision, in the gate's order: over, thinned, promised, opted out, else sent."""
    rung = loan.ladder.rung(act.rung)
    if isinstance(act, Review):
        return _row(act, now, "decided", "review", outcome="review")
    candidate = loan.owes(act.episode, act.installment, act.rung, now)
    assert candidate is not None
    over = loan.silence(candidate, now)
    if over is not None:
        return _row(act, now, "decided", act.channel, outcome=over)
    thinned = thin(rung, record.risk_tier, loan.ladder)
    if thinned is not None:
        return _row(act, now, "decided", act.channel, outcome="withheld", rule=thinned.rule)
    if loan.promise_in_force(loan.terms.book_date(now)) and not rung.mandatory:
        return _row(act, now, "decided", act.channel, outcome="withheld", rule="promise")
    left = [name for name in channels_for(rung, record.risk_tier, loan.ladder) if name not in stopped]
    if not left:
        return _row(act, now, "decided", act.channel, outcome="withheld", rule="opt_out")
    return _row(act, now, "contacted", left[0], contact="0" * 32, state="accepted")


def _row(act: Contact | Review, now: datetime, kind: str, channel: str, **more: str) -> Fact:
    return FACT.validate_python(
        {
            "kind": kind,
            "id": f"test/{act.claim}/{now.timestamp():.0f}",
            "at": now,
            "episode": act.episode,
            "installment": act.installment,
            "rung": act.rung,
            "channel": channel,
            **more,
        }
    )


def _sent(loan: str) -> Iterator[tuple[str, str]]:
    for row in _lived()[loan][1]:
        if isinstance(row, Contacted):
            yield row.rung, row.channel


def _stage(loan: str) -> str:
    return _lived()[loan][0].stage(_story().ends)


def test_the_people_are_fictitious() -> None:
    """Numbers from ranges kept for fiction, addresses at example.com."""
    for borrower in _borrowers().values():
        assert borrower.email is not None
        assert borrower.email.endswith("@example.com")
        if borrower.phone is not None:
            assert borrower.phone.startswith("+8613800000") or borrower.phone[5:10] == "55501", borrower.id


def test_both_lenders_have_their_loans_and_every_tier_is_there() -> None:
    owners = [loan.lender for loan in _loans().values()]
    assert (owners.count("qinghe"), owners.count("harborline")) == (10, 5)
    assert {loan.risk_tier.value for loan in _loans().values()} == {"low", "standard", "high"}


def test_a_new_yorker_has_a_californian_number_and_no_stated_zone() -> None:
    """So both zones follow from what is on file, and every message must be lawful in both."""
    avery = _borrowers()["US-101"]
    assert (avery.region, avery.phone, avery.zones) == ("NY", "+14155550101", None)
    assert avery.jurisdiction == "US-NY"


def test_every_step_is_in_order_and_speaks_of_a_loan_that_is_there() -> None:
    instants = [step.at for step in _story().steps]
    assert instants == sorted(instants)
    assert {(step.lender, step.loan) for step in _story().loan_steps} <= {
        (loan.lender, loan.loan) for loan in _loans().values()
    }


def test_the_story_has_a_part_for_each_kind_of_step() -> None:
    kinds = {"start", "pay", "reverse", "promise", "hold", "lift", "opt_out", "publish"}
    assert {step.do for step in _story().steps} == kinds


def test_the_policy_that_the_story_publishes_is_the_next_version_of_what_both_lenders_have() -> None:
    """Its two rules get stricter from that day on; the floor under it is the shipped one, byte for byte."""
    (publication,) = _story().publications
    files = {path: _text(f"{publication.folder}/{path}") for path in package_documents("lender/default")}
    before, after = load_packs(("lender/default",)).packs["lender/default"], Pack.from_documents(files)
    floor = "floor/holds_and_wishes.yaml"
    assert package_documents("lender/default")[floor] == files[floor]
    assert {("lender/default",)} == {lender.packs for lender in _lenders().values()}
    assert str(publication.at.date()) == after.version > before.version
    changed = {one.where for one in differences(before, after)} - {"lender/default"}
    assert {"LENDER-01", "LENDER-03"} == changed


def test_a_loan_enters_the_book_once_at_its_disbursement_or_at_the_beginning() -> None:
    starts = [scene for scene in scenes(_story(), _loans().values(), _lenders()) if scene.fact is None]
    assert sorted(scene.loan for scene in starts) == sorted(_loans())
    for scene in starts:
        began = _loans()[scene.loan].placed_on or _loans()[scene.loan].disbursed_on
        assert began is not None
        assert began <= scene.at.date() or scene.at == _story().begins


def test_most_loans_are_paid_or_current_at_the_end() -> None:
    stages = {name: _stage(name) for name in _loans()}
    overdue = sorted(name for name, stage in stages.items() if stage not in ("closed", "current"))
    assert overdue == ["HL-2003", "HL-2004", "QH-1009"], stages


def test_a_low_risk_borrowers_second_loan_gets_no_optional_sms_and_all_its_notices() -> None:
    sent = list(_sent("QH-1002"))
    optional_sms = [
        rung for rung, channel in sent if channel == "sms" and not load_ladder("cn_consumer").rung(rung).mandatory
    ]
    assert optional_sms == []
    notices = [rung for rung, _ in sent if load_ladder("cn_consumer").rung(rung).mandatory]
    assert notices == ["disbursement_confirmation", "overdue_notice", "credit_report_notice"]
    thinned = {row.rung for row in _lived()["QH-1002"][1] if isinstance(row, Decided) and "tier" in row.rule}
    assert thinned >= {"reminder_3_days", "due_day", "early_overdue"}


def test_the_first_loan_of_that_borrower_was_repaid_before_the_second_began() -> None:
    assert _loans()["QH-1001"].debtor == _loans()["QH-1002"].debtor == "CN-001"
    assert _stage("QH-1001") == "closed"
    last_payment = max(step.at for step in _story().loan_steps if step.loan == "QH-1001")
    assert last_payment.date() < (_loans()["QH-1002"].disbursed_on or last_payment.date())


def test_a_high_risk_borrower_is_called_before_any_overdue_message() -> None:
    late = [rung for rung, _ in _sent("QH-1009") if load_ladder("cn_consumer").rung(rung).anchor.value == "delinquent"]
    assert late[:2] == ["first_call", "early_overdue"]
    assert _stage("QH-1009") == "review"


def test_the_agency_begins_with_the_validation_notice() -> None:
    """12 CFR 1006.34(a)(1): no other communication comes before it."""
    for name in ("HL-2001", "HL-2002", "HL-2003", "HL-2004", "HL-2005"):
        assert next(_sent(name))[0] == "validation_notice", name


def test_after_stop_no_more_sms_but_other_channels_go_on() -> None:
    rows = _lived()["HL-2003"][1]
    stop = next(step.at for step in _story().loan_steps if step.loan == "HL-2003" and step.do == "opt_out")
    assert any(isinstance(row, Contacted) and row.channel == "sms" and row.at < stop for row in rows)
    after = {row.channel for row in rows if isinstance(row, Contacted) and row.at > stop}
    assert "sms" not in after
    assert {"email", "call", "letter"} <= after


def test_a_reversal_makes_the_loan_overdue_again_and_the_episode_is_answered() -> None:
    reversal = next(step.at for step in _story().steps if step.do == "reverse")
    rungs = [row.rung for row in _lived()["QH-1008"][1] if isinstance(row, Contacted) and row.at >= reversal]
    assert "second_overdue" in rungs
    assert _stage("QH-1008") == "closed"


@pytest.mark.parametrize(
    ("step", "field"),
    [
        (BARE_STEP % ("QH-9999", "do: pay, amount: '1.00'"), "steps.0.loan"),
        (BARE_STEP % ("QH-1001", "do: pay, amount: '1.001'"), "steps.0.amount"),
        (BARE_STEP % ("QH-1001", "do: reverse, payment: p-1"), "steps.0.payment"),
        (BARE_STEP % ("QH-1001", "do: lift, hold: h-1"), "steps.0.hold"),
        (BARE_STEP.replace("2027-01-05", "2026-01-05") % ("QH-1001", "do: opt_out, channel: sms"), "steps.0.at"),
        (BARE_STEP % ("QH-1001", "do: pay"), "steps.0.pay.amount"),
    ],
)
def test_a_step_that_cannot_happen_is_refused_with_its_line(step: str, field: str) -> None:
    head = "begins: '2027-01-04T00:00:00Z'\nends: '2027-02-04T00:00:00Z'\n"
    with pytest.raises(InvalidInput) as refusal:
        read_story(head + step, _loans().values())
    assert (refusal.value.field, refusal.value.line) == (field, 4)


def test_the_story_spans_four_months_from_the_books_first_day() -> None:
    assert _story().begins == datetime(2027, 1, 4, tzinfo=UTC)
    assert timedelta(days=110) <= _story().ends - _story().begins <= timedelta(days=125)
