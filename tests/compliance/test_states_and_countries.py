"""The packs of states, cities and countries on the derived vectors, as data alone: `decide` by its own contract."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest

from duecourse.compliance.acts import may_act
from duecourse.compliance.case import Place
from duecourse.compliance.contract import decide_case, read_case, shipped_packs
from duecourse.compliance.explain import explain_finding
from duecourse.compliance.gate import decide
from duecourse.compliance.obligations import due_notices
from tests.compliance.situations import COLLECTOR, rules, verdict

PLACES: dict[str, dict[str, Any]] = {
    "nyc": {"country": "US", "region": "NY", "city": "New York", "postal_code": "10001"},
    "boston": {"country": "US", "region": "MA", "city": "Boston"},
    "miami": {"country": "US", "region": "FL", "city": "Miami"},
    "seattle": {"country": "US", "region": "WA", "city": "Seattle"},
    "dc": {"country": "US", "region": "DC", "city": "Washington"},
    "seoul": {"country": "KR"},
    "montreal": {"country": "CA", "region": "QC", "city": "Montreal"},
    "shanghai": {"country": "CN"},
}
ZONES = {
    "seattle": "America/Los_Angeles",
    "seoul": "Asia/Seoul",
    "montreal": "America/Toronto",
    "shanghai": "Asia/Shanghai",
}


def ask(place: str, at: str, role: str = "creditor", history: list[dict[str, Any]] | None = None, **more: Any) -> Any:
    """The verdict for a resident of that place, whose packs follow from the residence."""
    return verdict(
        COLLECTOR,
        packs=None,
        residence=PLACES[place],
        zones=[ZONES.get(place, "America/New_York")],
        lender={"role": role, "agreements": more.pop("agreements", []), "licences": []},
        history=history or [],
        at=at,
        **more,
    )


def contacts(channel: str, *instants: str, debt: str = "L-1", **more: Any) -> list[dict[str, Any]]:
    """Outbound contacts."""
    return [
        {"at": at, "channel": channel, "direction": "outbound", "address": "+12125550100", "debts": [debt],
         "purpose": "collection", "result": "sent"} | more
        for at in instants
    ]  # fmt: skip


def test_dv_12_a_third_text_in_seven_days_to_massachusetts() -> None:
    """940 CMR 7.04(1)(f) stops it; the federal count of calls has nothing to say."""
    two = contacts("sms", "2026-03-04T15:00:00Z", "2026-03-06T15:00:00Z")
    answer = ask("boston", "2026-03-10T12:00:00-04:00", history=two, channel="sms")
    assert ("defer", ["US-MA-01"]) == (answer["verdict"], rules(answer, "defer"))
    assert "2026-03-11T04:00:00Z" == answer["until"]
    agency = ask("boston", "2026-03-10T12:00:00-04:00", "third_party_collector", two, channel="sms")
    assert "US-MA-02" in rules(agency, "defer")
    assert "permit" == ask("boston", "2026-03-10T12:00:00-04:00", history=two[1:], channel="sms")["verdict"]


def test_dv_13_new_york_city_counts_each_account_alone_and_all_channels_together() -> None:
    mails = contacts("email", "2026-09-07T15:00:00Z", "2026-09-08T15:00:00Z", "2026-09-09T15:00:00Z")
    two_debts = [COLLECTOR["debts"][0], COLLECTOR["debts"][0] | {"id": "L-2"}]
    blocked = ask("nyc", "2026-09-10T12:00:00-04:00", history=mails, debts=two_debts)
    assert ["US-NYC-01"] == rules(blocked, "defer")
    other = contacts("call", "2026-09-08T16:00:00Z", debt="L-2")
    allowed = ask("nyc", "2026-09-10T12:00:00-04:00", history=mails + other, debts=two_debts, about=["L-2"])
    assert "permit" == allowed["verdict"]


def test_dv_14_the_version_in_force_at_the_send_governs_and_earlier_contacts_count() -> None:
    """Three in the last days of August: on 31 August nothing of the city's stops a fourth, on 1 September it does."""
    august = contacts("call", "2026-08-28T15:00:00Z", "2026-08-29T15:00:00Z", "2026-08-30T15:00:00Z")
    assert "permit" == ask("nyc", "2026-08-31T12:00:00-04:00", history=august)["verdict"]
    assert ["US-NYC-01"] == rules(ask("nyc", "2026-09-01T12:00:00-04:00", history=august), "defer")


def test_new_york_city_asks_consent_for_electronic_collection_and_a_word_ends_it_for_the_medium() -> None:
    at = "2026-09-10T12:00:00-04:00"
    given = {"channel": "email", "address": "*", "state": "given", "at": "2026-09-02T12:00:00Z"}
    assert "US-NYC-03" in rules(ask("nyc", at, channel="email"), "bar")
    assert "permit" == ask("nyc", at, channel="email", consents=[given])["verdict"]
    stop = given | {"state": "revoked", "address": "another", "at": "2026-09-03T12:00:00Z"}
    assert "US-NYC-03" in rules(ask("nyc", at, channel="email", consents=[given, stop]), "bar")


