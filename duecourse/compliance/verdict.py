"""What the gate answers: a verdict, always with the findings that led to it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class Finding:
    """What one rule had to say: `until` is the earliest instant at which it alone would allow."""

    rule: str
    pack: str
    version: str
    effect: str  # allow | warn | defer | bar | review
    strength: str  # ban | presumption | advisory | contract | treatment
    grade: str  # A | B | M | - (the lender's own)
    citation: str
    because: str
    until: datetime | None = None
    evidence: tuple[tuple[str, str], ...] = ()
    asked_from: datetime | None = None  # it allows the request as it stands, but not where other rules had moved it
    message: str = ""  # names the sentence in which `because` can be said in another language


@dataclass(frozen=True, slots=True)
class PackRef:
    id: str
    version: str
    hash: str
    pinned: bool = False  # the lender stays on this version, whatever was published since, until it is reviewed


@dataclass(frozen=True, slots=True)
class Obligation:
    """A notice that is owed by now or falls due."""

    rule: str
    debt: str
    earliest: date | None
    latest: date | None
    forms: tuple[str, ...]
    task_by: date | None = None  # a person takes over on that day if it was not served by then; None: no deadline
    proof: str = "sent"  # sent | must_reach
    citation: str = ""
    unknown: str = ""  # the fact without which nobody can say whether it is owed: history | milestones | holds


@dataclass(frozen=True, slots=True)
class Grounds:
    """What every verdict carries, whatever it says."""

    findings: tuple[Finding, ...]
    packs: tuple[PackRef, ...]
    obligations: tuple[Obligation, ...] = ()
    required_content: tuple[str, ...] = ()
    forbidden_content: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Permit:
    """May be sent now, and until `closes`, the last lawful instant of this stretch."""

    closes: datetime
    grounds: Grounds


@dataclass(frozen=True, slots=True)
class Defer:
    """Lawful from `opens` (the earliest instant under all rules together) until `closes`."""

    opens: datetime
    closes: datetime
    grounds: Grounds


@dataclass(frozen=True, slots=True)
class Withhold:
    """Not within this contact's life. `wake`: kinds of fact after which it is worth asking again."""

    wake: tuple[str, ...]
    grounds: Grounds


@dataclass(frozen=True, slots=True)
class Review:
    """A person must decide."""

    grounds: Grounds


Verdict = Permit | Defer | Withhold | Review


def binding(verdict: Verdict) -> Finding | None:
    """The finding that decided: what bars or reviews, else the latest `until` of those that do not allow it now.

    A rule that only moves a moment on, to which others had deferred (the cap frees at midnight, the morning opens at
    eight), is not the one that decided. A bar without an end outlasts one with an end.
    """
    ranks = {"bar": 3, "review": 2, "defer": 1}
    deciding = [f for f in verdict.grounds.findings if f.effect in ranks]
    if not deciding:
        return None
    return max(
        deciding,
        key=lambda f: (ranks[f.effect], f.asked_from is None, _lasts(f)),
    )


def _lasts(finding: Finding) -> float:
    return float("inf") if finding.until is None else finding.until.timestamp()
