"""What a risk tier changes for one rung: whether it is left out, and which channel comes first.

Thinning is a verdict like any other: the silence that it causes is recorded with its reason. No tier
thins a rung that law or contract demands.
"""

from __future__ import annotations

from duecourse.compliance.verdict import Finding
from duecourse.treatments.ladder import Channel, Ladder, Rung, Tier


def thin(rung: Rung, tier: Tier, ladder: Ladder) -> Finding | None:
    """The finding that bars an optional rung for this tier; None where it goes out."""
    policy = ladder.tiers[tier]
    if rung.mandatory or rung.id not in policy.omits:
        return None
    return Finding(
        rule=f"treatment:{ladder.id}/tier",
        pack=f"ladder:{ladder.id}",
        version=ladder.version,
        effect="bar",
        strength="treatment",
        grade="-",
        citation=f"Ladder {ladder.id} {ladder.version}, tier {tier.value}",
        because=f"{rung.title}: left out for borrowers in the {tier.value} risk tier. {policy.reason}",
        evidence=(
            ("tier", tier.value),
            ("rung", rung.id),
            ("reason", policy.reason),
            ("reason_zh", policy.reason_zh),
        ),
        message="tier",
    )


def channels_for(rung: Rung, tier: Tier, ladder: Ladder) -> tuple[Channel, ...]:
    """The channels of a rung in the order to try: the tier's first, then the rung's own.

    None of the rung's own channels is lost, so that a notice keeps every way to arrive.
    """
    first = ladder.tiers[tier].channels.get(rung.id, ())
    return tuple(dict.fromkeys((*first, *rung.channels)))
