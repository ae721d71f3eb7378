"""The contract of `decide`, version 1: a case as JSON in, a verdict as JSON out. The schema is made from these models.

A list that is left out is unknown, and what needs it fails closed; `[]` means that there is none. Instants are
ISO 8601 with an offset; output is UTC with `Z`. `python -m duecourse.compliance.contract` prints the JSON Schema.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from pydantic import ValidationError
from pydantic.json_schema import models_json_schema

from duecourse.compliance.case import (
    Case,
    Consent,
    Debt,
    Event,
    Hold,
    Lender,
    Milestone,
    Person,
    Place,
    Preference,
    Request,
    SendWindow,
)
from duecourse.compliance.contract_forms import CaseIn, EventIn, PreferenceIn, VerdictOut
from duecourse.compliance.gate import decide
from duecourse.compliance.local_time import parse_minutes
from duecourse.compliance.location import derive_zones
from duecourse.compliance.packs import PackSet, load_packs
from duecourse.compliance.verdict import Defer, Finding, Obligation, Permit, Review, Verdict, Withhold
from duecourse.errors import InvalidInput

LIFE = timedelta(days=30)
LONGEST_LIFE = timedelta(days=3653)
BEGINNING_OF_RULES = datetime(2000, 1, 1, tzinfo=UTC)
"""Before it no pack has rules, and a request would be lawful for want of any."""


def decide_document(text: str, packs: PackSet | None = None) -> str:
    """A case as JSON text to a verdict as JSON text; raises InvalidInput with field path, value, what is expected."""
    return json.dumps(decide_case(parse_case(text), packs), ensure_ascii=False, indent=2)


def parse_case(text: str) -> Any:
    """JSON text as values, not yet checked as a case; raises InvalidInput with the line."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise InvalidInput(
            "case", error.doc[error.pos : error.pos + 20], f"JSON ({error.msg})", line=error.lineno
        ) from error
    except (RecursionError, ValueError) as error:  # the interpreter's own limits on nesting and on digits
        raise InvalidInput("case", "…", "JSON with fewer brackets inside each other and shorter numbers") from error


def decide_case(data: Any, packs: PackSet | None = None) -> dict[str, Any]:
    """A case as parsed JSON to a verdict as JSON values, under the given packs or those that come with Duecourse."""
    known = packs if packs is not None else shipped_packs()
    return verdict_to_json(decide(read_case(data, known), known))


def read_case(data: Any, packs: PackSet) -> Case:
    """Check a case against the contract, fill its defaults, and make it what the gate takes."""
    try:
        case = CaseIn.model_validate_json(json.dumps(data, default=str))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise InvalidInput(_path(first["loc"]), _shown(first["input"]), _expected(first)) from error
    _check(case, packs)
    request, borrower = case.request, case.borrower
    residence = None if borrower.residence is None else Place(**borrower.residence.model_dump())
    phone = request.address if request.channel in ("call", "sms") else None
    return Case(
        packs=case.packs or packs.ids_for(residence),
        lender=Lender(case.lender.role, case.lender.agreements, case.lender.licences),
        person=Person(
            id=borrower.id,
            residence=residence,
            zones=borrower.zones if borrower.zones is not None else derive_zones(residence, phone),
            language=borrower.language,
            consents=_each(borrower.consents, lambda c: Consent(**{**dict(c), "at": _utc(c.at)})),
            preferences=_each(borrower.preferences, _preference),
            holds=_each(borrower.holds, lambda h: Hold(h.cause, h.debt, h.from_, h.to)),
        ),
        debts=tuple(Debt(**dict(debt)) for debt in case.debts),
        history=_each(case.history, lambda e: Event(**{**dict(e), "at": _utc(e.at), "debts": _spoken_of(e, case)})),
        request=Request(
            channel=request.channel,
            address=request.address,
            recipient=request.recipient,
            debts=request.debts,
            purpose=request.purpose,
            obligation=request.obligation,
            at=_utc(request.at),
            not_after=_utc(request.not_after) if request.not_after is not None else _utc(request.at) + LIFE,
            window=SendWindow(),
            place=request.place,
        ),
        milestones=_each(case.milestones, lambda m: Milestone(m.kind, m.debt, m.on)),
    )


def verdict_to_json(verdict: Verdict) -> dict[str, Any]:
    """The outside form of a verdict: JSON values only."""
    grounds = verdict.grounds
    shown: dict[str, Any] = {"version": 1}
    match verdict:
        case Permit(closes=closes):
            shown |= {"verdict": "permit", "closes": _instant(closes)}
        case Defer(opens=opens, closes=closes):
            shown |= {"verdict": "defer", "until": _instant(opens), "closes": _instant(closes)}
        case Withhold(wake=wake):
            shown |= {"verdict": "withhold", "wake": list(wake)}
        case Review():
            shown |= {"verdict": "review"}
    return (
        shown
        | {
            "packs": [{"id": ref.id, "version": ref.version, "hash": ref.hash} for ref in grounds.packs],
            "findings": [_finding(finding) for finding in grounds.findings],
            "obligations": [_obligation(owed) for owed in grounds.obligations],
            "required_content": list(grounds.required_content),
        }
        | ({"forbidden_content": list(grounds.forbidden_content)} if grounds.forbidden_content else {})
    )


