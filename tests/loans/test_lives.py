"""No rung twice, none forgotten: random lives against a gate that permits, defers, withholds, fails at will."""

from __future__ import annotations

from datetime import timedelta
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from duecourse.loans.loan import Loan
from duecourse.treatments.ladder import CONTRACT, Anchor, CatchUp
from tests.loans.examples import (
    BEFORE,
    MARCH,
    SPRING_LADDER,
    days,
    ladder_of,
    morning,
    notice,
    rung,
    schedule,
    terms_of,
)
from tests.loans.lives import Happening, Life, cents, ended_twice, unanswered

DUE = [MARCH + timedelta(days=31 * number) for number in range(5)]
TERMS = terms_of(*schedule(*DUE), disbursed_on=BEFORE.date(), grace_days=2, utc_offset_minutes=480)
UNTIL = morning(MARCH + timedelta(days=330))
DEMANDING = ladder_of(
    *SPRING_LADDER.rungs,
    rung(
        "each_miss",
        Anchor.PAST_DUE,
        4,
        per="installment",
        obligation=CONTRACT,
        catch_up=CatchUp.IN_ORDER,
        purpose="notice",
    ),
    rung(
        "statement",
        Anchor.DUE,
        -5,
        obligation="CN-99",
        catch_up=CatchUp.IN_ORDER,
        channels=("email", "sms", "letter"),
        purpose="notice",
    ),
    rung("on_its_day", Anchor.DELINQUENT, 3, catch_up=CatchUp.SKIP_AND_RECORD, purpose="servicing"),
    rung("in_order_too", Anchor.DELINQUENT, 4, catch_up=CatchUp.IN_ORDER, purpose="collection"),
)
QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
SPAN = 330 * 24


@st.composite
def happenings(draw: st.DrawFn) -> list[Happening]:
    """Payments of all sizes and their reversals, holds and lifts, promises, consents, schedules, closings."""
    found = []
    for number in range(draw(st.integers(0, 14))):
        hour = draw(st.integers(0, SPAN))
        match draw(
            st.sampled_from(
                ["pay", "pay", "pay", "reverse", "hold", "lift", "promise", "other", "reply", "plan", "close"]
            )
        ):
            case "pay":
                amount = draw(st.sampled_from([1, 5_000, 9_999, 10_000, 20_000, 50_000]))
                found.append(
                    Happening(hour, "payment", {"id": f"P{number}", "amount": cents(amount), "currency": "EUR"})
                )
            case "reverse":
                found.append(Happening(hour, "reversal", {"payment": f"P{draw(st.integers(0, 13))}"}))
            case "hold":
                starts = MARCH + timedelta(days=draw(st.integers(-20, 200)))
                length = draw(st.none() | st.integers(1, 50))
                ends = None if length is None else starts + timedelta(days=length)
                how = draw(st.sampled_from(["paused", "counted"]))
                found.append(
                    Happening(
                        hour,
                        "hold_placed",
                        {"hold": f"H{number}", "cause": "dispute", "starts": starts, "ends": ends, "days": how},
                    )
                )
            case "lift":
                on = MARCH + timedelta(days=draw(st.integers(-20, 250)))
                found.append(Happening(hour, "hold_lifted", {"hold": f"H{draw(st.integers(0, 14))}", "on": on}))
            case "promise":
                by = MARCH + timedelta(days=draw(st.integers(0, 250)))
                found.append(Happening(hour, "promise", {"amount": "50.00", "currency": "EUR", "by": by}))
            case "other":
                found.append(Happening(hour, draw(st.sampled_from(["consent", "opt_out"])), {"channel": "sms"}))
            case "reply":
                answer = draw(st.sampled_from(["approved", "refused"]))
                name = draw(st.sampled_from(["referral", "formal_notice", "early"]))
                found.append(
                    Happening(
                        hour,
                        "approval",
                        {"episode": "1", "installment": "0", "rung": name, "answer": answer, "by": "P-OAK"},
                    )
                )
            case "plan":
                moved = [day + timedelta(days=draw(st.integers(0, 3)) * 30) for day in DUE[:3]]
                found.append(
                    Happening(
                        hour,
                        "schedule_changed",
                        {"version": 2 + number, "installments": schedule(*sorted(moved), amount="180.00")},
                    )
                )
            case _:
                found.append(Happening(hour, "closed", {"reason": "sold"}))
    return found