def test_the_city_is_known_by_its_postal_code_too() -> None:
    at = "2026-09-10T12:00:00-04:00"
    flushing = {"country": "US", "region": "NY", "city": "Flushing", "postal_code": "11354"}
    albany = {"country": "US", "region": "NY", "city": "Albany", "postal_code": "12207"}
    names = [
        [pack["id"] for pack in verdict(COLLECTOR, packs=None, residence=place, at=at)["packs"]]
        for place in (flushing, albany)
    ]
    assert [["us/federal", "us/new_york_city"], ["us/federal"]] == names


@pytest.mark.parametrize(
    ("role", "channel", "stopped_by"),
    [
        ("creditor", "email", []),
        ("creditor", "sms", ["US-FL-01"]),
        ("third_party_collector", "email", ["US-F-03"]),
        ("third_party_collector", "sms", ["US-F-03", "US-FL-01"]),
    ],
)
def test_dv_24_florida_at_eleven_at_night(role: str, channel: str, stopped_by: list[str]) -> None:
    assert stopped_by == sorted(rules(ask("miami", "2026-03-10T23:00:00-04:00", role, channel=channel), "defer"))


def test_florida_spared_e_mail_only_from_16_may_2025() -> None:
    assert ["US-FL-01"] == rules(ask("miami", "2025-05-15T23:00:00-04:00", channel="email"), "defer")
    assert "permit" == ask("miami", "2025-05-16T23:00:00-04:00", channel="email")["verdict"]


def test_washington_counts_debtor_and_spouse_together_and_mail_too() -> None:
    history = [
        *contacts("letter", "2026-03-05T20:00:00Z"),
        *contacts("email", "2026-03-06T20:00:00Z"),
        *contacts("call", "2026-03-07T20:00:00Z", recipient="spouse", result="no_answer"),
    ]
    agency = ask("seattle", "2026-03-10T12:00:00-07:00", "third_party_collector", history)
    assert "US-WA-01" in rules(agency, "defer")
    assert "2026-03-12T15:00:00Z" == agency["until"]
    assert "permit" == ask("seattle", "2026-03-10T12:00:00-07:00", "creditor", history)["verdict"]


def test_the_district_allows_four_calls_for_debts_more_than_thirty_days_late() -> None:
    days = [f"2026-03-0{day}T17:00:00Z" for day in (5, 6, 7, 8)]
    four = contacts("call", *days, result="no_answer")
    assert ["US-DC-01"] == rules(ask("dc", "2026-03-10T12:00:00-04:00", history=four), "defer")
    assert "permit" == ask("dc", "2026-03-10T12:00:00-04:00", history=four[1:])["verdict"]
    early = [COLLECTOR["debts"][0] | {"days_past_due": 30}]
    assert "permit" == ask("dc", "2026-03-10T12:00:00-04:00", history=four, debts=early)["verdict"]
    mortgage = [COLLECTOR["debts"][0] | {"product": "mortgage"}]
    assert "permit" == ask("dc", "2026-03-10T12:00:00-04:00", history=four, debts=mortgage)["verdict"]


def test_the_districts_temporary_law_allowed_three_until_the_end_of_2022() -> None:
    three = contacts("call", "2022-03-05T17:00:00Z", "2022-03-06T17:00:00Z", "2022-03-07T17:00:00Z")
    assert ["US-DC-04"] == rules(ask("dc", "2022-03-08T12:00:00-05:00", history=three), "defer")


def test_a_collection_agency_on_a_sunday_and_on_the_feast_in_quebec() -> None:
    sunday = ask("montreal", "2026-03-08T12:00:00-04:00", "third_party_collector")
    assert (["CA-QC-01"], "2026-03-09T12:00:00Z") == (rules(sunday, "defer"), sunday["until"])
    feast = ask("montreal", "2026-06-24T12:00:00-04:00", "third_party_collector")
    assert "2026-06-25T12:00:00Z" == feast["until"]
    assert "permit" == ask("montreal", "2026-03-08T12:00:00-04:00")["verdict"]


def test_quebec_lists_2_july_where_the_first_is_a_sunday() -> None:
    assert "defer" == ask("montreal", "2029-07-02T12:00:00-04:00", "third_party_collector")["verdict"]
    assert "permit" == ask("montreal", "2028-07-03T12:00:00-04:00", "third_party_collector")["verdict"]


