"""Providers that refuse, fail, or keep silent; and the switches that keep us from calling them."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from duecourse import client as dc
from duecourse.ledger import queries
from duecourse.loans.loan import RECEIPT_TIMEOUT
from duecourse.sandbox.faults import Drop, Fail
from tests.e2e.house import House, local, morning, until
from tests.e2e.ladders import ladder, notice, rung

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

DUE = date(2031, 3, 13)
ONE_SMS = ladder(rung("remind", -3))
SMS_NOTICE = ladder(notice("notice", 2, "sms", "email", "letter"))
MAIL_NOTICE = ladder(notice("notice", 2, "email", "sms", "letter"))
WRONG_NUMBER = Fail(channel="sms", status=400, code=21211)


@pytest.mark.parametrize(
    "fault",
    [
        Fail(channel="sms", status=429, code=20429, retry_after=60),
        Fail(channel="sms", status=503, code=20503),
        Fail(channel="sms", status=500),  # says neither yes nor no: looked up first
        Drop(channel="sms", when="before_acceptance"),
    ],
    ids=["429", "503", "500", "dropped"],
)
async def test_a_gateway_in_trouble_delays_an_sms_and_never_doubles_it(house: House, fault: Fail | Drop) -> None:
    await house.start(due=DUE, ladder=ONE_SMS)
    house.sandbox.misbehave(fault.model_copy(update={"times": 2}))
    await house.to(morning(DUE))
    assert [(name, message.channel) for name, message in house.received()] == [("remind", "sms")]
    assert local(house.received()[0][1]).date() == DUE - timedelta(days=3)
    assert not house.sandbox.repeats().by_text
    assert house.outcomes()[-1] == ("remind", "sms", "accepted")


async def test_an_sms_whose_answer_was_lost_is_found_again(house: House) -> None:
    """The gateway took it and the line broke: it is looked up, and not sent twice."""
    await house.start(due=DUE, ladder=ONE_SMS)
    house.sandbox.misbehave(Drop(channel="sms", when="after_acceptance"))
    await house.to(morning(DUE))
    assert [name for name, _ in house.received()] == ["remind"]
    assert house.contact_states() == [("remind", "sms", "accepted")]


async def test_a_mail_whose_answer_was_lost_stays_unknown_and_an_optional_one_ends_there(house: House) -> None:
    """SMTP cannot be asked: a reminder that may have arrived is not sent again."""
    await house.start(due=DUE, ladder=ladder(rung("remind", -3, "email", "sms")))
    house.sandbox.misbehave(Drop(channel="email", when="after_acceptance"))
    await house.to(morning(DUE + timedelta(days=3)))
    assert house.contact_states() == [("remind", "email", "unknown")]
    assert len(house.received()) == 1


async def test_a_mandatory_notice_that_is_unknown_goes_by_another_channel(house: House) -> None:
    """After the time in which a receipt would have come, and never by the same channel; both count."""
    await house.start(due=DUE, ladder=MAIL_NOTICE)
    house.sandbox.misbehave(Drop(channel="email", when="after_acceptance"))
    await house.to(morning(DUE + timedelta(days=6)))
    assert house.contact_states() == [("notice", "email", "unknown"), ("notice", "sms", "accepted")]
    first, second = house.contacts()
    assert second.at - first.at >= RECEIPT_TIMEOUT
    assert [message.channel for _, message in house.received()] == ["email", "sms"]


async def test_a_refused_address_sends_a_mandatory_notice_by_the_next_channel(house: House) -> None:
    """The number is given up for good, also for later rungs; the notice is owed all the same."""
    steps = ladder(notice("notice", 2, "sms", "email"), rung("late", 5, "sms"))
    await house.start(due=DUE, ladder=steps)
    house.sandbox.misbehave(WRONG_NUMBER)
    await house.to(morning(DUE + timedelta(days=9)))
    assert [(name, message.channel) for name, message in house.received()] == [("notice", "email")]
    assert ("notice", "sms", "try_next") in house.outcomes()
    assert house.outcomes()[-1] == ("late", "sms", "withheld")


async def test_a_notice_that_no_channel_takes_becomes_a_task_for_a_person(house: House) -> None:
    await house.start(due=DUE, ladder=ladder(notice("notice", 2, "sms", "email")))
    house.sandbox.misbehave(WRONG_NUMBER)
    house.sandbox.misbehave(Fail(channel="email", status=550, stage="recipient"))
    await house.to(morning(DUE + timedelta(days=5)))
    assert house.received() == []
    assert house.outcomes()[-1][2] == "task"
    (task,) = house.ledger.consult(queries.list_tasks)
    assert (task.loan, task.rung) == ("L1", "notice")


async def test_sending_off_records_everything_and_calls_nobody(empty_house: House) -> None:
    """How a lender tries the system beside its old one: each message decided and worded, none sent."""
    house = empty_house
    async with house.workers(sending="off"):
        await house.start(due=DUE, ladder=ladder(rung("remind", -3), notice("notice", 2, "email", "letter")))
        await house.to(morning(DUE + timedelta(days=4)))
    assert house.sandbox.received() == []
    assert house.contact_states() == [("remind", "sms", "shadow"), ("notice", "email", "shadow")]
    assert all(one.message is not None and "100.00" in one.message.text for one in house.contacts())


async def test_only_addresses_on_the_allow_list_are_reached(empty_house: House) -> None:
    house = empty_house
    async with house.workers(sending="allowlist", allowed="+8613800138001"):
        await house.start("mine", due=DUE, ladder=ONE_SMS, borrower="B1")
        await house.start("other", due=DUE, ladder=ONE_SMS, borrower="B2")
        await house.to(morning(DUE))
    assert [message.address for message in house.sandbox.received()] == ["+8613800138001"]
    assert house.contact_states("other") == [("remind", "sms", "shadow")]


async def test_pause_all_stops_sends_and_resume_lets_them_go(house: House) -> None:
    """Paused, each rung is deferred with that reason; resumed in its life, it goes out."""
    await house.start(due=DUE, ladder=ladder(rung("remind", -3, life_days=3)))
    await dc.pause_all(house.session)
    await house.to(morning(DUE - timedelta(days=2)))
    assert house.received() == []
    assert {outcome for _, _, outcome in house.outcomes()} == {"deferred"}
    assert ("defer", "ledger:pause_all") in house.ledger.consult(queries.count_verdicts)

    await dc.resume_all(house.session)
    await house.to(morning(DUE - timedelta(days=1)))
    assert [(name, local(message).date()) for name, message in house.received()] == [
        ("remind", DUE - timedelta(days=2))
    ]


async def test_a_pause_stops_the_next_attempt_of_a_contact_under_way(house: House) -> None:
    await house.start(due=DUE, ladder=ONE_SMS)
    house.sandbox.misbehave(Fail(channel="sms", status=429, code=20429, times=1000))
    await house.to_just_before_next()

    async def repeated() -> bool:
        return await house.pending_attempt() >= 2

    await until(repeated, "the contact is tried again")
    await dc.pause_all(house.session)
    house.sandbox.behave()
    await until(lambda: house.outcomes() != [], "the next attempt is decided")
    assert house.outcomes() == [("remind", "sms", "deferred")]
    assert house.received() == []
