"""One truth: the same rows in any order, with any repetition, by any wire, are the same loan."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from random import Random
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from duecourse.loans.facts import FACT, Fact, FromOutside, Outcome, Payment
from duecourse.loans.loan import Loan
from tests.loans.examples import BEFORE, MARCH, SPRING, SPRING_LADDER, Told, morning, schedule, terms_of
from workflows.contracts import ContactResult, FactsMessage, LoanInput

NAMES = st.sampled_from(["P1", "P2", "P3"])
DAYS = st.integers(0, 120).map(lambda number: MARCH + timedelta(days=number - 20))
INSTANTS: st.SearchStrategy[Any] = st.integers(0, 120 * 24).map(
    lambda number: BEFORE + timedelta(days=50, hours=number)
)
MONEY = st.sampled_from(["0.01", "50.00", "100.00", "300.00"])
CHANNELS = st.sampled_from(["sms", "email", "letter"])
CLAIMS = st.sampled_from(
    [
        ("1", "0", "formal_notice"),
        ("1", "0", "credit_notice"),
        ("1", "0", "early"),
        ("0", "1", "due_day"),
        ("1", "0", "referral"),
    ]
)
WAKE = st.lists(st.sampled_from(["payment", "consent", "hold_lifted"]), max_size=2).map(tuple)


def kinds() -> list[type]:
    return [*get_args(FromOutside), *get_args(Outcome)]


def claim() -> st.SearchStrategy[dict[str, Any]]:
    return CLAIMS.map(lambda names: dict(zip(("episode", "installment", "rung"), names, strict=True)))


def make(fields: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(fields)


def fields_of(kind: str) -> st.SearchStrategy[dict[str, Any]]:
    """Valid fields of a kind, from few enough values that rows contradict and repeat each other."""
    currency = st.just("EUR")
    match kind:
        case "payment":
            return make({"id": NAMES, "amount": MONEY, "currency": currency, "value_on": st.none() | DAYS})
        case "reversal":
            return make({"payment": NAMES})
        case "hold_placed":
            start, length = DAYS, st.none() | st.integers(1, 60)
            rest = make(
                {
                    "hold": NAMES,
                    "cause": st.sampled_from(["dispute", "forbearance"]),
                    "days": st.sampled_from(["paused", "counted"]),
                }
            )
            return st.tuples(rest, start, length).map(
                lambda parts: (
                    parts[0]
                    | {"starts": parts[1], "ends": None if parts[2] is None else parts[1] + timedelta(days=parts[2])}
                )
            )
        case "hold_lifted":
            return make({"hold": NAMES, "on": DAYS})
        case "promise":
            return make(
                {
                    "id": NAMES,
                    "amount": MONEY,
                    "currency": currency,
                    "by": DAYS,
                    "tolerance": st.sampled_from(["0", "5.00"]),
                }
            )
        case "consent" | "opt_out":
            return make({"channel": st.sampled_from(["sms", "*"]), "contact_point": st.sampled_from(["*", "cp-1"])})
        case "schedule_changed":
            moved = DAYS.map(lambda day: schedule(day, day + timedelta(days=30)))
            return make({"version": st.integers(2, 4), "installments": moved})
        case "approval":
            return st.tuples(claim(), make({"answer": st.sampled_from(["approved", "refused"]), "by": NAMES})).map(
                lambda pair: pair[0] | pair[1]
            )
        case "closed":
            return make({"reason": st.sampled_from(["sold", "settled"])})
        case "decided":
            outcome = st.sampled_from(
                ["deferred", "withheld", "review", "try_next", "failed", "expired", "overtaken", "skipped", "task"]
            )
            rest = make(
                {
                    "outcome": outcome,
                    "channel": CHANNELS,
                    "opens": st.none() | INSTANTS,
                    "closes": st.none() | INSTANTS,
                    "wake": WAKE,
                    "next_channel": st.none() | CHANNELS,
                    "rule": st.just("US-F-03"),
                }
            )
            return st.tuples(claim(), rest).map(lambda pair: pair[0] | pair[1])
        case "contacted":
            state = st.sampled_from(["accepted", "delivered", "failed", "unknown", "shadow"])
            rest = make({"state": state, "channel": CHANNELS, "contact": st.sampled_from(["c1", "c2"])})
            return st.tuples(claim(), rest).map(lambda pair: pair[0] | pair[1])
        case _:
            raise AssertionError(f"no example of a fact of kind {kind!r}: add one here")


def kind_of(model: type) -> str:
    return str(model.model_fields["kind"].default)  # type: ignore[attr-defined]


@st.composite
def histories(draw: st.DrawFn) -> list[Fact]:
    rows: list[Fact] = []
    for seq in range(1, draw(st.integers(1, 16)) + 1):
        kind = kind_of(draw(st.sampled_from(kinds())))
        base = {"id": f"row-{seq}", "at": draw(INSTANTS), "loan_seq": seq, "kind": kind}
        rows.append(FACT.validate_python(base | draw(fields_of(kind))))
    return rows


TERMS = terms_of(*SPRING.installments, disbursed_on=BEFORE.date(), grace_days=1)
CAREFUL = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@CAREFUL
@given(histories(), st.integers(0, 2**32), INSTANTS)
def test_any_order_and_repetition_of_the_same_rows_gives_the_same_loan(rows: list[Fact], seed: int, now: Any) -> None:
    chance = Random(seed)
    shuffled = [*rows, *chance.choices(rows, k=3)]
    chance.shuffle(shuffled)
    straight, crooked = Loan.fold(TERMS, SPRING_LADDER, rows), Loan.new(TERMS, SPRING_LADDER)
    for row in shuffled:
        crooked.apply(row)

    assert straight == crooked
    assert len(rows) == crooked.seq
    assert straight.next(now) == crooked.next(now)
    assert straight.stage(now) == crooked.stage(now)
    assert straight.upcoming(now) == crooked.upcoming(now)


@CAREFUL
@given(histories(), INSTANTS)
def test_a_loan_survives_the_wire_that_it_continues_as_new_over(rows: list[Fact], now: Any) -> None:
    loan = Loan.fold(TERMS, SPRING_LADDER, rows)

    carried = LoanInput.model_validate_json(LoanInput(loan=loan, tier="low").model_dump_json()).loan

    assert loan == carried
    assert loan.next(now) == carried.next(now)


@pytest.mark.parametrize("kind", [kind_of(model) for model in kinds()])
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_every_kind_of_fact_survives_json_alone_and_inside_the_messages(kind: str, data: st.DataObject) -> None:
    """Without the discriminator, a reversal with the fields of another kind would decode as that kind."""
    base = {"id": "F", "at": morning(MARCH), "loan_seq": data.draw(st.none() | st.integers(1, 9)), "kind": kind}
    row = FACT.validate_python(base | data.draw(fields_of(kind)))

    wires: list[Callable[[Fact], Fact]] = [
        lambda fact: FACT.validate_json(FACT.dump_json(fact)),
        lambda fact: FactsMessage.model_validate_json(FactsMessage(batch=(fact,)).model_dump_json()).batch[0],
        lambda fact: ContactResult.model_validate_json(
            ContactResult(outcome="sent", rows=(fact,)).model_dump_json()
        ).rows[0],
    ]
    for wire in wires:
        assert row == wire(row)
        assert type(row) is type(wire(row))


def test_a_row_that_the_ledger_never_saw_is_refused() -> None:
    loan = Loan.new(SPRING, SPRING_LADDER)
    unrecorded = FACT.validate_python(
        {"kind": "payment", "id": "CASH", "at": BEFORE, "amount": "1.00", "currency": "EUR"}
    )

    with pytest.raises(ValueError, match="record it in the ledger first"):
        loan.apply(unrecorded)


def test_the_sequence_stands_where_nothing_below_it_is_missing() -> None:
    """With "the highest seen" instead, the rows between would never be asked for again."""
    told = Told()
    for _ in range(4):
        told.pays("1.00", date(2026, 2, 1))
    late = Loan.new(SPRING, SPRING_LADDER)

    for place, seq in ((0, 1), (2, 1), (3, 1), (1, 4)):
        late.apply(told.rows[place])
        assert seq == late.seq


def test_of_two_rows_with_one_id_the_first_of_the_sequence_stands() -> None:
    told = Told()
    told.tell("payment", BEFORE, id="CASH", amount="10.00", currency="EUR")
    told.tell("payment", BEFORE, id="CASH", amount="99.00", currency="EUR")
    backwards = Loan.fold(SPRING, SPRING_LADDER, reversed(told.rows))

    assert "10.00" == str(backwards.paid()) == str(told.loan.paid())


def test_money_is_decimal_on_the_wire_too() -> None:
    row = FACT.validate_json('{"kind":"payment","id":"F","at":"2026-03-01T00:00:00Z","amount":"0.10","currency":"EUR"}')

    assert isinstance(row, Payment)
    assert '"0.10"' in FACT.dump_json(row).decode()