def test_korea_seven_contacts_in_seven_days_and_nights_without_calls() -> None:
    days = [f"2026-03-{day:02d}T03:00:00Z" for day in range(4, 11)]
    seven = contacts("sms", *days)
    answer = ask("seoul", "2026-03-10T15:00:00+09:00", history=seven)
    assert (["KR-01"], "2026-03-10T23:00:00Z") == (rules(answer, "defer")[:1], answer["until"])
    unreached = contacts("call", *days, result="no_answer")
    assert "permit" == ask("seoul", "2026-03-10T15:00:00+09:00", history=unreached)["verdict"]
    assert ["KR-04"] == rules(ask("seoul", "2026-03-10T21:00:00+09:00"), "defer")


def test_dv_20_a_required_notice_goes_although_seven_contacts_are_used() -> None:
    seven = contacts("sms", *[f"2026-03-{day:02d}T03:00:00Z" for day in range(4, 11)])
    notice = {"channel": "letter", "purpose": "notice", "obligation": "KR-05"}
    assert "permit" == ask("seoul", "2026-03-10T15:00:00+09:00", history=seven, **notice)["verdict"]


def china(at: str = "2026-03-10T12:00:00+08:00", **more: Any) -> Any:
    return ask("shanghai", at, **more)


def case_of(place: str, at: str, **more: Any) -> Any:
    base = deepcopy(COLLECTOR) | {"packs": None, "lender": {"role": "creditor", "agreements": []}} | more
    base["borrower"] |= {"residence": PLACES[place], "zones": [ZONES.get(place, "America/New_York")]}
    base["request"] |= {"at": at, "not_after": None}
    return read_case(base, shipped_packs())


def test_dv_18_and_19_the_bureau_notice_comes_after_the_bad_record_and_before_the_report() -> None:
    """征信业管理条例 15: no hold stops it, an earlier reminder does not serve, and the report waits for it."""
    packs = shipped_packs()
    at = "2026-03-10T12:00:00+08:00"
    late = [COLLECTOR["debts"][0] | {"days_past_due": 5}]
    unserved = case_of("shanghai", at, debts=late, history=[])
    assert ["CN-17"] == [owed.rule for owed in due_notices(unserved, packs)]
    assert ("refuse", "CN-17") == ((answer := may_act("report", unserved, packs)).effect, answer.owed[0].rule)
    reminder = contacts("sms", "2026-03-01T04:00:00Z", purpose="reminder", obligation="CN-17")
    assert "refuse" == may_act("report", case_of("shanghai", at, debts=late, history=reminder), packs).effect
    served = contacts("sms", "2026-03-08T04:00:00Z", purpose="notice", obligation="CN-17")
    assert "allow" == may_act("report", case_of("shanghai", at, debts=late, history=served), packs).effect
    held = [{"cause": "stop_collection", "debt": "L-1", "from": "2026-03-01", "to": None}]
    notice = {"channel": "sms", "purpose": "notice", "obligation": "CN-17"}
    assert "permit" == china(holds=held, **notice)["verdict"]
    assert "withhold" == china(holds=held, channel="sms")["verdict"]


def test_the_associations_guideline_binds_only_where_it_was_agreed() -> None:
    """CN-09: a listed contact after three calls in vain; the standard (CN-04) stops it all the same."""
    vain = contacts("call", *[f"2026-03-09T0{hour}:00:00Z" for hour in (1, 2, 3)], result="no_answer")
    agreed = china(history=vain, agreements=["cn/banking_association"], recipient="listed_contact")
    assert ["CN-04", "CN-15"] == rules(agreed, "bar")
    assert "no_debt_information" in agreed["required_content"]
    reached = china(history=vain[:1], agreements=["cn/banking_association"], recipient="listed_contact")
    assert {"CN-04", "CN-09"} <= set(rules(reached, "bar"))
    assert "CN-09" not in rules(china(history=vain[:1], recipient="listed_contact"))
    bans = china(agreements=["cn/banking_association"])["forbidden_content"]
    assert {"assumed_authority", "threat"} <= set(bans)


def test_one_visit_a_day_in_china() -> None:
    visited = contacts("visit", "2026-03-10T02:00:00Z", result="conversation")
    answer = china(history=visited, channel="visit")
    assert ("CN-05", "2026-03-11T00:00:00Z") == (rules(answer, "defer")[0], answer["until"])


def test_the_repealed_guideline_is_an_entry_without_rules() -> None:
    entries = shipped_packs().packs["cn"].entries
    repealed = next(entry for entry in entries if entry.status == "repealed")
    assert ("2024-05-15", "2025-02-28") == (str(repealed.in_force), str(repealed.ended))
    assert "proposed" in {entry.status for entry in entries}


