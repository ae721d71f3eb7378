"""`explain`: the rule that it names is the one that decided, in words for a person, in both languages."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from duecourse.ledger import settings
from duecourse.ledger.contacts import release
from duecourse.ledger.outcomes import Reserved
from duecourse.ledger.registration import register_borrower
from duecourse.loans.facts import HoldLifted, HoldPlaced, OptOut
from duecourse.present.prose import wrapped
from duecourse.treatments.ladder import Tier
from tests.cli.conftest import Said, Say
from tests.ledger.world import LENDER, NOON, PHONE, Book, ask, ladder, mei, message, payment

LATE = datetime(2026, 2, 16, 4, tzinfo=UTC)  # noon in Shanghai, six days past due
THINNED = ladder(low={"omits": ["due"], "reason": "Rarely late.", "reason_zh": "很少逾期。"})
ASCII_MARK_IN_CHINESE = re.compile(r"[\u4e00-\u9fff][,;:!?()]|[,;:!?()][\u4e00-\u9fff]")


@dataclass(frozen=True, slots=True)
class Silence:
    """Why the second loan's due-day message did not go out."""

    rule: str
    reason: str
    said: dict[str, str]


SILENCES = {
    "tier": Silence("treatment:test/tier", "tier", {"en": "low risk tier", "zh": "低风险等级"}),
    "cap": Silence("T-CAP", "cap", {"en": "at most 1 per person", "zh": "最多 1 次"}),
    "consent": Silence("T-OPT-OUT", "opted_out", {"en": "not to be contacted by SMS", "zh": "要求不再通过短信"}),
    "hold": Silence("T-HOLD", "hold", {"en": "hold for a dispute", "zh": "因争议暂停联系"}),
}


def hold(at: datetime = NOON) -> HoldPlaced:
    return HoldPlaced(id="h1", at=at, hold="H", cause="dispute", starts=date(2026, 2, 9), review_on=date(2026, 2, 11))


def second_loan(book: Book, cause: str) -> None:
    """Loan A is the first, B the second; only what keeps B's message back differs."""
    book.register("A")
    book.register("B", climbs=THINNED, tier=Tier.LOW if cause == "tier" else Tier.STANDARD)
    match cause:
        case "cap":
            book.send(ask("A"), NOON)
        case "consent":
            book.record("B", OptOut(id="stop", at=NOON, channel="sms"), NOON)
        case "hold":
            book.record("B", hold(), NOON)
        case _:
            pass  # the tier alone
    book.reserve(ask("B", seq=0), NOON + timedelta(minutes=1))


def step(said: Said, rung: str) -> Any:
    (found,) = [one for one in said.json["steps"] if one["rung"] == rung]
    return found


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("cause", SILENCES)
def test_the_second_loan_s_silence_names_what_caused_it(book: Book, asking: Say, cause: str, language: str) -> None:
    second_loan(book, cause)
    expected = SILENCES[cause]
    said = step(asking("explain", "B", "--lang", language, "--json"), "due")
    assert (expected.rule, expected.reason) == (said["rule"], said["reason"])
    assert expected.said[language] in " ".join(said["sentences"])
    others = {one.rule for name, one in SILENCES.items() if name != cause}
    assert not others & {finding["rule"] for verdict in said["verdicts"] for finding in verdict["findings"]}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_printed_form_names_rule_citation_and_reason(book: Book, asking: Say, language: str) -> None:
    second_loan(book, "cap")
    out = asking("explain", "B", "--lang", language).out
    assert "T-CAP" in out
    assert "Test: cap" in out
    assert SILENCES["cap"].said[language] in " ".join(out.split())


@pytest.mark.parametrize("cause", SILENCES)
def test_chinese_is_written_with_full_width_marks(book: Book, asking: Say, cause: str) -> None:
    second_loan(book, cause)
    told = asking("explain", "B", "--lang", "zh", "--json").json
    for sentence in [*told["summary"], *(said for one in told["steps"] for said in one["sentences"])]:
        assert not ASCII_MARK_IN_CHINESE.search(sentence), sentence