@QUICK
@given(happenings(), st.integers(0, 2**32), st.sampled_from([0.05, 0.5, 1.0]), st.booleans(), st.booleans())
def test_whatever_happens_no_rung_goes_out_twice_and_the_loan_never_spins(
    facts: list[Happening], seed: int, permits: float, late_news: bool, failures: bool
) -> None:
    life = Life(TERMS, DEMANDING, facts, Random(seed), permits, late_news, failures)

    life.live(UNTIL)

    rebuilt = Loan.fold(TERMS, DEMANDING, life.rows)
    life.hear_all()
    assert rebuilt == life.loan.model_copy(update={"plan": None, "failures": {}})
    assert [] == ended_twice(life)
    if not rebuilt.closed():
        assert [] == unanswered(life, timedelta(days=40))


@QUICK
@given(happenings(), st.integers(0, 2**32))
def test_where_the_gate_always_permits_each_rung_that_stayed_owed_went_out_or_has_its_reason(
    facts: list[Happening], seed: int
) -> None:
    life = Life(TERMS, DEMANDING, facts, Random(seed), permits=1.0, failures=False)

    life.live(UNTIL)

    if not life.ledger.closed():
        assert [] == unanswered(life, timedelta(days=3))


@pytest.mark.parametrize("permits", [1.0, 0.4])
def test_a_loan_that_nobody_pays_gets_every_mandatory_notice_once(permits: float) -> None:
    for seed in range(40):
        life = Life(TERMS, DEMANDING, [], Random(seed), permits)

        life.live(UNTIL)

        for name in (
            "0/0/welcome",
            "1/0/formal_notice",
            "1/0/credit_notice",
            *(f"0/{number}/each_miss" for number in range(1, 6)),
        ):
            went_out = [state for claim, _, state, _ in life.sent if claim == name]
            arrived = [state for state in went_out if state in ("accepted", "shadow")]
            assert len(arrived) <= 1
            assert arrived or life.ledger.claims[name].decisions, f"{name} was forgotten (seed {seed})"


def test_without_facts_and_with_a_willing_gate_the_ladder_is_climbed_in_order() -> None:
    life = Life(terms_of(*schedule(MARCH)), SPRING_LADDER, [], Random(7), permits=1.0, failures=False, arrives=True)

    life.live(morning(MARCH + timedelta(days=90)))

    assert [
        "0/1/three_days_before",
        "0/1/due_day",
        "1/0/early",
        "1/0/second",
        "1/0/formal_notice",
        "1/0/credit_notice",
    ] == [claim for claim, *_ in life.sent]
    assert "review" == life.ledger.claims["1/0/referral"].state


def test_after_it_is_paid_nothing_goes_out_and_after_a_reversal_the_same_episode_goes_on() -> None:
    paid_on, bounced_on = 24 * (days(BEFORE.date(), 400).index(MARCH) + 12), 24 * 100
    facts = [
        Happening(paid_on, "payment", {"id": "PAID", "amount": "100.00", "currency": "EUR"}),
        Happening(bounced_on, "reversal", {"payment": "PAID"}),
    ]
    life = Life(terms_of(*schedule(MARCH)), SPRING_LADDER, facts, Random(1), permits=1.0, failures=False, arrives=True)

    life.live(morning(MARCH + timedelta(days=90)))

    paid, bounced = BEFORE + timedelta(hours=paid_on), BEFORE + timedelta(hours=bounced_on)
    assert [] == [claim for claim, _, _, at in life.sent if paid <= at < bounced]
    assert ["1/0/formal_notice"] == [claim for claim, *_ in life.sent if claim.endswith("formal_notice")]
    assert "1/0/credit_notice" in [claim for claim, _, _, at in life.sent if at >= bounced]


def test_notices_are_told_apart_by_their_rungs_own_rules() -> None:
    """The ladder of these lives holds every shape: per loan, episode and installment, with and without obligation."""
    shapes = {(one.per, one.mandatory, one.statutory) for one in DEMANDING.rungs}

    assert {
        ("loan", True, False),
        ("episode", True, True),
        ("installment", True, False),
        ("installment", True, True),
    } <= shapes
    assert notice("n", 3).mandatory
