"""Tiers: they thin optional rungs, say why, and never touch what law or contract demands."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duecourse.treatments.catalogue import ladder_ids, load_ladder
from duecourse.treatments.ladder import CONTRACT, Anchor, CatchUp, Channel, Ladder, Rung, Tier, TierPolicy, Window
from duecourse.treatments.thinning import channels_for, thin

LADDERS = [load_ladder(name) for name in ladder_ids()]
CHANNELS: tuple[Channel, ...] = ("sms", "email", "call", "letter")
CHANNEL_TUPLES: st.SearchStrategy[tuple[Channel, ...]] = st.sampled_from(
    [(), *permutations(CHANNELS, 1), *permutations(CHANNELS, 2), *permutations(CHANNELS, 4)]
)


def kept(ladder: Ladder, tier: Tier, *, mandatory: bool) -> list[str]:
    return [rung.id for rung in ladder.rungs if rung.mandatory is mandatory and thin(rung, tier, ladder) is None]


@st.composite
def ladders(draw: st.DrawFn) -> Ladder:
    """Any ladder, with policies that were not validated: as if a wrong file had slipped through."""
    rungs = tuple(
        Rung(
            id=f"rung_{number}",
            title=f"Rung {number}",
            title_zh=f"第{number}级",
            anchor=Anchor.DELINQUENT,
            offset_days=number + 1,
            per="episode",
            channels=tuple(draw(st.lists(st.sampled_from(CHANNELS), min_size=1, unique=True))),
            template="text",
            purpose="collection",
            window=Window.model_validate({"from": "09:00", "to": "18:00"}),
            obligation=draw(st.sampled_from([None, CONTRACT, "CN-17"])),
            catch_up=CatchUp.IN_ORDER,
        )
        for number in range(draw(st.integers(1, 6)))
    )
    names = [rung.id for rung in rungs]
    policies = {
        tier: TierPolicy(
            omits=tuple(draw(st.lists(st.sampled_from(names), unique=True))),
            reason="A reason.",
            reason_zh="理由。",
            channels=draw(st.dictionaries(st.sampled_from(names), CHANNEL_TUPLES)),
        )
        for tier in Tier
    }
    return Ladder.model_construct(id="any", version="1", title="Any", rungs=rungs, tiers=policies)


@given(ladder=ladders(), tier=st.sampled_from(Tier))
def test_no_tier_ever_thins_a_mandatory_rung(ladder: Ladder, tier: Tier) -> None:
    """Not even a policy that names one: the lock is here as well as in the file's validation."""
    assert all(thin(rung, tier, ladder) is None for rung in ladder.rungs if rung.mandatory)


@given(ladder=ladders(), tier=st.sampled_from(Tier))
def test_a_tier_loses_no_channel_of_a_rung_and_its_own_come_first(ladder: Ladder, tier: Tier) -> None:
    for rung in ladder.rungs:
        channels = channels_for(rung, tier, ladder)
        first = ladder.tiers[tier].channels.get(rung.id, ())
        assert channels[: len(first)] == first
        assert set(rung.channels) <= set(channels)
        assert len(channels) == len(set(channels))


@pytest.mark.parametrize("ladder", LADDERS, ids=lambda ladder: ladder.id)
def test_low_risk_gets_fewer_optional_rungs_than_standard_and_the_same_mandatory_ones(ladder: Ladder) -> None:
    low, standard, high = (kept(ladder, tier, mandatory=False) for tier in Tier)
    assert set(low) < set(standard) < set(high)
    everyone = [rung.id for rung in ladder.rungs if rung.mandatory]
    assert [kept(ladder, tier, mandatory=True) for tier in Tier] == [everyone] * 3


@pytest.mark.parametrize("ladder", LADDERS, ids=lambda ladder: ladder.id)
def test_high_risk_is_called_before_any_collection_message(ladder: Ladder) -> None:
    def first_channel(tier: Tier) -> str:
        collection = [rung for rung in ladder.rungs if rung.purpose == "collection" and not thin(rung, tier, ladder)]
        return channels_for(collection[0], tier, ladder)[0]

    assert first_channel(Tier.HIGH) == "call"
    assert first_channel(Tier.STANDARD) != "call"


def test_a_thinned_rung_is_a_finding_that_says_tier_rung_and_reason_in_both_languages() -> None:
    ladder = load_ladder("cn_consumer")
    finding = thin(ladder.rung("reminder_3_days"), Tier.LOW, ladder)
    assert finding is not None
    assert (finding.rule, finding.effect, finding.strength) == ("treatment:cn_consumer/tier", "bar", "treatment")
    assert (finding.pack, finding.version, finding.grade) == ("ladder:cn_consumer", "2026-01", "-")
    assert finding.citation == "Ladder cn_consumer 2026-01, tier low"
    assert "Reminder, 3 days before" in finding.because
    evidence = dict(finding.evidence)
    assert (evidence["tier"], evidence["rung"]) == ("low", "reminder_3_days")
    assert evidence["reason"] in finding.because
    assert "风险" in evidence["reason_zh"]


def test_a_rung_that_the_tier_keeps_has_no_finding() -> None:
    ladder = load_ladder("cn_consumer")
    assert thin(ladder.rung("reminder_3_days"), Tier.STANDARD, ladder) is None


def test_a_low_risk_borrowers_overdue_message_goes_by_email_first() -> None:
    ladder = load_ladder("cn_consumer")
    assert channels_for(ladder.rung("second_overdue"), Tier.LOW, ladder) == ("email", "sms")
