"""The plan: inside the lawful window, spread, and the same wherever it is computed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from duecourse.ledger.plans import plan_next
from duecourse.loans.facts import OptOut
from duecourse.loans.loan import ROOM
from tests.ledger.world import LENDER, NOON, START, Book, ask, only, payment, rung

OPENS, ENDS = datetime(2026, 2, 7, 1, tzinfo=UTC), datetime(2026, 2, 7, 12, tzinfo=UTC)  # 9 to 20 h in Singapore


def test_a_plan_names_the_next_rung_and_lies_in_its_window_with_room_to_send(book: Book) -> None:
    registered = book.register("A")
    plan = book.ledger.consult(plan_next, LENDER, "A", START)
    assert plan is not None
    assert ("early", "1", "0", "sms", len(registered.rows)) == (
        plan.rung, plan.installment, plan.episode, plan.channel, plan.seq
    )  # fmt: skip
    assert OPENS <= plan.planned_at <= ENDS - ROOM
    assert OPENS < plan.closes < ENDS
    assert 0 == plan.planned_at.microsecond


def test_loans_of_one_person_are_spread_over_the_window(book: Book) -> None:
    moments = set()
    for n in range(20):
        book.register(f"A{n}")
        plan = book.ledger.consult(plan_next, LENDER, f"A{n}", START)
        assert plan is not None
        moments.add(plan.planned_at)
    assert 20 == len(moments)
    assert max(moments) - min(moments) > timedelta(hours=4)


def test_a_plan_is_the_same_each_time(book: Book) -> None:
    book.register("A")
    first = book.ledger.consult(plan_next, LENDER, "A", START)
    assert first == book.ledger.consult(plan_next, LENDER, "A", START + timedelta(days=3))


def test_a_plan_made_inside_the_window_lies_ahead(book: Book) -> None:
    book.register("A", climbs=only(rung("due", "due", 0)))
    plan = book.ledger.consult(plan_next, LENDER, "A", NOON)
    assert plan is not None
    assert NOON <= plan.planned_at <= plan.closes - ROOM


def test_a_sent_message_moves_the_plan_of_the_person_s_other_loan_past_the_cap(book: Book) -> None:
    book.register("A", climbs=only(rung("due", "due", 0)))
    book.register("B", climbs=only(rung("due", "due", 0, life_days=14)))
    book.send(ask("A"), NOON)
    plan = book.ledger.consult(plan_next, LENDER, "B", NOON)
    assert plan is not None
    assert plan.planned_at >= NOON + timedelta(days=6)


def test_without_a_lawful_moment_there_is_no_plan(book: Book) -> None:
    book.register("A", climbs=only(rung("due", "due", 0)))
    book.record("A", OptOut(id="stop", at=START, channel="*"), START)
    assert book.ledger.consult(plan_next, LENDER, "A", START) is None


def test_a_paid_loan_plans_nothing(book: Book) -> None:
    book.register("A")
    book.record("A", payment("p1", "300.00"), NOON)
    assert book.ledger.consult(plan_next, LENDER, "A", NOON) is None