def json_schema() -> dict[str, Any]:
    """The JSON Schema of case and verdict, under $defs CaseIn and VerdictOut."""
    _, schema = models_json_schema([(CaseIn, "validation"), (VerdictOut, "validation")], by_alias=True)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "The contract of `decide`, version 1",
        "description": "A case conforms to $defs/CaseIn, its verdict to $defs/VerdictOut.",
        "oneOf": [{"$ref": "#/$defs/CaseIn"}, {"$ref": "#/$defs/VerdictOut"}],
        **schema,
    }


@cache
def shipped_packs() -> PackSet:
    """The packs that come with Duecourse, loaded once per process."""
    return load_packs()


def _each(items: Any, make: Any) -> Any:
    return None if items is None else tuple(make(item) for item in items)


def _preference(given: PreferenceIn) -> Preference:
    return Preference(
        weekdays=given.weekdays,
        from_minute=parse_minutes(given.from_),
        to_minute=parse_minutes(given.to),
        channel=given.channel,
        address=given.address,
        until=given.until,
        place=given.place,
    )


def _spoken_of(event: EventIn, case: CaseIn) -> tuple[str, ...]:
    """A contact about no debt in particular counts for each of them; a consent that names none reaches none."""
    return event.debts if event.debts or event.result == "consent" else tuple(debt.id for debt in case.debts)


def _check(case: CaseIn, packs: PackSet) -> None:
    """What spans several fields, or needs the packs."""
    for index, name in enumerate(case.packs or ()):
        if name not in packs.packs:
            raise InvalidInput(f"packs.{index}", name, f"one of {', '.join(sorted(packs.packs))}")
    names = {debt.id for debt in case.debts}
    if len(names) < len(case.debts):
        raise InvalidInput("debts", [debt.id for debt in case.debts], "each debt once")
    for index, name in enumerate(case.request.debts):
        if name not in names:
            raise InvalidInput(f"request.debts.{index}", name, f"one of the debts: {', '.join(sorted(names))}")
    for index, preference in enumerate(case.borrower.preferences or ()):
        if parse_minutes(preference.from_) == parse_minutes("24:00"):
            raise InvalidInput(f"borrower.preferences.{index}.from", preference.from_, "a time before 24:00")
        if parse_minutes(preference.from_) == parse_minutes(preference.to):
            raise InvalidInput(
                f"borrower.preferences.{index}.to",
                preference.to,
                "another time than `from`; 00:00 to 24:00 is the whole day",
            )
    for index, held in enumerate(case.borrower.holds or ()):
        if held.to is not None and held.to < held.from_:
            raise InvalidInput(f"borrower.holds.{index}.to", held.to.isoformat(), "a day at or after `from`, or null")
    for where, name in _debts_named(case):
        near = [known for known in names if known.casefold() == name.casefold()]
        if name not in names and near:
            raise InvalidInput(where, name, f"the debt's id to the letter: {near[0]}")
    request = case.request
    if request.at < BEGINNING_OF_RULES:
        raise InvalidInput("request.at", request.at.isoformat(), f"an instant from {BEGINNING_OF_RULES:%Y} on")
    if request.not_after is not None and not timedelta(0) <= request.not_after - request.at <= LONGEST_LIFE:
        raise InvalidInput(
            "request.not_after",
            request.not_after.isoformat(),
            "an instant at or after request.at, and within ten years of it",
        )


def _debts_named(case: CaseIn) -> Iterator[tuple[str, str]]:
    """Where the case speaks of debts outside `debts` and the request: other debts of the person may be named there."""
    borrower = case.borrower
    for index, consent in enumerate(borrower.consents or ()):
        yield from ((f"borrower.consents.{index}.debts", name) for name in consent.debts)
    for index, held in enumerate(borrower.holds or ()):
        if held.debt is not None:
            yield f"borrower.holds.{index}.debt", held.debt
    for index, event in enumerate(case.history or ()):
        yield from ((f"history.{index}.debts", name) for name in event.debts)
        yield from ((f"history.{index}.conversation_debts", name) for name in event.conversation_debts)
    for index, milestone in enumerate(case.milestones or ()):
        yield f"milestones.{index}.debt", milestone.debt


def _finding(finding: Finding) -> dict[str, Any]:
    until = {} if finding.until is None else {"until": _instant(finding.until)}
    return {
        "rule": finding.rule,
        "effect": finding.effect,
        "strength": finding.strength,
        **until,
        "citation": finding.citation,
        "because": finding.because,
    }


def _obligation(owed: Obligation) -> dict[str, Any]:
    return {
        "rule": owed.rule,
        "debt": owed.debt,
        "earliest": None if owed.earliest is None else owed.earliest.isoformat(),
        "latest": None if owed.latest is None else owed.latest.isoformat(),
        "forms": list(owed.forms),
    }


def _instant(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _utc(instant: datetime) -> datetime:
    return instant.astimezone(UTC)


def _path(where: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in where) or "case"


def _shown(value: object) -> object:
    return value if len(repr(value)) <= 80 else repr(value)[:77] + "..."


def _expected(problem: Any) -> str:
    match problem["type"]:
        case "extra_forbidden":
            return "no such field; remove it or check its spelling"
        case "missing":
            return f"the field {problem['loc'][-1]}, which is missing"
        case "value_error":
            return str(problem["ctx"]["error"])
        case "timezone_aware":
            return "an ISO 8601 instant with an offset, such as 2026-03-06T13:30:00Z"
        case _:
            return str(problem["msg"]).removeprefix("Input should be ")


if __name__ == "__main__":
    sys.stdout.write(json.dumps(json_schema(), ensure_ascii=False, indent=2) + "\n")