def test_the_language_is_the_borrower_s_unless_one_is_asked_for(book: Book, asking: Say) -> None:
    second_loan(book, "tier")
    assert "zh" == asking("explain", "B", "--json").json["language"]
    assert "en" == asking("explain", "B", "--lang", "en", "--json").json["language"]


def test_the_summary_says_what_was_kept_back_what_went_out_all_the_same_and_what_comes_next(
    book: Book, asking: Say
) -> None:
    book.register("B", climbs=THINNED, tier=Tier.LOW)
    book.reserve(ask("B"), NOON)
    book.send(ask("B", "notice", LATE, seq=1), LATE)
    summary = " ".join(asking("explain", "B", "--lang", "en", "--json").json["summary"])
    assert "1 optional step was not sent (1 SMS), because of the low risk tier. Rarely late." in summary
    assert "No optional SMS was sent." in summary
    assert "went out: notice (by contract) by e-mail on 16 Feb 2026." in summary
    assert "Next: " in summary


def test_moments_are_in_the_borrower_s_time_and_in_utc(book: Book, asking: Say) -> None:
    book.register("B")
    book.send(ask("B"), NOON)
    out = asking("explain", "B", "--lang", "en").out
    assert "10 Feb 2026 12:00 Shanghai" in out
    assert "04:00 UTC" in out


def test_an_open_hold_says_which_fact_would_change_it_and_when_it_is_asked_again(book: Book, asking: Say) -> None:
    book.register("B")
    book.record("B", hold(LATE).model_copy(update={"review_on": date(2099, 3, 1)}), LATE)
    book.reserve(ask("B", "notice", LATE, seq=1), LATE)
    said = step(asking("explain", "B", "--lang", "en", "--json"), "notice")
    assert ("waiting", ["hold_lifted"]) == (said["outcome"], said["wake"])
    assert "asked again when the hold is lifted, or 1 Mar 2099" in " ".join(said["sentences"])


def test_what_the_loan_no_longer_owes_is_not_said_to_be_asked_again(book: Book, asking: Say) -> None:
    book.register("B")
    book.record("B", hold(LATE), LATE)
    book.reserve(ask("B", "notice", LATE, seq=1), LATE)
    book.record("B", HoldLifted(id="l1", at=LATE, hold="H", on=date(2026, 2, 16)), LATE)
    book.record("B", payment("p1", "300.00", LATE), LATE)
    told = asking("explain", "B", "--lang", "en", "--json")
    assert "withheld" == step(told, "notice")["outcome"]
    assert "asked again" not in " ".join(step(told, "notice")["sentences"])
    assert "Nothing more comes: the loan is paid." == told.json["summary"][-1]


def test_the_same_reason_is_told_once_and_then_referred_to(book: Book, asking: Say) -> None:
    climbs = ladder(low={"omits": ["early", "due"], "reason": "Rarely late.", "reason_zh": "很少逾期。"})
    book.register("B", climbs=climbs, tier=Tier.LOW)
    book.reserve(ask("B", "early", NOON - timedelta(days=3)), NOON - timedelta(days=3))
    book.reserve(ask("B", seq=1), NOON)
    told = asking("explain", "B", "--lang", "en", "--json")
    assert "Rarely late." in step(told, "early")["sentences"][0]
    assert ["For the same reason as on 7 Feb 2026 (treatment:test/tier)."] == step(told, "due")["sentences"]
    alone = step(asking("explain", "B", "--lang", "en", "--rung", "due", "--json"), "due")
    assert "Rarely late." in alone["sentences"][0], "asked about alone, the reason is said in full"


def test_a_notice_that_passes_to_another_channel_says_why(book: Book, asking: Say) -> None:
    book.register("B")
    book.record("B", OptOut(id="stop", at=LATE, channel="email"), LATE)
    book.reserve(ask("B", "notice", LATE, seq=1), LATE)
    book.send(ask("B", "notice", LATE, channel="letter", seq=2), LATE)
    said = step(asking("explain", "B", "--lang", "en", "--json"), "notice")
    assert ("sent", "letter", "contract") == (said["outcome"], said["channel"], said["obligation"])
    assert "Before, e-mail was not possible: " in said["sentences"][0]


