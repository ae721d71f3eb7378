"""Where a book may stop."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import example, given
from hypothesis import strategies as st

from duecourse.engine.quiet_moments import LONGEST_STEP, MARGIN, OneByOne, Together, clear_of, next_stop

NOW = datetime(2027, 3, 1, 0, 0, tzinfo=UTC)
LATER = NOW + timedelta(days=30)


def at(hours: float) -> datetime:
    return NOW + timedelta(hours=hours)


def test_without_timers_the_book_goes_to_its_target_at_once() -> None:
    assert next_stop(NOW, LATER, []) == Together(LATER)


def test_a_silence_is_crossed_up_to_an_hour_before_its_end() -> None:
    assert next_stop(NOW, LATER, [at(100), at(200)]) == Together(at(99))


def test_a_day_with_timers_ends_in_its_last_wide_gap() -> None:
    assert next_stop(NOW, LATER, [at(9), at(10), at(12)]) == Together(at(24))


def test_the_book_stops_in_the_middle_of_a_gap_between_two_timers() -> None:
    assert next_stop(NOW, LATER, [at(9), at(19), at(23.9)]) == Together(at(14))


def test_a_target_next_to_a_timer_is_reached_loan_by_loan() -> None:
    assert next_stop(NOW, at(9.1), [at(9)]) == OneByOne(at(9.1))
    assert next_stop(NOW, at(8.9), [at(9)]) == OneByOne(at(8.9))


def test_where_timers_leave_no_hour_the_widest_gap_is_taken_loan_by_loan() -> None:
    every_half_hour = [at(n / 2) for n in range(1, 60)]
    assert isinstance(next_stop(NOW, LATER, every_half_hour), OneByOne)


def test_a_timer_that_is_overdue_counts_as_now() -> None:
    assert next_stop(NOW, LATER, [at(-5)]) == Together(at(24))


def test_a_loan_that_moves_alone_keeps_a_minute_after_its_own_timer() -> None:
    assert clear_of(at(9), at(9) + timedelta(seconds=20)) == at(9) + timedelta(minutes=1)
    assert clear_of(at(9), at(8)) == at(8)
    assert clear_of(at(9), at(10)) == at(10)
    assert clear_of(None, at(10)) == at(10)


@given(
    st.lists(st.integers(min_value=-3600, max_value=40 * 86400), max_size=20),
    st.integers(min_value=1, max_value=40 * 86400),
)
@example([5 * 3600], 6 * 3600)
def test_a_stop_goes_forward_and_never_further_than_a_day_past_the_first_timer(
    seconds: list[int], final_in: int
) -> None:
    """Whatever the timers are: progress, no target passed, no joint stop within an hour of a timer ahead."""
    timers = [NOW + timedelta(seconds=n) for n in seconds]
    final = NOW + timedelta(seconds=final_in)
    stop = next_stop(NOW, final, timers)
    assert NOW < stop.target <= final
    ahead = [max(timer, NOW) for timer in timers]
    if ahead and min(ahead) < stop.target:
        assert stop.target <= NOW + LONGEST_STEP
    if isinstance(stop, Together):
        assert all(abs(stop.target - timer) >= MARGIN for timer in ahead)


@given(
    st.lists(st.integers(min_value=0, max_value=86400), min_size=1, max_size=20),
    st.integers(min_value=1, max_value=40 * 86400),
)
def test_a_book_reaches_its_target_in_few_steps(seconds: list[int], final_in: int) -> None:
    """Timers that come again every day: at most two steps for each of them and day."""
    final = NOW + timedelta(seconds=final_in)
    now, steps = NOW, 0
    while now < final:
        day = now.replace(hour=0, minute=0, second=0)
        timers = [day + timedelta(days=n, seconds=second) for n in (0, 1) for second in seconds]
        now = next_stop(now, final, [timer for timer in timers if timer > now]).target
        steps += 1
    assert steps <= 2 * (final_in // 86400 + 1) * len(seconds) + 2
