"""Findings and verdicts in words, English and Chinese, that a support agent could read to the borrower.

Sentences stand in `sentences.yaml`; what fills them is the finding's own evidence, so that a stored finding can be
said in either language years later, without the facts from which it came.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import resources
from string import Formatter
from typing import Literal

import yaml

from duecourse.compliance.facts import Evidence
from duecourse.compliance.local_time import zone_named
from duecourse.compliance.verdict import Defer, Finding, Permit, Review, Verdict, Withhold

Language = Literal["en", "zh"]
_LISTS = frozenset({"channels", "allowed"})
_READ = _LISTS | {"recipient"}


@dataclass(frozen=True, slots=True)
class _Phrases:
    sentences: dict[str, dict[str, str]]
    frames: dict[str, dict[str, str]]
    citations: dict[str, dict[str, str]]
    verdicts: dict[str, dict[str, str]]
    words: dict[str, dict[str, str]]
    wakes: dict[str, dict[str, str]]


def because(message: str, evidence: Evidence) -> str:
    """The reason alone, in English: what a verdict carries."""
    return _reason(message, evidence, "en")


def explain_finding(finding: Finding, language: str = "en", zone: str = "UTC") -> str:
    """One finding as a sentence: reason, rule, citation and next moment, in the clock of `zone`."""
    lang = _language(language)
    phrases = _phrases()
    reason = finding_reason(finding, lang)
    if finding.effect == "bar" and finding.strength == "treatment":
        frame = "own"
    elif finding.effect == "bar" and finding.until is not None:
        frame = "bar_until"
    elif finding.effect == "defer" and finding.asked_from is not None:
        frame = "moved"
    else:
        frame = finding.effect
    text = phrases.frames[frame][lang].format(
        because=reason if frame in ("warn", "moved") else reason[:1].upper() + reason[1:],
        rule=finding.rule,
        citation=_citation(finding, lang),
        until=_moment(finding.until, zone, lang),
    )
    if finding.grade != "M":
        return text
    return text + (" " if lang == "en" else "") + phrases.frames["unverified"][lang].strip()


def finding_reason(finding: Finding, language: str = "en") -> str:
    """The reason of a stored finding alone, without a full stop at its end."""
    try:
        reason = _reason(finding.message, finding.evidence, _language(language))
    except KeyError:
        # Stored years ago: its sentence was since dropped, or asks for evidence that was not kept then.
        reason = finding.because
    return reason.rstrip(".。")


def word(name: str, language: str = "en") -> str:
    """A channel, cause, tier or role as people say it; the name itself where no word stands for it."""
    words = _phrases().words
    return words[name][_language(language)] if name in words else name


def explain_verdict(verdict: Verdict, language: str = "en", zone: str = "UTC") -> list[str]:
    """The verdict, each finding that had a say in a sentence, and last after what it is worth asking again."""
    lang = _language(language)
    verdicts = _phrases().verdicts
    match verdict:
        case Permit(closes=closes):
            first = verdicts["permit"][lang].format(closes=_moment(closes, zone, lang))
        case Defer(opens=opens, closes=closes):
            first = verdicts["defer"][lang].format(opens=_moment(opens, zone, lang), closes=_moment(closes, zone, lang))
        case Withhold():
            first = verdicts["withhold"][lang]
        case Review():
            first = verdicts["review"][lang]
    said = [first, *(explain_finding(finding, lang, zone) for finding in verdict.grounds.findings)]
    return [*said, _wakes(verdict.wake, lang)] if isinstance(verdict, Withhold) and verdict.wake else said


def _wakes(kinds: tuple[str, ...], language: Language) -> str:
    phrases = _phrases()
    facts = [phrases.wakes[kind][language] if kind in phrases.wakes else kind for kind in kinds]
    return phrases.verdicts["wake"][language].format(wakes=(" or " if language == "en" else "，或").join(facts))


def _language(language: str) -> Language:
    return "zh" if language.startswith("zh") else "en"


def _reason(message: str, evidence: Evidence, language: Language) -> str:
    values = dict(evidence)
    words = _phrases().words
    said = ""
    for text, name in _template(message, language):
        said += text
        if name is not None:
            value = values[name]
            # Most of what fills a sentence is a number, a date or a time.
            said += _word(name, value, language, words) if name in _READ or value in words else value
    return said


@cache
def _template(message: str, language: Language) -> tuple[tuple[str, str | None], ...]:
    """A sentence as texts, each with the name of what stands after it: read once, filled for every finding."""
    sentence = _phrases().sentences[message][language]
    return tuple((text, name) for text, name, _, _ in Formatter().parse(sentence))


def _word(name: str, value: str, language: Language, words: Mapping[str, Mapping[str, str]]) -> str:
    if name == "recipient" and value == "attorney":
        return words["attorney_role"][language]
    if name in _LISTS:
        return (", " if language == "en" else "、").join(
            words[part][language] if part in words else part for part in value.split(", ")
        )
    return words[value][language] if value in words else value


def _citation(finding: Finding, language: Language) -> str:
    citations = _phrases().citations
    if finding.message == "tier":
        tier = word(dict(finding.evidence)["tier"], language)
        ladder = finding.pack.removeprefix("ladder:")
        return citations["ladder"][language].format(ladder=ladder, version=finding.version, tier=tier)
    return citations[finding.citation][language] if finding.citation in citations else finding.citation


def _moment(instant: datetime | None, zone: str, language: Language) -> str:
    if instant is None:
        return "-"
    local = instant.astimezone(zone_named(zone))
    said = f"{local:%Y-%m-%d %H:%M:%S}" if local.second else f"{local:%Y-%m-%d %H:%M}"
    return f"{said} ({zone})" if language == "en" else f"{said}（{zone}）"


@cache
def _phrases() -> _Phrases:
    raw = yaml.safe_load(resources.files(__package__).joinpath("sentences.yaml").read_text(encoding="utf-8"))
    return _Phrases(raw["sentences"], raw["frames"], raw["citations"], raw["verdicts"], raw["words"], raw["wakes"])