def test_a_person_s_task_and_a_review_are_said_as_such(book: Book, asking: Say) -> None:
    book.register("B")
    for channel in ("email", "letter"):
        result = book.reserve(ask("B", "notice", LATE, channel=channel, seq=0), LATE)
        if isinstance(result, Reserved):
            book.ledger.transact(release, result.reservation.contact.id, LATE, "undeliverable")
            book.reserve(ask("B", "notice", LATE, channel=channel, seq=0), LATE)
    assert "task" == step(asking("explain", "B", "--json"), "notice")["outcome"]
    assert "For a person: B" in asking("status").out


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_outcome_of_a_step_has_words(book: Book, asking: Say, language: str) -> None:
    """No phrase is missing for a pause, a missing address, an expired step, or a failed attempt."""
    book.ledger.transact(register_borrower, LENDER, mei(id="B-BO", phone=None))
    book.register("N", debtor="B-BO")
    book.reserve(ask("N"), NOON)
    book.register("X")
    book.reserve(ask("X", "early", NOON + timedelta(hours=1)), NOON + timedelta(hours=1))
    book.ledger.transact(settings.pause_all, NOON)
    book.register("P")
    book.reserve(ask("P"), NOON)
    reasons = {loan: [one["reason"] for one in asking("explain", loan, "--lang", language, "--json").json["steps"]]
               for loan in "NXP"}  # fmt: skip
    assert reasons["N"] == ["address"]
    assert reasons["X"] == ["life"]
    paused = asking("explain", "P", "--lang", language, "--json").json["summary"]
    assert any(word in " ".join(paused) for word in ("All sends are paused", "已暂停全部发送"))


def test_texts_and_addresses_are_shown_only_on_request(book: Book, asking: Say) -> None:
    book.register("B")
    book.send(ask("B"), NOON)
    for command in ("explain", "timeline"):
        for form in ((), ("--json",)):
            quiet, loud = asking(command, "B", *form), asking(command, "B", "--texts", *form)
            assert PHONE not in quiet.out
            assert message(NOON).text not in quiet.out
            assert PHONE in loud.out
            assert message(NOON).text in loud.out


def test_all_shows_each_verdict_with_each_finding(book: Book, asking: Say) -> None:
    second_loan(book, "cap")
    out = asking("explain", "B", "--lang", "en", "--all").out
    assert "#1 10 Feb 2026 12:01 Shanghai (04:01 UTC), SMS: not sent." in " ".join(out.split())


def test_an_unknown_rung_is_refused_with_those_that_exist(book: Book, asking: Say) -> None:
    book.register("B")
    said = asking("explain", "B", "--rung", "nothing")
    assert 3 == said.code
    assert "early, due, notice, referral" in said.err


def test_the_timeline_tells_facts_verdicts_and_contacts_in_one_order(book: Book, asking: Say) -> None:
    book.register("B")
    book.send(ask("B"), NOON)
    book.record("B", payment("p1", "40.00", NOON + timedelta(hours=1)), NOON + timedelta(hours=1))
    entries = asking("timeline", "B", "--json").json["entries"]
    assert ["verdict", "contact", "fact"] == [one["kind"] for one in entries]
    assert "payment of 40.00 CNY" == entries[-1]["what"]


@pytest.mark.parametrize("width", [20, 34, 60])
def test_chinese_lines_fill_the_width_and_begin_with_no_closing_mark(width: int) -> None:
    text = (
        "低风险等级的借款人不安排此步骤。这是出借人自己的安排，并非法律要求（treatment:x/tier；催收阶梯 cn 2026-01）。"
    )
    lines = list(wrapped(text, width))
    assert text.replace(" ", "") == "".join(lines).replace(" ", "")
    assert all(line[0] not in "，。；：）" for line in lines)
