"""China: the national standard, the association's guideline, the notice before a bad record is reported."""

from __future__ import annotations

from typing import Any

import pytest

from tests.compliance.situations import CHINA, call, rules, verdict

NUMBER = "+8613800138000"


def dialled(at: str, result: str = "no_answer", **more: Any) -> dict[str, Any]:
    return call(at, result, **({"address": NUMBER} | more))


@pytest.mark.parametrize(
    ("at", "expected", "until"),
    [
        ("2026-03-10T21:59:59+08:00", "permit", None),
        ("2026-03-10T22:00:00+08:00", "defer", "2026-03-11T00:00:00Z"),  # the ban begins at 22:00 itself
        ("2026-03-10T22:05:00+08:00", "defer", "2026-03-11T00:00:00Z"),
        ("2026-03-11T07:59:59+08:00", "defer", "2026-03-11T00:00:00Z"),
        ("2026-03-11T08:00:00+08:00", "permit", None),
    ],
)
def test_no_collection_between_22_and_8_by_the_clock_of_the_whole_country(
    at: str, expected: str, until: str | None
) -> None:
    for zones in (["Asia/Shanghai"], ["Asia/Urumqi"], []):
        answer = verdict(CHINA, at=at, zones=zones)
        assert (expected, until) == (answer["verdict"], answer.get("until"))
        if until:
            assert "CN-02" in rules(answer, "defer")


def test_the_last_second_of_a_permit_is_the_one_before_22() -> None:
    assert "2026-03-10T13:59:59Z" == verdict(CHINA)["closes"]


def test_agreed_hours_open_the_night_and_a_plain_consent_does_not() -> None:
    at = "2026-03-10T22:30:00+08:00"
    consent = {"channel": "call", "address": "*", "state": "given", "at": "2026-03-01T00:00:00Z"}
    assert "defer" == verdict(CHINA, at=at, consents=[consent])["verdict"]
    agreed = verdict(CHINA, at=at, consents=[{**consent, "about": "hours"}])
    assert ("permit", ["CN-02"]) == (agreed["verdict"], rules(agreed, "allow"))
    taken_back = [{**consent, "about": "hours"}, {**consent, "about": "hours", "state": "revoked", "at": at}]
    assert "defer" == verdict(CHINA, at=at, consents=taken_back)["verdict"]


def test_the_guideline_binds_only_the_lenders_that_hold_it() -> None:
    at = "2026-03-10T22:30:00+08:00"
    member = {"role": "creditor", "agreements": ["cn/banking_association"]}
    assert ["CN-02"] == rules(verdict(CHINA, at=at), "defer")
    assert ["CN-02", "CN-07"] == rules(verdict(CHINA, at=at, lender=member), "defer")


def test_three_connected_calls_a_day_and_the_fourth_waits_for_tomorrow_morning() -> None:
    spoken = [dialled(f"2026-03-10T0{hour}:00:00Z", "conversation") for hour in (1, 2, 3)]
    assert "permit" == verdict(CHINA, history=spoken[:2])["verdict"]
    answer = verdict(CHINA, history=spoken)
    assert ("defer", "2026-03-11T00:00:00Z") == (answer["verdict"], answer["until"])
    assert {"CN-03", "CN-02"} == set(rules(answer, "defer"))
    assert "permit" == verdict(CHINA, history=spoken, channel="sms")["verdict"]


def test_it_is_the_debtor_who_is_counted_not_the_debt_or_the_number() -> None:
    spoken = [
        dialled(f"2026-03-10T0{hour}:00:00Z", "conversation", debts=[f"L-{hour}"], address=f"+861380013800{hour}")
        for hour in (1, 2, 3)
    ]
    assert "CN-03" in rules(verdict(CHINA, history=spoken), "defer")


def test_unanswered_tries_are_no_connected_calls_and_the_seventh_is_permitted_with_a_warning() -> None:
    tries = [dialled(f"2026-03-10T0{minute}:30:00+08:00".replace("T0", "T1")) for minute in range(2)]
    tries += [dialled(f"2026-03-10T1{hour}:00:00+08:00") for hour in range(2)]
    tries += [dialled(f"2026-03-10T09:{minute}0:00+08:00") for minute in range(2)]
    assert [] == verdict(CHINA, history=tries[:5])["findings"]
    answer = verdict(CHINA, history=tries)
    assert ("permit", ["CN-08"]) == (answer["verdict"], rules(answer, "warn"))
    assert "advisory" == answer["findings"][0]["strength"]
    other_number = [dialled(event["at"], address="+8613800138001") for event in tries]
    assert [] == verdict(CHINA, history=other_number)["findings"]


@pytest.mark.parametrize(("recipient", "expected"), [("guarantor", "permit"), ("listed_contact", "withhold")])
def test_listed_contacts_are_not_contacted(recipient: str, expected: str) -> None:
    assert expected == verdict(CHINA, recipient=recipient)["verdict"]


