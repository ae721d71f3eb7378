"""What stops a mandatory notice: no risk score; one of law only what its own rule lets stop it; one of contract all."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from duecourse.compliance.case import Case, Consent, Hold
from duecourse.compliance.gate import decide
from duecourse.compliance.packs import PackSet
from duecourse.compliance.verdict import Permit
from duecourse.treatments.catalogue import ladder_ids, load_ladder
from duecourse.treatments.ladder import Ladder, Tier
from duecourse.treatments.thinning import channels_for, thin
from tests.compliance.pieces import case, contact, instant, packs, rule

CAUSES = ("dispute", "hardship", "bankruptcy", "deceased", "promise")
NOW = "2026-03-10T12:00"
some_causes = st.frozensets(st.sampled_from(CAUSES))
survivors = st.one_of(some_causes, st.just(frozenset({"*"})))


@cache
def law(holds: frozenset[str], opt_out: bool, caps: bool) -> PackSet:
    """Holds, opt-outs and a cap that stop everything, and a notice whose own rule says what it passes."""
    survives = ", ".join(f"'{cause}'" for cause in sorted(holds))
    return packs(
        rule("hold: {causes: ['*']}", "T-HOLD"),
        rule("consent: {basis: opt_out}", "T-OPT-OUT"),
        rule("cap: {limit: 1, window: {days: 7}, per: person}", "T-CAP"),
        rule(
            f"notice: {{trigger: past_due, latest_days: 90, forms: [letter, email], survives_holds: [{survives}], "
            f"survives_opt_out: {str(opt_out).lower()}, survives_caps: {str(caps).lower()}}}",
            "T-NOTICE",
        ),
    )


def asked(obligation: str | None, held: frozenset[str], opted_out: bool, capped: bool) -> Case:
    """A letter of that obligation while these holds stand, the borrower said no, and the week's contact was made."""
    return case(
        NOW,
        channel="letter",
        purpose="notice",
        obligation=obligation,
        holds=tuple(Hold(cause, None, date(2026, 3, 1), None) for cause in sorted(held)),
        consents=(Consent("*", "*", "revoked", instant("2026-03-02T12:00")),) if opted_out else (),
        history=(contact("2026-03-08T12:00"),) if capped else (),
    )


@given(some_causes, st.booleans(), st.booleans(), survivors, st.booleans(), st.booleans())
def test_a_legal_notice_passes_exactly_what_its_own_rule_names(
    held: frozenset[str],
    opted_out: bool,
    capped: bool,
    holds: frozenset[str],
    opt_out: bool,
    caps: bool,
) -> None:
    passes = ("*" in holds or held <= holds) and (opt_out or not opted_out) and (caps or not capped)
    verdict = decide(asked("T-NOTICE", held, opted_out, capped), law(holds, opt_out, caps))
    assert passes == isinstance(verdict, Permit)
    if isinstance(verdict, Permit):
        stopped = {dict(one.evidence)["stopped"] for one in verdict.grounds.findings if one.effect == "allow"}
        would = {"T-HOLD"} if held else set()
        would |= {"T-OPT-OUT"} if opted_out else set()
        would |= {"T-CAP"} if capped else set()
        assert would == stopped, "each rule that it passed is named"


@given(some_causes, st.booleans(), st.booleans(), survivors, st.booleans(), st.booleans())
def test_a_contractual_notice_is_stopped_by_every_hold_opt_out_and_cap(
    held: frozenset[str],
    opted_out: bool,
    capped: bool,
    holds: frozenset[str],
    opt_out: bool,
    caps: bool,
) -> None:
    """Whatever a statutory notice beside it may pass; an optional letter fares the same."""
    known = law(holds, opt_out, caps)
    for obligation in ("contract", None):
        verdict = decide(asked(obligation, held, opted_out, capped), known)
        assert (not held and not opted_out and not capped) == isinstance(verdict, Permit)


@given(some_causes, survivors)
def test_a_channel_that_is_no_form_of_the_notice_opens_no_exception(
    held: frozenset[str], holds: frozenset[str]
) -> None:
    """Naming an obligation is not serving it."""
    known = law(holds, True, True)
    by_sms = asked("T-NOTICE", held, opted_out=True, capped=False)
    by_sms = replace(by_sms, request=replace(by_sms.request, channel="sms"))
    assert not isinstance(decide(by_sms, known), Permit)


@pytest.mark.parametrize("name", ladder_ids())
@pytest.mark.parametrize("tier", list(Tier))
def test_no_risk_tier_thins_a_mandatory_rung_or_takes_a_channel_from_it(name: str, tier: Tier) -> None:
    ladder = load_ladder(name)
    mandatory = [rung for rung in ladder.rungs if rung.mandatory]
    assert mandatory
    for rung in mandatory:
        assert thin(rung, tier, ladder) is None
        assert set(rung.channels) <= set(channels_for(rung, tier, ladder))


@given(st.sampled_from(ladder_ids()), st.sampled_from(list(Tier)), st.data())
def test_a_ladder_whose_tier_omits_a_mandatory_rung_is_refused(name: str, tier: Tier, data: st.DataObject) -> None:
    fields = load_ladder(name).model_dump(mode="json", by_alias=True)
    mandatory = [rung["id"] for rung in fields["rungs"] if rung["obligation"] is not None]
    fields["tiers"][tier.value]["omits"] = [data.draw(st.sampled_from(mandatory))]
    with pytest.raises(ValidationError, match="may not omit the mandatory rung"):
        Ladder.model_validate(fields)
