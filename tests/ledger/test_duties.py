"""A mandatory notice goes by the ladder, else by another channel, else by a person in time: nothing falls between."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from duecourse.ledger import duties, published, queries, settings
from duecourse.ledger.duties import Duty
from duecourse.ledger.outcomes import Reserved, Settled
from duecourse.ledger.recording import take_in
from duecourse.ledger.registration import register_borrower
from duecourse.loans.facts import Contacted, HoldPlaced, Reversal
from duecourse.loans.recorded import PastMilestone, PastNotice
from duecourse.sweep import sweep, sweep_on
from duecourse.treatments.ladder import Ladder
from tests.ledger.world import LENDER, PACK, Book, ask, mei, only, payment, rung

LATE = datetime(2026, 2, 12, 4, tzinfo=UTC)  # noon in Singapore, two days past due since Tuesday 10 February
RULE = """
  - id: {id}
    text: {{en: Notice, zh: 通知}}
    citation: {{title: "Test: notice"}}
    grade: "-"
    strength: ban
    coverage: {{channels: [letter, email, sms]}}
    versions:
      - in_force: 2020-01-01
        notice: {notice}
"""
ARREARS = "{trigger: past_due, latest_days: 14, forms: [email, letter]}"
FURNISHED = "{trigger: milestone, milestone: furnished, latest_days: 30, forms: [letter]}"


def law(book: Book, notice: str, rule: str = "T-NOTICE", rules: str = PACK["test/rules.yaml"]) -> None:
    book.ledger.transact(published.publish, {**PACK, "test/rules.yaml": rules + RULE.format(id=rule, notice=notice)})


def climbs(offset: int = 3, **changes: Any) -> Ladder:
    """A ladder whose one rung serves T-NOTICE so many days past due."""
    fields = {"channels": ["email", "letter"], "purpose": "notice", "obligation": "T-NOTICE", "catch_up": "in_order"}
    return only(rung("serve", "past_due", offset, **(fields | changes)))


def look(book: Book, now: datetime = LATE) -> list[Duty]:
    """What a person must see to after a sweep."""
    asyncio.run(sweep(book.ledger, now))
    return [one.duty for one in book.ledger.consult(duties.open_duties)]


def record(book: Book, *fields: dict[str, Any], now: datetime = LATE) -> None:
    kinds: dict[str, type[PastMilestone] | type[PastNotice]] = {"milestone": PastMilestone, "notice": PastNotice}
    records = [kinds[one["kind"]].model_validate({"lender": LENDER, "borrower": "B-MEI", **one}) for one in fields]
    assert () == book.ledger.transact(take_in, LENDER, "B-MEI", records, now).refused


def test_a_notice_that_no_step_of_the_ladder_serves_is_a_person_s_from_the_day_it_arises(book: Book) -> None:
    law(book, ARREARS)
    book.register("A")
    (duty,) = look(book)
    assert ("T-NOTICE", "no_step", date(2026, 2, 25)) == (duty.rule, duty.why, duty.latest)
    assert ("email", "letter") == duty.forms


def test_before_it_arises_there_is_none(book: Book) -> None:
    law(book, ARREARS)
    book.register("A")
    assert [] == look(book, datetime(2026, 2, 9, 4, tzinfo=UTC))


def test_while_the_ladder_serves_it_in_time_nobody_is_troubled(book: Book) -> None:
    law(book, ARREARS)
    book.register("A", climbs=climbs())
    assert [] == look(book)


def test_a_step_that_falls_due_after_the_person_s_day_is_said_at_once(book: Book) -> None:
    """Past due since the 11th, 14 days end on the 25th; three business days before it is Friday the 20th."""
    law(book, ARREARS)
    book.register("A", climbs=climbs(12))
    (duty,) = look(book)
    assert ("step_too_late", date(2026, 2, 20)) == (duty.why, duty.task_by)


def test_a_person_has_it_three_business_days_before_the_deadline_whatever_kept_the_ladder(book: Book) -> None:
    """All sends are paused, so that the step never goes out."""
    law(book, ARREARS)
    book.register("A", climbs=climbs())
    book.ledger.transact(settings.pause_all, LATE)
    assert [] == look(book, datetime(2026, 2, 19, 15, 59, tzinfo=UTC))
    (duty,) = look(book, datetime(2026, 2, 19, 16, tzinfo=UTC))
    assert ("not_served", date(2026, 2, 20)) == (duty.why, duty.task_by), "midnight in Singapore"


def test_where_less_remains_it_is_a_person_s_at_once(book: Book) -> None:
    law(book, ARREARS)
    book.register("A", climbs=climbs())
    (duty,) = look(book, datetime(2026, 2, 23, 4, tzinfo=UTC))
    assert ("not_served", date(2026, 2, 23)) == (duty.why, duty.task_by)


def test_a_hold_that_stops_the_notice_does_not_stop_the_person(book: Book) -> None:
    """The rung waits for the hold to be lifted; on the person's day somebody hears of it."""
    law(book, ARREARS)
    book.register("A", climbs=climbs())
    hold = HoldPlaced(id="h", at=LATE, hold="H", cause="dispute", starts=date(2026, 2, 12))
    book.record("A", hold, LATE)
    due = datetime(2026, 2, 13, 4, tzinfo=UTC)
    result = book.reserve(ask("A", "serve", due, channel="email"), due)
    assert isinstance(result, Settled)
    assert "withheld" == result.outcome
    assert [] == look(book, due)
    assert ["not_served"] == [one.why for one in look(book, datetime(2026, 2, 20, 4, tzinfo=UTC))]