class TestTheNoticeBeforeABadRecordIsReported:
    """征信业管理条例 第十五条: no hold, opt-out or cap stops it; a contractual notice is stopped by each."""

    notice: dict[str, str] = {"channel": "sms", "purpose": "notice", "obligation": "CN-17"}  # noqa: RUF012
    hold = {"cause": "stop_collection", "from": "2026-03-01", "to": None}  # noqa: RUF012
    stop = {"channel": "*", "address": "*", "state": "revoked", "at": "2026-03-01T00:00:00Z"}  # noqa: RUF012

    def test_it_goes_during_a_hold(self) -> None:
        answer = verdict(CHINA, holds=[self.hold], **self.notice)
        assert ("permit", ["CN-17"]) == (answer["verdict"], rules(answer, "allow"))
        assert "withhold" == verdict(CHINA, holds=[self.hold])["verdict"]

    def test_it_goes_to_an_address_that_opted_out(self) -> None:
        answer = verdict(CHINA, consents=[self.stop], **self.notice)
        assert ("permit", ["CN-17"]) == (answer["verdict"], rules(answer, "allow"))

    def test_it_goes_when_the_calls_of_the_day_are_used_up(self) -> None:
        spoken = [dialled(f"2026-03-10T0{hour}:00:00Z", "conversation") for hour in (1, 2, 3)]
        answer = verdict(CHINA, history=spoken, **{**self.notice, "channel": "call"})
        assert ("permit", ["CN-17"]) == (answer["verdict"], rules(answer, "allow"))

    def test_it_keeps_the_night(self) -> None:
        answer = verdict(CHINA, holds=[self.hold], at="2026-03-10T23:00:00+08:00", **self.notice)
        assert ("defer", "2026-03-11T00:00:00Z") == (answer["verdict"], answer["until"])

    def test_a_contractual_notice_passes_none_of_these(self) -> None:
        contract = {**self.notice, "obligation": "contract"}
        spoken = [dialled(f"2026-03-10T0{hour}:00:00Z", "conversation") for hour in (1, 2, 3)]
        assert "withhold" == verdict(CHINA, holds=[self.hold], **contract)["verdict"]
        assert "withhold" == verdict(CHINA, consents=[self.stop], **contract)["verdict"]
        assert "defer" == verdict(CHINA, history=spoken, **{**contract, "channel": "call"})["verdict"]

    def test_it_is_owed_from_the_first_day_past_due_until_it_is_served(self) -> None:
        past_due = [{**CHINA["debts"][0], "days_past_due": 3}]
        owed = verdict(CHINA, debts=past_due)["obligations"]
        assert [("CN-17", "2026-03-08", None)] == [(o["rule"], o["earliest"], o["latest"]) for o in owed]
        assert [] == verdict(CHINA, debts=[{**past_due[0], "days_past_due": 0}])["obligations"]
        sent = dialled("2026-03-09T04:00:00Z", "delivered", channel="sms", purpose="notice", obligation="CN-17")
        assert [] == verdict(CHINA, debts=past_due, history=[sent])["obligations"]

    def test_a_notice_from_before_the_record_arose_does_not_fulfil_it(self) -> None:
        past_due = [{**CHINA["debts"][0], "days_past_due": 3}]
        early = dialled("2026-03-01T04:00:00Z", "delivered", channel="sms", purpose="notice", obligation="CN-17")
        assert ["CN-17"] == [o["rule"] for o in verdict(CHINA, debts=past_due, history=[early])["obligations"]]


class TestTheLendersOwnPolicy:
    """Two optional messages in seven days and twenty hours between them, whatever the loan; duties go all the same."""

    packs = ("cn", "lender/default")

    def sent(self, *instants: str, **more: Any) -> list[dict[str, Any]]:
        return [dialled(at, "delivered", **({"channel": "sms", "purpose": "reminder", "debts": ["L-9"]} | more))
                for at in instants]  # fmt: skip

    def ask(self, history: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
        wanted = {"channel": "sms", "purpose": "reminder"} | more
        return verdict(CHINA, packs=list(self.packs), history=history, **wanted)

    def test_the_second_loan_gets_no_third_optional_message(self) -> None:
        history = self.sent("2026-03-05T02:00:00Z", "2026-03-08T02:00:00Z")
        answer = self.ask(history)
        assert ("defer", "2026-03-12T00:00:00Z") == (answer["verdict"], answer["until"])
        assert "LENDER-01" in rules(answer, "defer")

    def test_its_mandatory_notices_go(self) -> None:
        history = self.sent("2026-03-05T02:00:00Z", "2026-03-08T02:00:00Z")
        for obligation in ("contract", "CN-17"):
            assert "permit" == self.ask(history, purpose="notice", obligation=obligation)["verdict"]

    def test_mandatory_notices_use_up_no_optional_slot(self) -> None:
        history = self.sent("2026-03-05T02:00:00Z", "2026-03-08T02:00:00Z", purpose="notice", obligation="CN-17")
        assert "permit" == self.ask(history)["verdict"]

    def test_twenty_hours_lie_between_two_of_them(self) -> None:
        answer = self.ask(self.sent("2026-03-10T01:00:00Z"), at="2026-03-10T12:00:00+08:00")
        assert ("defer", "2026-03-11T00:00:00Z") == (answer["verdict"], answer["until"])
        assert "LENDER-02" in rules(answer, "defer")

    def test_a_message_that_was_never_accepted_is_not_counted(self) -> None:
        sent = self.sent("2026-03-05T02:00:00Z", "2026-03-08T02:00:00Z")
        released = [{**event, "result": "released"} for event in sent]
        assert "permit" == self.ask(released)["verdict"]
