"""What is stored comes back as it was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from duecourse.engine.payloads import LossyModelError, data_converter


class Paid(BaseModel):
    kind: Literal["paid"] = "paid"
    amount: Decimal
    note: str | None = None


class Held(BaseModel):
    kind: Literal["held"] = "held"
    until: date | None = None


class State(BaseModel):
    facts: list[Annotated[Paid | Held, Field(discriminator="kind")]] = []
    seen: dict[str, int | None] = {}
    maybe: tuple[int | None, ...] = ()
    at: datetime | None = None
    inner: State | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    state: State | None
    code: int


def there_and_back(value: Any, kind: type) -> Any:
    converter = data_converter.payload_converter
    return converter.from_payloads(converter.to_payloads([value]), [kind])[0]


facts = st.lists(
    st.one_of(
        st.builds(Paid, amount=st.decimals(allow_nan=False, allow_infinity=False), note=st.none() | st.text()),
        st.builds(Held, until=st.none() | st.dates()),
    ),
    max_size=4,
)
states = st.recursive(
    st.builds(State, facts=facts, inner=st.none()),
    lambda inner: st.builds(
        State,
        facts=facts,
        seen=st.dictionaries(st.text(max_size=5), st.none() | st.integers(), max_size=3),
        maybe=st.lists(st.none() | st.integers(), max_size=3).map(tuple),
        at=st.none() | st.datetimes(timezones=st.just(UTC)),
        inner=st.none() | inner,
    ),
    max_leaves=3,
)


@given(states)
def test_every_state_survives(state: State) -> None:
    assert there_and_back(state, State) == state


def test_a_list_filled_after_construction_survives() -> None:
    state = State()
    state.facts.append(Paid(amount=Decimal("1.10")))
    assert there_and_back(state, State).facts == [Paid(amount=Decimal("1.10"))]


def test_none_in_dataclasses_dictionaries_and_tuples_survives() -> None:
    assert there_and_back(Outcome(None, 3), Outcome) == Outcome(None, 3)
    state = State(seen={"a": None}, maybe=(None, 1))
    assert there_and_back(state, State) == state


def test_a_field_that_may_be_none_and_has_another_default_is_refused() -> None:
    class Lossy(BaseModel):
        tier: str | None = "standard"

    with pytest.raises(LossyModelError, match=r"Lossy\.tier"):
        there_and_back(Lossy(tier=None), Lossy)


def test_a_required_field_that_may_be_none_is_refused_wherever_it_hides() -> None:
    class Hidden(BaseModel):
        until: Annotated[date | None, Field(description="end")]

    class Outer(BaseModel):
        parts: dict[str, Sequence[Hidden]] = {}

    with pytest.raises(LossyModelError, match=r"Hidden\.until"):
        there_and_back(Outer(), Outer)
