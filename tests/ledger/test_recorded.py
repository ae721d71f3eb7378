"""What came before us: recorded once, seen by the gate like our own, and told to the loans that run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from duecourse.compliance.case import Case, Milestone
from duecourse.compliance.explain import explain_finding
from duecourse.compliance.gate import decide
from duecourse.ledger import outbox, published
from duecourse.ledger.acts import may_follow
from duecourse.ledger.cases import case_for, case_of_act
from duecourse.ledger.dossier import ContactRow, Dossier, read_dossier
from duecourse.ledger.outcomes import Reserved, Settled
from duecourse.ledger.queries import explain
from duecourse.ledger.recording import TakenIn, rehearse, take_in
from duecourse.ledger.registration import register_borrower, register_lender
from duecourse.loans.facts import OptOut, Payment
from duecourse.loans.recorded import PAST_RECORD, PastRecord
from tests.ledger.world import DUE, LENDER, NOON, START, Book, ask, lender, mei, scalar

NOTICE_PACK = {
    "late.yaml": "id: late\ntitle: {en: Late, zh: 迟}\nversion: 2026-01-01\nrules: [late/rules.yaml]\n",
    "late/rules.yaml": """
rules:
  - id: L-NOTICE
    text: {en: Notice before a suit, zh: 起诉前通知}
    citation: {title: "Test: notice"}
    grade: "-"
    strength: ban
    versions:
      - in_force: 2020-01-01
        notice: {trigger: act, forms: [letter], before: {acts: [sue], wait: {days: 14}}}
  - id: L-SOLD
    text: {en: Notice of a sale, zh: 转让通知}
    citation: {title: "Test: sale"}
    grade: "-"
    strength: ban
    versions:
      - in_force: 2020-01-01
        notice: {trigger: milestone, milestone: handed_over, latest_days: 30, forms: [letter]}
