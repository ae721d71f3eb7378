"""After an outage, or at the import of an overdue book: what still goes out, and the reason of what does not."""

from __future__ import annotations

from datetime import date, timedelta

from duecourse.treatments.ladder import Anchor, CatchUp
from tests.loans.examples import (
    MARCH,
    SPRING_LADDER,
    Told,
    claim_at,
    ladder_of,
    morning,
    notice,
    rung,
    schedule,
    spring,
    terms_of,
)


class TestCatchUp:
    LATE = date(2026, 3, 8)

    def answers(self, told: Told, day: date) -> list[tuple[str, str]]:
        """Every step of one day, with the silence that would be recorded instead of a contact."""
        found = []
        while claim := claim_at(told, day):
            episode, installment, name = claim.split("/")
            one = told.loan.owes(episode, installment, name, morning(day))
            assert one is not None
            over = told.loan.silence(one, morning(day))
            found.append((claim, over or "sent"))
            if over:
                told.decided(claim, over, day)
            else:
                told.contacted(claim, "accepted", day)
        return found

    def test_after_an_outage_only_the_latest_goes_out_and_the_others_get_their_reason_once(self) -> None:
        told = spring(
            rung("one", Anchor.DELINQUENT, 1, life_days=20),
            rung("two", Anchor.DELINQUENT, 3, life_days=20),
            rung("three", Anchor.DELINQUENT, 5, life_days=20),
        )

        assert [("1/0/one", "overtaken"), ("1/0/two", "overtaken"), ("1/0/three", "sent")] == self.answers(
            told, self.LATE
        )
        assert [] == self.answers(told, self.LATE)

    def test_in_order_all_go_out_oldest_first(self) -> None:
        told = spring(
            rung("one", Anchor.DELINQUENT, 1, life_days=20, catch_up="in_order"),
            rung("two", Anchor.DELINQUENT, 3, life_days=20, catch_up="in_order"),
        )

        assert [("1/0/one", "sent"), ("1/0/two", "sent")] == self.answers(told, self.LATE)

    def test_a_rung_whose_life_is_over_is_recorded_as_expired(self) -> None:
        told = spring(rung("one", Anchor.DELINQUENT, 1, life_days=3))

        assert [("1/0/one", "sent")] == self.answers(
            spring(rung("one", Anchor.DELINQUENT, 1, life_days=3)), date(2026, 3, 4)
        )
        assert [("1/0/one", "expired")] == self.answers(told, date(2026, 3, 5))

    def test_a_rung_that_is_skipped_rather_than_caught_up_goes_out_on_its_day_or_not_at_all(self) -> None:
        greeting = rung("one", Anchor.DELINQUENT, 1, life_days=20, catch_up=CatchUp.SKIP_AND_RECORD)

        assert [("1/0/one", "sent")] == self.answers(spring(greeting), date(2026, 3, 2))
        assert [("1/0/one", "expired")] == self.answers(spring(greeting), date(2026, 3, 3))

    def test_a_rung_that_was_withheld_until_its_end_has_its_reason_already(self) -> None:
        told = spring(rung("one", Anchor.DELINQUENT, 1, life_days=3))
        told.decided("1/0/one", "withheld", date(2026, 3, 2), wake=("consent",))

        assert [] == self.answers(told, date(2026, 3, 9))

    def test_a_deferred_rung_that_an_outage_outlived_gets_its_end(self) -> None:
        """Its last verdict says "tomorrow at nine", which is no reason why nothing came."""
        told = spring(rung("one", Anchor.DELINQUENT, 1, life_days=3))
        told.decided("1/0/one", "deferred", date(2026, 3, 2), opens=morning(date(2026, 3, 3)))

        assert [("1/0/one", "expired")] == self.answers(told, date(2026, 3, 9))
        assert [] == self.answers(told, date(2026, 3, 9))

    def test_a_mandatory_notice_is_neither_overtaken_nor_over(self) -> None:
        told = spring(notice("one", 1), notice("two", 3))

        assert [("1/0/one", "sent"), ("1/0/two", "sent")] == self.answers(told, date(2026, 9, 9))

    def test_another_purpose_overtakes_nothing(self) -> None:
        told = spring(
            rung("one", Anchor.DELINQUENT, 1, life_days=20),
            rung("two", Anchor.DELINQUENT, 3, life_days=20, purpose="collection"),
        )

        assert [("1/0/one", "sent"), ("1/0/two", "sent")] == self.answers(told, self.LATE)

    def test_an_imported_overdue_book_skips_what_lies_before_it_and_says_so(self) -> None:
        start = morning(date(2026, 3, 20))
        told = Told(terms_of(*schedule(MARCH), active_from=start, disbursed_on=date(2026, 1, 1)), SPRING_LADDER)

        skipped = [f"{row.episode}/{row.installment}/{row.rung}" for row in told.loan.onboarding(start)]

        assert ["0/0/welcome", "0/1/three_days_before", "0/1/due_day", "1/0/early"] == skipped
        assert {"skipped"} == {row.outcome for row in told.loan.onboarding(start)}
        for claim in skipped:
            told.decided(claim, "skipped", start)
        assert [("1/0/formal_notice", "sent"), ("1/0/credit_notice", "sent"), ("1/0/second", "sent")] == self.answers(
            told, start.date()
        )

    def test_what_the_old_system_sent_is_neither_skipped_nor_repeated(self) -> None:
        start = morning(date(2026, 3, 20))
        told = Told(terms_of(*schedule(MARCH), active_from=start, disbursed_on=date(2026, 1, 1)), SPRING_LADDER)
        told.settle("0/0/welcome", "0/1/three_days_before", "0/1/due_day")
        told.settle("1/0/early", "1/0/second", "1/0/formal_notice", "1/0/credit_notice")

        assert () == told.loan.onboarding(start)
        assert [] == self.answers(told, start.date())

    def test_a_reminder_that_nobody_sent_before_the_miss_is_recorded_as_overtaken_once(self) -> None:
        """The ladder of the episode speaks from then on; without a record the reminder's silence had no reason."""
        told = spring(rung("three_days_before", Anchor.DUE, -3, life_days=30))

        assert [("0/1/three_days_before", "overtaken")] == self.answers(told, MARCH + timedelta(days=1))
        assert [] == self.answers(told, MARCH + timedelta(days=2))

    def test_a_statutory_notice_is_never_skipped_at_onboarding(self) -> None:
        start = morning(date(2026, 6, 20))
        told = Told(terms_of(*schedule(MARCH), active_from=start), SPRING_LADDER)

        assert "credit_notice" not in [row.rung for row in told.loan.onboarding(start)]

    def test_skipped_rows_are_valid_facts_however_long_the_ids_are(self) -> None:
        start = morning(date(2026, 3, 20))
        long = schedule(MARCH)[0].model_copy(update={"id": "i" * 64})
        ladder = ladder_of(rung("r" * 48, Anchor.DELINQUENT, 1, catch_up=CatchUp.SKIP_AND_RECORD))
        told = Told(terms_of(long, active_from=start), ladder)

        (row,) = told.loan.onboarding(start)
        assert len(row.id) <= 128