def test_the_notice_of_negative_information_falls_due_thirty_days_after_furnishing() -> None:
    """15 USC 1681s-2(a)(7): not a precondition of the report; once per customer."""
    packs = shipped_packs()
    furnished = [{"kind": "furnished", "debt": "L-1", "on": "2026-03-02"}]
    case = case_of("boston", "2026-03-10T12:00:00-04:00", milestones=furnished)
    owed = next(one for one in due_notices(case, packs) if one.rule == "MN-US-04")
    assert ("2026-04-01", "2026-03-27") == (str(owed.latest), str(owed.task_by))
    assert "allow" == may_act("report", case, packs).effect


def test_a_mortgage_servicer_speaks_by_day_36_and_writes_by_day_45() -> None:
    packs = shipped_packs()
    late = [COLLECTOR["debts"][0] | {"product": "mortgage", "days_past_due": 1}]
    case = case_of("boston", "2026-03-10T12:00:00-04:00", debts=late)
    due = {one.rule: str(one.latest) for one in due_notices(case, packs) if not one.unknown}
    assert {"MN-US-05-LIVE": "2026-04-14", "MN-US-05-WRITTEN": "2026-04-23"} == due


def test_massachusetts_right_to_cure_before_a_suit() -> None:
    packs = shipped_packs()
    late = [COLLECTOR["debts"][0] | {"product": "retail_instalment", "days_past_due": 40}]
    at = "2026-03-31T12:00:00-04:00"
    assert "refuse" == may_act("sue", case_of("boston", at, debts=late, history=[]), packs).effect
    letter = contacts("letter", "2026-03-09T16:00:00Z", purpose="notice", obligation="US-MA-03")
    assert "allow" == may_act("sue", case_of("boston", at, debts=late, history=letter), packs).effect
    too_late = contacts("letter", "2026-03-12T16:00:00Z", purpose="notice", obligation="US-MA-03")
    assert "wait" == may_act("sue", case_of("boston", at, debts=late, history=too_late), packs).effect
    early = [late[0] | {"days_past_due": 5}]
    assert "refuse" == may_act("sue", case_of("boston", at, debts=early, history=[]), packs).effect


def test_a_collector_reports_only_after_it_spoke_or_wrote_and_waited() -> None:
    """1006.30(a)(1): its source is unverified, it only makes us more careful, and it is on."""
    packs = shipped_packs()
    agency = {"role": "third_party_collector", "agreements": []}
    at = "2026-03-31T12:00:00-04:00"
    refused = may_act("report", case_of("boston", at, lender=agency, history=[]), packs)
    assert ("refuse", "M") == (refused.effect, refused.findings[0].grade)
    wrote = contacts("letter", "2026-03-10T16:00:00Z", purpose="notice", obligation="US-F-33")
    assert "allow" == may_act("report", case_of("boston", at, lender=agency, history=wrote), packs).effect


def test_revoke_all_begins_on_31_january_2027() -> None:
    """47 CFR 64.1200(a)(10): a word on the telephone stops the texts as well, from that day on."""
    spoken = [{"channel": "call", "address": "*", "state": "revoked", "at": "2027-01-05T12:00:00Z"}]
    assert (
        "permit"
        == ask(
            "miami", "2027-01-30T12:00:00-05:00", channel="sms", consents=spoken, not_after="2027-01-30T13:00:00-05:00"
        )["verdict"]
    )
    assert "US-F-40" in rules(ask("miami", "2027-01-31T12:00:00-05:00", channel="sms", consents=spoken), "bar")


def test_a_state_that_is_not_known_counts_as_every_state() -> None:
    somewhere = decide_case(
        deepcopy(COLLECTOR) | {"packs": None, "borrower": COLLECTOR["borrower"] | {"residence": {"country": "US"}}}
    )
    names = {pack["id"] for pack in somewhere["packs"]}
    assert {"us/federal", "us/new_york_city", "us/massachusetts", "us/florida", "us/washington"} <= names


@pytest.mark.parametrize(
    ("residence", "warned"),
    [
        ({"country": "US", "region": "TX"}, True),
        ({"country": "US", "region": "MA"}, False),
        ({"country": "US", "region": "NY", "city": "Buffalo"}, False),  # of the state in which a city has its own pack
        ({"country": "US", "region": None}, False),  # under every state's pack at once
        ({"country": "CN", "region": "SH"}, False),  # no part of that country has a pack of its own
    ],
)
def test_a_state_without_a_pack_is_said_where_others_have_one(residence: dict[str, Any], warned: bool) -> None:
    packs = shipped_packs()
    case = case_of("boston", "2026-03-10T12:00:00-04:00")
    case = replace(case, person=replace(case.person, residence=Place(**residence)), packs=())
    found = [one for one in decide(case, packs).grounds.findings if one.rule == "gate:region"]
    assert warned == bool(found)
    if found:
        assert "no pack here holds the rules of US-TX itself; decided under us/federal alone" == found[0].because
        assert "没有 US-TX 本地的规则" in explain_finding(found[0], "zh")