""",
}


def past(kind: str, **fields: Any) -> PastRecord:
    made: PastRecord = PAST_RECORD.validate_python({"kind": kind, "lender": LENDER, "borrower": "B-MEI", **fields})
    return made


def contact(at: datetime = NOON - timedelta(days=2), **fields: Any) -> PastRecord:
    values = {"channel": "sms", "loans": ["A"], "purpose": "reminder", "result": "sent", "at": at.isoformat()}
    return past("contact", **(values | fields))


def taken(book: Book, *records: PastRecord, now: datetime = NOON, expected: Sequence[str] = ()) -> TakenIn:
    return book.ledger.transact(take_in, LENDER, "B-MEI", records, now, expected=expected)


def dossier(book: Book, loan: str = "A") -> Dossier:
    return book.ledger.consult(read_dossier, LENDER, loan)


def case(of: Dossier, at: datetime = NOON, channel: str = "sms") -> Case:
    candidate = of.loan.owes("0", "1", "due", at)
    assert candidate is not None
    made = case_for(of, candidate, channel, at)
    assert made is not None
    return made


@pytest.fixture
def loan(book: Book) -> Book:
    book.register("A")
    return book


# Counted like our own.


def test_a_recorded_contact_takes_the_slot_of_a_cap(loan: Book) -> None:
    taken(loan, contact())
    result = loan.reserve(ask("A"), NOON)
    assert isinstance(result, Settled)
    assert ("withheld", "T-CAP") == (result.outcome, result.judged.rule if result.judged else None)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ago=st.timedeltas(timedelta(seconds=1), timedelta(days=9)))
def test_a_recorded_contact_bars_exactly_as_long_as_one_of_ours(loan: Book, ago: timedelta) -> None:
    at = NOON - ago
    with loan.ledger.write() as connection:
        trial = connection.begin_nested()
        take_in(connection, LENDER, "B-MEI", [contact(at)], NOON)
        recorded = read_dossier(connection, LENDER, "A")
        trial.rollback()
    ours = dossier(loan)
    ours.contacts.append(sent(at))
    assert decide(case(ours), ours.packs) == decide(case(recorded), recorded.packs)


def sent(at: datetime) -> ContactRow:
    """A text message of ours, accepted at that instant."""
    return ContactRow(
        id="c", lender=LENDER, loan="A", borrower="B-MEI", episode="0", installment="1", rung="early", channel="sms",
        number=0, contact_point="phone", purpose="reminder", obligation="", state="accepted", at=at, closes=at,
        attempt=1, first_sending_at=at, deadline=at, provider_id="p", verdict=1,
    )  # fmt: skip


def test_a_recorded_contact_is_the_event_that_our_own_would_be(loan: Book) -> None:
    loan.register("B")
    loan.send(ask("A"), NOON)
    (ours,) = case(dossier(loan, "B")).history or ()
    other = NOON + timedelta(minutes=1)
    taken(loan, contact(other))
    events = case(dossier(loan, "B"), other).history or ()
    assert sorted([ours.at, other]) == sorted(event.at for event in events)
    assert {replace(event, at=NOON) for event in events} == {replace(ours, at=NOON)}


def test_an_old_contact_about_no_loan_counts_for_the_person(loan: Book) -> None:
    taken(loan, contact(loans=[]))
    result = loan.reserve(ask("A"), NOON)
    assert "T-CAP" == result.judged.rule  # type: ignore[union-attr]  # anything else has no rule and fails


def test_an_old_contact_that_names_no_loan_counts_for_each_of_them(loan: Book) -> None:
    """A cap for each debt must not go free because a file has no column for the loans."""
    loan.register("B")
    taken(loan, contact(loans=[]))
    assert [("A",), ("B",)] == [(case(dossier(loan, one)).history or ())[0].debts for one in ("A", "B")]


# Unknown history.


def test_a_borrower_without_history_is_not_contacted_and_the_finding_says_how_to_mend_it(book: Book) -> None:
    book.ledger.transact(register_borrower, LENDER, mei(history=None))
    book.register("A")
    result = book.reserve(ask("A"), NOON)
    assert isinstance(result, Settled)
    (verdict,) = book.ledger.consult(explain, LENDER, "A")
    (finding,) = [one for one in verdict.grounds.findings if one.rule == "T-CAP"]
    english, chinese = (explain_finding(finding, language, "Asia/Singapore") for language in ("en", "zh"))
    assert "contact history is not known" in english
    assert "`record`" in english
    assert "`history: complete`" in english
    assert "联系历史未知" in chinese
    assert "补录" in chinese


@pytest.mark.parametrize(
    ("borrower", "by_lender", "records", "known"),
    [
        (None, "unknown", [], False),
        ("complete", "unknown", [], True),
        (None, "complete", [], True),
        ("unknown", "complete", [], False),
        ("unknown", "complete", [{}], True),
        (None, "unknown", [{"since": "2025-06-01"}], True),
        (None, "unknown", [{"since": "2026-01-03"}], False),  # after the loan began
        (None, "unknown", [{"since": "2026-01-03"}, {"since": "2025-06-01"}], True),
    ],
)
def test_history_is_known_once_somebody_answers_for_it(
    book: Book, borrower: str | None, by_lender: str, records: list[dict[str, str]], known: bool
) -> None:
    book.ledger.transact(register_lender, lender(history=by_lender))
    book.ledger.transact(register_borrower, LENDER, mei(history=borrower))
    book.register("A", disbursed_on=date(2026, 1, 2))
    taken(book, *(past("complete", **one) for one in records))
    made = case(dossier(book))
    parts = (made.history, made.person.preferences, made.milestones)
    assert (known,) * 3 == tuple(part is not None for part in parts)


def test_a_history_since_a_day_is_known_once_no_window_reaches_behind_it(book: Book) -> None:
    """The pack's cap counts seven days, and some days' room lies around it for zones and consents."""
    book.ledger.transact(register_borrower, LENDER, mei(history=None))
    book.register("A", disbursed_on=DUE - timedelta(days=5))
    since = DUE - timedelta(days=5)
    taken(book, past("complete", since=since.isoformat()))
    known = [
        days
        for days in range(30)
        if case_of_act(dossier(book), datetime.combine(since + timedelta(days=days), time(4), UTC)).history is not None
    ]
    assert 7 < known[0] < 15
    assert list(range(known[0], 30)) == known


def test_a_history_that_is_complete_says_which_consents_there_are(book: Book) -> None:
    book.ledger.transact(register_borrower, LENDER, mei(history=None, consents=None))
    book.register("A")
    taken(book, past("consent", channel="sms", at=START.isoformat()))
    assert None is dossier(book).consents
    taken(book, past("complete"))
    assert ["sms"] == [one.channel for one in dossier(book).consents or ()]


# Notices and milestones.


OVERDUE = NOON + timedelta(days=1)  # a suit about a loan that is not past due is refused whatever was served


@pytest.fixture
def late(book: Book) -> Book:
    book.ledger.transact(published.publish, NOTICE_PACK)
    book.ledger.transact(register_lender, lender(packs=("test", "late")))
    book.register("A")
    return book


@pytest.mark.parametrize(
    ("days_ago", "result", "effect"),
    [(None, "", "refuse"), (20, "sent", "allow"), (5, "sent", "wait"), (20, "bounced", "refuse")],
)
def test_a_notice_served_by_the_old_system_opens_what_waits_for_it(
    late: Book, days_ago: int | None, result: str, effect: str
) -> None:
    if days_ago is not None:
        served = (OVERDUE - timedelta(days=days_ago)).isoformat()
        taken(late, past("notice", obligation="L-NOTICE", loan="A", channel="letter", at=served, result=result))
    assert effect == late.ledger.consult(may_follow, LENDER, "A", "sue", OVERDUE).effect


def test_a_notice_served_to_another_loan_proves_nothing_for_this_one(late: Book) -> None:
    late.register("B")
    served = (OVERDUE - timedelta(days=20)).isoformat()
    taken(late, past("notice", obligation="L-NOTICE", loan="B", channel="letter", at=served))
    assert "refuse" == late.ledger.consult(may_follow, LENDER, "A", "sue", OVERDUE).effect
    assert "allow" == late.ledger.consult(may_follow, LENDER, "B", "sue", OVERDUE).effect


def test_a_milestone_reaches_the_case_of_its_own_loan(late: Book) -> None:
    late.register("B")
    taken(late, past("milestone", milestone="handed_over", loan="A", on="2026-02-01"))
    found = late.ledger.consult(lambda connection: case_of_act(read_dossier(connection, LENDER, "A"), NOON)).milestones
    assert (Milestone("handed_over", "A", date(2026, 2, 1)),) == found
    assert () == case_of_act(dossier(late, "B"), NOON).milestones


def test_what_the_terms_say_is_a_milestone_too(book: Book) -> None:
    book.register("A", disbursed_on=date(2026, 1, 1), placed_on=date(2026, 1, 5))
    assert ["disbursed", "placed"] == [one.kind for one in case(dossier(book)).milestones or ()]


# Wishes and languages.


def test_a_named_time_is_kept_until_the_wish_is_taken_back(loan: Book) -> None:
    taken(loan, past("preference", id="no-sms", channel="sms", **{"from": "12:00", "to": "14:00"}))
    (wish,) = case(dossier(loan)).person.preferences or ()
    assert (720, 840, "sms", None) == (wish.from_minute, wish.to_minute, wish.channel, wish.until)
    taken(loan, past("preference_ended", preference="no-sms", on="2026-02-08"))
    (wish,) = case(dossier(loan)).person.preferences or ()
    assert date(2026, 2, 7) == wish.until


def test_the_borrower_s_last_word_on_the_language_counts(loan: Book) -> None:
    assert "zh" == dossier(loan).person.language
    taken(loan, past("language", language="en", at="2026-02-01T00:00:00Z"))
    taken(loan, past("language", language="ko", at="2026-01-01T00:00:00Z"))
    assert "en" == dossier(loan).person.language


# Facts: consents, opt-outs, holds.


def test_an_opt_out_is_told_to_each_running_loan(loan: Book) -> None:
    loan.register("B")
    answer = taken(loan, past("opt_out", id="stop", channel="sms", at=NOON.isoformat()))
    assert ("A", "B") == answer.told
    waiting = loan.ledger.consult(outbox.due, NOON, older_than=timedelta(0))
    assert {"A": ["opt_out"], "B": ["opt_out"]} == {one.loan: [row.kind for row in one.rows] for one in waiting}
    assert "T-OPT-OUT" == loan.reserve(ask("B"), NOON).judged.rule  # type: ignore[union-attr]


def test_before_the_first_loan_an_opt_out_waits_for_it(book: Book) -> None:
    assert () == taken(book, past("opt_out", channel="sms", at=START.isoformat())).told
    assert ["opt_out"] == [row.kind for row in book.register("A").rows]


def test_a_consent_keeps_its_form_its_scope_and_its_end(loan: Book) -> None:
    taken(loan, past("consent", channel="email", contact_point="email", about="hours", loans=["A"], form="written",
                     until="2026-12-31", at=START.isoformat()))  # fmt: skip
    (consent,) = case(dossier(loan)).person.consents or ()
    assert ("email", "email", "given", "hours", ("A",), date(2026, 12, 31), "written") == (
        consent.channel, consent.address, consent.state, consent.about, consent.debts, consent.until, consent.form
    )  # fmt: skip
    loan.register("B")
    assert case(dossier(loan)).person.consents == case(dossier(loan, "B")).person.consents


def test_a_hold_of_a_loan_that_follows_is_among_its_first_rows(book: Book) -> None:
    held = past("hold", id="old-12", cause="dispute", loan="A", starts="2026-01-01")
    assert 1 == taken(book, held, now=START, expected=["A"]).new
    assert ["hold_placed"] == [row.kind for row in book.register("A").rows]
    assert () == book.register("B").rows
    assert "T-HOLD" == book.reserve(ask("A"), NOON).judged.rule  # type: ignore[union-attr]


def test_a_hold_of_a_running_loan_or_of_the_person_is_told(loan: Book) -> None:
    loan.register("B")
    assert ("A",) == taken(loan, past("hold", cause="dispute", loan="A", starts="2026-02-01")).told
    assert ("A", "B") == taken(loan, past("hold", cause="hardship", starts="2026-02-01")).told
    assert ["hold_placed"] == [row.kind for row in loan.rows("B")]


def test_a_hold_of_the_person_may_be_older_than_any_loan_of_theirs(book: Book) -> None:
    book.register("A", disbursed_on=date(2026, 1, 2))
    assert () == taken(book, past("hold", id="old-hold", cause="deceased", starts="2025-06-01")).refused
    assert ["old-hold"] == [one.hold for one in dossier(book).loan.holds()]


def test_where_all_loans_are_paid_a_hold_of_the_person_waits_for_the_next(loan: Book) -> None:
    paid = Payment(id="all", at=NOON, amount=Decimal("300.00"), currency="CNY")
    loan.record("A", paid, NOON)
    assert () == taken(loan, past("hold", id="old-hold", cause="deceased", starts="2026-02-01")).refused
    loan.register("B", now=NOON)
    assert ["old-hold"] == [one.hold for one in dossier(loan, "B").loan.holds()]


def test_the_same_opt_out_by_command_and_by_file_is_one(loan: Book) -> None:
    loan.record("A", OptOut(id="stop", at=NOON, channel="sms"), NOON)
    answer = taken(loan, past("opt_out", id="stop", channel="sms", at=NOON.isoformat()))
    assert (1, (), ()) == (answer.new, answer.refused, answer.told)
    assert 1 == len(loan.rows("A"))


# Refusals.


@pytest.mark.parametrize(
    ("record", "field"),
    [
        (contact(loans=["Z"]), "loans"),
        (contact(NOON + timedelta(days=3)), "at"),
        (contact(id="contact/1"), "id"),
        (past("notice", obligation="T-TYPO", loan="A", channel="letter", at=START.isoformat()), "obligation"),
        (past("notice", obligation="T-CAP", loan="A", channel="letter", at=START.isoformat()), "obligation"),
        (past("notice", obligation="contract", loan="Z", channel="letter", at=START.isoformat()), "loan"),
        (past("milestone", milestone="furnised", loan="A", on="2026-01-01"), "milestone"),
        (past("milestone", milestone="furnished", loan="A", on="2027-01-01"), "on"),
        (past("opt_out", channel="sms", contact_point="fax", at=START.isoformat()), "contact_point"),
        (past("hold", cause="dispute", loan="Z", starts="2026-01-01"), "loan"),
        (past("hold", cause="forbearance", loan="A", starts="2026-01-01"), "ends"),
        (past("preference_ended", preference="none", on="2026-01-01"), "preference"),
        (past("complete", since="2027-01-01"), "since"),
    ],
)
def test_a_record_that_cannot_be_is_refused_alone(loan: Book, record: PastRecord, field: str) -> None:
    answer = taken(loan, contact(), record)
    assert 1 == answer.new
    ((index, problem),) = answer.refused
    assert (1, field) == (index, problem.field)
    assert () == loan.rows("A")


def test_a_borrower_nobody_knows_is_refused(loan: Book) -> None:
    answer = loan.ledger.transact(take_in, LENDER, "B-GHOST", [contact()], NOON)
    assert ["borrower"] == [problem.field for _, problem in answer.refused]


def test_an_id_with_other_content_is_refused_and_the_first_stays(loan: Book) -> None:
    taken(loan, contact(id="c-1"))
    answer = taken(loan, contact(id="c-1", result="delivered"))
    assert ["id"] == [problem.field for _, problem in answer.refused]
    assert ["sent"] == [event.result for event in dossier(loan).past.events]


def test_a_rehearsal_answers_the_same_and_leaves_nothing(loan: Book) -> None:
    records = [contact(), past("opt_out", channel="sms", at=START.isoformat()), contact(loans=["Z"])]
    trial = loan.ledger.transact(rehearse, LENDER, "B-MEI", records, NOON)
    before = dossier(loan)
    assert ((), ()) == (before.past.events, loan.rows("A"))
    assert _said(taken(loan, *records)) == _said(trial)


def _said(answer: TakenIn) -> tuple[object, ...]:
    return answer.new, answer.again, answer.told, [(index, str(problem)) for index, problem in answer.refused]


# Idempotent, in any order.

MANY = (
    contact(id="c-1"),
    contact(NOON - timedelta(days=20), channel="call", result="voicemail"),
    contact(NOON - timedelta(days=20), channel="call", result="conversation", loans=[]),
    past("notice", obligation="contract", loan="A", channel="letter", at=START.isoformat()),
    past("consent", channel="sms", at=START.isoformat()),
    past("consent", channel="call", about="hours", loans=["A", "B"], until="2026-06-01", at=START.isoformat()),
    past("opt_out", channel="email", at=(START + timedelta(days=1)).isoformat()),
    past("consent", channel="email", at=(START + timedelta(days=2)).isoformat()),
    past("hold", id="h-1", cause="hardship", starts="2026-01-10", ends="2026-01-20"),
    past("hold", id="h-2", cause="dispute", loan="A", starts="2026-01-15", ends="2026-01-20"),
    past("preference", id="w-1", channel="call", **{"to": "09:00"}),
    past("language", language="en", at="2026-02-01T00:00:00Z"),
    past("language", language="zh", at="2026-01-01T00:00:00Z"),
    past("milestone", milestone="assigned", loan="A", on="2026-01-04"),
    past("complete", since="2025-01-01"),
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    order=st.permutations(MANY),
    cuts=st.sets(st.integers(0, len(MANY)), max_size=4),
    again=st.lists(st.sampled_from(MANY), max_size=5),
)
def test_recording_in_any_order_and_again_gives_the_same_cases(
    any_order: Book, order: list[PastRecord], cuts: set[int], again: list[PastRecord]
) -> None:
    """However a file is cut and repeated, and whether its lines come before or after each other."""
    expected = _cases(any_order, [list(MANY)])
    edges = [0, *sorted(cuts), len(order)]
    parts = [order[low:high] for low, high in pairwise(edges)]
    assert expected == _cases(any_order, [*parts, again])


@pytest.fixture
def any_order(loan: Book) -> Book:
    loan.register("B")
    return loan


def _cases(book: Book, parts: list[list[PastRecord]]) -> tuple[Any, ...]:
    with book.ledger.write() as connection:
        trial = connection.begin_nested()
        for part in parts:
            assert () == take_in(connection, LENDER, "B-MEI", part, NOON).refused
        found = [read_dossier(connection, LENDER, name) for name in ("A", "B")]
        kept = scalar(connection, "SELECT count(*) FROM recorded")
        mark = scalar(connection, "SELECT recorded FROM borrowers WHERE id = 'B-MEI'")
        trial.rollback()
    shown = [(case(one), case(one, channel="email"), one.person.language, one.loan.stage(NOON)) for one in found]
    return kept, mark, shown


# What it costs.


def test_a_person_s_past_is_read_once_and_one_without_any_not_at_all(loan: Book) -> None:
    def reads(book: Book) -> int:
        asked: list[str] = []
        with book.ledger.read() as connection:
            driver: Any = connection.connection.driver_connection
            driver.set_trace_callback(asked.append)
            read_dossier(connection, LENDER, "A")
            driver.set_trace_callback(None)
        return sum("FROM recorded" in one for one in asked)

    assert 0 == reads(loan)
    taken(loan, contact(id="never-seen-before"))
    assert [1, 0, 0] == [reads(loan) for _ in range(3)]
    taken(loan, contact(NOON - timedelta(days=1), id="neither-this-one"))
    assert [1, 0] == [reads(loan) for _ in range(2)]


def test_a_slot_is_free_again_for_who_has_no_past(loan: Book) -> None:
    assert isinstance(loan.reserve(ask("A"), NOON), Reserved)