def test_served_or_paid_it_is_settled(book: Book) -> None:
    law(book, ARREARS)
    for name, debtor in (("A", "B-MEI"), ("B", "B-BO")):
        book.ledger.transact(register_borrower, LENDER, mei(id=debtor))
        book.register(name, debtor=debtor)
    assert 2 == len(look(book))
    served = {
        "kind": "notice",
        "at": "2026-02-12T03:00:00Z",
        "obligation": "T-NOTICE",
        "loan": "A",
        "channel": "letter",
    }
    record(book, served)
    book.record("B", payment("p"), LATE)
    assert [] == look(book)


def test_a_payment_that_bounces_opens_it_again(book: Book) -> None:
    law(book, ARREARS)
    book.register("A")
    assert 1 == len(look(book))
    book.record("A", payment("p", at=LATE), LATE)
    assert [] == look(book)
    book.record("A", Reversal(id="r", at=LATE, payment="p"), LATE)
    assert ["T-NOTICE"] == [one.rule for one in look(book, LATE + timedelta(hours=1))]


def test_a_milestone_brings_its_notice(book: Book) -> None:
    law(book, FURNISHED)
    book.register("A")
    assert [] == look(book), "known, and none"
    record(book, {"kind": "milestone", "milestone": "furnished", "loan": "A", "on": "2026-02-11"})
    (duty,) = look(book)
    assert ("no_step", date(2026, 3, 13)) == (duty.why, duty.latest)


def test_unknown_milestones_are_a_person_s_question_and_no_silence(book: Book) -> None:
    law(book, FURNISHED)
    book.ledger.transact(register_borrower, LENDER, mei(history="unknown"))
    book.register("A")
    (duty,) = look(book)
    assert ("unknown", "milestones", None) == (duty.why, duty.unknown, duty.latest)


def test_an_unknown_history_is_a_person_s_question_and_no_silence(book: Book) -> None:
    law(book, ARREARS)
    book.ledger.transact(register_borrower, LENDER, mei(history="unknown"))
    book.register("A", climbs=climbs())
    (duty,) = look(book)
    assert ("unknown", "history") == (duty.why, duty.unknown)


def test_a_rung_that_became_a_task_is_not_asked_for_twice(book: Book) -> None:
    law(book, ARREARS)
    book.ledger.transact(register_borrower, LENDER, mei(email=None, address=()))
    book.register("A", climbs=climbs())
    due = datetime(2026, 2, 13, 4, tzinfo=UTC)
    result = book.reserve(ask("A", "serve", due, channel="email"), due)
    assert isinstance(result, Settled)
    assert "task" == result.outcome
    assert ["serve"] == [one.rung for one in book.ledger.consult(queries.list_tasks)]
    assert [] == look(book, datetime(2026, 2, 20, 4, tzinfo=UTC))


def test_a_notice_barred_on_one_channel_until_after_its_deadline_goes_by_the_other(book: Book) -> None:
    """E-mail is closed to notices until March; the letter is not."""
    march = (
        PACK["test/rules.yaml"]
        + """
  - id: T-NO-MAIL
    text: {en: No mail, zh: 无邮件}
    citation: {title: "Test: no mail"}
    grade: "-"
    strength: ban
    coverage: {channels: [email]}
    versions:
      - in_force: 2020-01-01
        ended: 2026-03-02
        cap: {limit: 0, window: {days: 1}, per: person}
"""
    )
    law(book, ARREARS, rules=march)
    book.register("A", climbs=climbs())
    due = datetime(2026, 2, 13, 4, tzinfo=UTC)
    first = book.reserve(ask("A", "serve", due, channel="email"), due)
    assert isinstance(first, Settled)
    assert ("try_next", "letter") == (first.outcome, first.next_channel)
    second = book.reserve(ask("A", "serve", due, channel="letter", seq=len(book.rows("A"))), due)
    assert isinstance(second, Reserved)


def test_a_notice_that_went_out_is_not_asked_for(book: Book) -> None:
    law(book, ARREARS)
    book.register("A", climbs=climbs())
    due = datetime(2026, 2, 13, 4, tzinfo=UTC)
    book.send(ask("A", "serve", due, channel="email"), due)
    assert isinstance(book.rows("A")[-1], Contacted)
    assert [] == look(book, datetime(2026, 2, 23, 4, tzinfo=UTC))


def test_a_sweep_comes_round_each_hour_and_goes_through_every_page(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    law(book, ARREARS)
    for number in range(duties.PAGE * 4 + 3):
        book.register(f"N{number:03}")

    async def rounds(now: datetime) -> int:
        after, done = await sweep_on(book.ledger, now, None), 1
        while after is not None:
            after, done = await sweep_on(book.ledger, now, after), done + 1
        return done

    assert 2 == asyncio.run(rounds(LATE))
    assert duties.PAGE * 4 + 3 == len(book.ledger.consult(duties.open_duties))
    assert LATE == book.ledger.consult(duties.swept_at)
    book.register("Z")
    asyncio.run(rounds(LATE + timedelta(minutes=59)))
    assert "Z" not in {one.loan for one in book.ledger.consult(duties.open_duties)}
    asyncio.run(rounds(LATE + timedelta(hours=1)))
    assert "Z" in {one.loan for one in book.ledger.consult(duties.open_duties)}
