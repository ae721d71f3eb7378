"""Each field of a case is deleted and spoiled in turn: a refusal, no permit, or a meaning that is written down here.

Refused cases are refused whole, with the field; nothing else may be raised. What is still permitted stands in
`DEFINED`, and what a spoiled field lets through although the case itself was silenced stands in `LET_THROUGH`: each
with the reason for which that is not a hole.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest
from pydantic import BaseModel

from duecourse.compliance.contract import decide_case
from duecourse.compliance.contract_forms import CaseIn
from duecourse.errors import InvalidInput
from tests.compliance.corrupted import DELETED, PERMITTED, SILENT, fields, spoiled, spoilings

LEFT_OUT = frozenset({"deleted", "null"})
OTHER_TEXT = frozenset(
    {
        "garbage",
        "a zone that is not",
        "long ago",
        "far ahead",
        "far ahead in another offset",
        "the first date",
        "the last date",
        "a year later",
        "a day of the next year",
        "no offset",
    }
)
LATER = frozenset({"a year later", "a day of the next year", "the last date"})
EMPTY = frozenset({"empty list"})
TWICE = frozenset({"twice"})
OTHER_CASE = frozenset({"other case"})
GARBAGE = frozenset({"a list of garbage"})

NOTICES = frozenset(
    {
        "the notice before credit reporting, in China and in spite of a hold",
        "a creditor's notice of negative information",
    }
)
LETTERS = frozenset({"a collector's validation notice by letter", "a creditor's notice of negative information"})
ASKS_FOR_CONSENT = frozenset(
    {"a collector's e-mail in New York City", "a creditor's e-mail in the District of Columbia"}
)
CASES = PERMITTED | SILENT
EVERY = frozenset(PERMITTED)
UNASKED = EVERY - ASKS_FOR_CONSENT


@dataclass(frozen=True)
class Meaning:
    """In these cases a permit stands although these fields are spoiled in these ways, for a reason."""

    fields: tuple[str, ...]
    ways: frozenset[str]
    reason: str
    cases: frozenset[str] = EVERY


DEFINED = (
    Meaning(("packs",), LEFT_OUT, "they follow from the residence"),
    Meaning(
        ("packs.#",),
        frozenset({"deleted"}),
        "whoever names packs says which apply; the last one cannot be left out",
        EVERY - {"an agency's call in Quebec", "a call in Korea"} - LETTERS - {"a collector's call in New York State"},
    ),
    Meaning(
        (
            "packs",
            "lender.agreements",
            "borrower.zones",
            "borrower.consents",
            "borrower.preferences",
            "borrower.holds",
            "borrower.consents.#.debts",
            "borrower.preferences.#.weekdays",
            "history.#.debts",
            "history.#.conversation_debts",
            "milestones",
            "request.debts",
        ),
        TWICE,
        "said twice it says the same",
    ),
    Meaning(
        ("history",),
        TWICE,
        "a contact that stands twice counts twice; two more are within every cap but that of Massachusetts",
        EVERY - {"a creditor's second call in Massachusetts"},
    ),
    Meaning(
        ("lender.agreements",),
        EMPTY | GARBAGE | frozenset({"deleted"}),
        "no association binds this lender; the names are those of packs, and any lender may hold others",
    ),
    Meaning(("lender.agreements.#",), OTHER_TEXT | OTHER_CASE | {"deleted"}, "an agreement that no rule asks about"),
    Meaning(("lender.licences",), LEFT_OUT | GARBAGE, "not known: rules for licensed lenders bind"),
    Meaning(("borrower.id",), OTHER_TEXT | OTHER_CASE, "a name that no rule reads"),
    Meaning(("borrower.language",), OTHER_CASE | {"deleted"}, "a language that no rule reads"),
    Meaning(("borrower.residence",), LEFT_OUT, "packs and zones are named; without packs it is refused to guess them"),
    Meaning(
        ("borrower.residence.region", "borrower.residence.city", "borrower.residence.postal_code"),
        LEFT_OUT,
        "an unknown state or city counts as every one that a rule asks for",
    ),
    Meaning(
        ("borrower.residence.region",),
        frozenset({"other case"}),
        "ny is NY; Seoul's is a number",
        EVERY - {"a call in Korea"},
    ),
    Meaning(
        ("borrower.residence.region",),
        frozenset({"the first date", "the last date", "a day of the next year"}),
        "what follows the last dash is a code as US-NY's is, of a region that no rule names",
    ),
    Meaning(
        ("borrower.residence.city", "borrower.residence.postal_code"),
        OTHER_TEXT,
        "places are not checked against a gazetteer; the other one of the two still decides",
    ),
    Meaning(("borrower.residence.city",), OTHER_CASE, "cities are read in any case"),
    Meaning(
        ("borrower.residence.postal_code",), OTHER_CASE, "codes with letters", frozenset({"an agency's call in Quebec"})
    ),
    Meaning(("borrower.zones",), LEFT_OUT, "they follow from residence and number"),
    Meaning(
        ("borrower.zones", "borrower.zones.#"),
        EMPTY | {"deleted"},
        "letters have no hour, and the hours of China and Korea no zone but their own",
        LETTERS | {"the notice before credit reporting, in China and in spite of a hold", "a call in Korea"},
    ),
    Meaning(
        ("borrower.consents", "borrower.consents.#"),
        EMPTY | {"deleted"},
        "no consent is on record, and none is needed",
        UNASKED,
    ),
    Meaning(
        ("borrower.consents.#.address", "borrower.consents.#.debts.#"),
        OTHER_TEXT,
        "a consent to something else, where none is needed",
        UNASKED,
    ),
    Meaning(("borrower.consents.#.debts",), GARBAGE, "a consent for other debts, where none is needed", UNASKED),
    Meaning(("borrower.consents.#.address",), OTHER_CASE | {"deleted"}, "one address in any case; left out: every one"),
    Meaning(("borrower.consents.#.debts", "borrower.consents.#.debts.#"), EMPTY | {"deleted"}, "it names no debt: all"),
    Meaning(("borrower.consents.#.at",), frozenset({"a year later"}), "no consent yet, and none is needed", UNASKED),
    Meaning(("borrower.consents.#.about",), frozenset({"deleted"}), "to be contacted, which is the least"),
    Meaning(("borrower.consents.#.until",), LEFT_OUT | LATER, "without an end, or with a later one"),
    Meaning(("borrower.consents.#.form",), LEFT_OUT, "how is not known, and no rule here asks"),
    Meaning(("borrower.preferences",), EMPTY, "nothing is inconvenient"),
    Meaning(("borrower.preferences.#",), frozenset({"deleted"}), "a wish that nobody told us of"),
    Meaning(
        ("borrower.preferences", "borrower.preferences.#"),
        LEFT_OUT | {"a list of objects", "empty object"},
        "no wish stops what the law demands to be said",
        NOTICES,
    ),
    Meaning(
        ("borrower.preferences.#.weekdays", "borrower.preferences.#.weekdays.#"),
        EMPTY | {"deleted"},
        "every day from 08:00 to 12:00, and it is noon",
    ),
    Meaning(
        tuple(f"borrower.preferences.#.{name}" for name in ("from", "to", "channel", "address", "place")),
        frozenset({"deleted"}),
        "all of it, on Sundays; it is Tuesday",
    ),
    Meaning(("borrower.preferences.#.address",), OTHER_TEXT, "a wish about another number"),
    Meaning(("borrower.preferences.#.until",), LEFT_OUT | LATER, "without an end, or with a later one"),
    Meaning(("borrower.holds",), EMPTY, "there is none"),
    Meaning(("borrower.holds.#",), frozenset({"deleted"}), "a hold that nobody told us of"),
    Meaning(
        ("borrower.holds.#.cause", "borrower.holds.#.debt"),
        OTHER_TEXT,
        "this hold is over, or stops no such notice whatever its cause and debt",
    ),
    Meaning(("borrower.holds.#.cause",), OTHER_CASE, "a cause that nobody knows holds like any other"),
    Meaning(("borrower.holds.#.debt",), LEFT_OUT, "a hold of the whole person, just as over"),
    Meaning(("borrower.holds.#.from",), LATER, "it has not begun, and stopped no such notice", NOTICES),
    Meaning(("borrower.holds.#.to",), LATER | {"deleted"}, "an open hold stops no such notice", NOTICES),
    Meaning(
        ("debts.#.product",),
        OTHER_TEXT | OTHER_CASE,
        "products are the lender's own words; a rule that spares one binds every word it does not know",
    ),
    Meaning(("debts.#.days_past_due",), frozenset({"a number"}), "17 days"),
    Meaning(("debts.#.account",), LEFT_OUT | OTHER_TEXT | OTHER_CASE, "accounts only merge debts, and this is alone"),
    Meaning(("debts.#.nature", "debts.#.obtained"), LEFT_OUT, "not known: the rules for consumers and collectors bind"),
    Meaning(("history",), EMPTY, "there was none"),
    Meaning(
        ("history",),
        LEFT_OUT,
        "no count and no cool-off is in force: for letters, for a notice that no cap stops, for an agency in Quebec",
        LETTERS | NOTICES | {"an agency's call in Quebec"},
    ),
    Meaning(("history.#",), frozenset({"deleted"}), "a contact that nobody told us of"),
    Meaning(("history.#.at",), frozenset({"a year later"}), "far from this one, it stands in no window with it"),
    Meaning(("history.#.address",), OTHER_TEXT, "a call to another number counts just the same"),
    Meaning(
        ("history.#.debts", "history.#.debts.#"), EMPTY | {"deleted"}, "about no debt in particular: counted for each"
    ),
    Meaning(("history.#.debts", "history.#.conversation_debts"), GARBAGE, "contacts about another debt"),
    Meaning(("history.#.debts.#", "history.#.conversation_debts.#"), OTHER_TEXT, "contacts about another debt"),
    Meaning(("history.#.obligation",), OTHER_TEXT | {"deleted"}, "what a past call was for; it counts just the same"),
    Meaning(
        ("history.#.conversation_debts", "history.#.conversation_debts.#"),
        EMPTY | {"deleted"},
        "the debts spoken of are those of the call",
    ),
    Meaning(("history.#.recipient",), frozenset({"deleted"}), "the debtor is the default"),
    Meaning(("history.#.place", "request.place"), LEFT_OUT, "an address that is tied to no place"),
    Meaning(("milestones",), EMPTY | LEFT_OUT, "nothing that happened; it makes notices due, and stops no contact"),
    Meaning(("milestones.#",), frozenset({"deleted"}), "the same"),
    Meaning(("milestones.#.kind",), OTHER_TEXT | OTHER_CASE, "the same"),
    Meaning(("milestones.#.debt",), OTHER_TEXT, "the same"),
    Meaning(("milestones.#.on",), LATER, "the same"),
    Meaning(
        ("request.address",),
        OTHER_TEXT,
        "where the contact goes is the adapter's to check: the zones are named, and no consent is needed",
        UNASKED,
    ),
    Meaning(
        ("request.address",), OTHER_CASE, "an e-mail address in any case, and a letter", LETTERS | ASKS_FOR_CONSENT
    ),
    Meaning(("request.recipient",), frozenset({"deleted"}), "the debtor is the default"),
    Meaning(
        ("request.obligation",),
        OTHER_TEXT | {"deleted"},
        "no notice in force is named: every rule for optional contacts applies, and lets it pass",
        EVERY - NOTICES,
    ),
    Meaning(
        ("request.obligation",),
        OTHER_CASE | {"null"},
        "as an optional letter it may go as well",
        frozenset({"a collector's validation notice by letter"}),
    ),
    Meaning(
        ("request.at", "request.not_after", "borrower.consents.#.at", "history.#.at"),
        OTHER_CASE,
        "t and z, for T and Z, are ISO 8601 as well",
    ),
    Meaning(("request.not_after",), LEFT_OUT | {"a year later"}, "thirty days are the default; a long life is a life"),
)

HOLD, REVOKED, WISH, CAP, TALK, STOP = SILENT
LET_THROUGH = (
    Meaning(
        (
            "borrower.holds",
            "borrower.holds.#",
            "borrower.consents",
            "borrower.consents.#",
            "borrower.preferences",
            "borrower.preferences.#",
            "history",
            "history.#",
        ),
        EMPTY | {"deleted"},
        "an empty list says that there is none, and what is not in a list was not told",
        frozenset(SILENT),
    ),
    Meaning(("borrower.holds.#.debt",), OTHER_TEXT, "another debt of the same person is disputed", frozenset({HOLD})),
    Meaning(("borrower.holds.#.from",), LATER, "it has not begun", frozenset({HOLD})),
    Meaning(
        ("borrower.consents.#.address", "borrower.preferences.#.address", "history.#.address", "request.address"),
        OTHER_TEXT,
        "what was said of one number is not said of another",
        frozenset({REVOKED, WISH, STOP}),
    ),
    Meaning(
        ("request.place",), LEFT_OUT, "the wish is about home, and this number is tied to no place", frozenset({WISH})
    ),
    Meaning(("history.#.at",), frozenset({"a year later"}), "far from this one", frozenset({CAP, TALK})),
    Meaning(("history.#.debts",), GARBAGE, "calls about another debt", frozenset({CAP})),
    Meaning(("history.#.debts.#",), OTHER_TEXT, "calls about another debt", frozenset({CAP})),
    Meaning(("history.#.conversation_debts",), GARBAGE, "they spoke of another debt", frozenset({TALK})),
    Meaning(("history.#.conversation_debts.#",), OTHER_TEXT, "they spoke of another debt", frozenset({TALK})),
)


@pytest.mark.parametrize("name", PERMITTED)
def test_a_spoiled_field_of_a_permitted_case_is_refused_or_no_permit_or_has_a_written_meaning(name: str) -> None:
    assert "permit" == decide_case(PERMITTED[name])["verdict"]
    assert set() == permits(name) - written_down(DEFINED, name)


@pytest.mark.parametrize("name", SILENT)
def test_a_spoiled_field_lets_nothing_through_that_was_silenced_but_for_a_written_reason(name: str) -> None:
    assert "permit" != decide_case(SILENT[name])["verdict"]
    assert set() == permits(name) - written_down(LET_THROUGH, name)


@pytest.mark.parametrize("meaning", [*DEFINED, *LET_THROUGH], ids=lambda meaning: meaning.reason)
def test_each_written_meaning_is_still_needed(meaning: Meaning) -> None:
    """By each of its fields, each of its ways and each of its cases: none was mended since."""
    held = {
        (name, field, way)
        for name in meaning.cases
        for field, way in permits(name)
        if field in meaning.fields and way in meaning.ways
    }
    assert set(meaning.fields) == {field for _, field, _ in held}
    assert meaning.ways == {way for _, _, way in held}
    assert meaning.cases == {name for name, _, _ in held}


def test_every_field_of_the_contract_stands_in_these_cases() -> None:
    here = {shape(path) for case in PERMITTED.values() for path, _ in fields(case)}
    assert set(every_field(CaseIn)) == {path for path in here if not path.endswith("#")} - {""}


def test_the_same_is_said_again_when_a_refused_case_is_mended() -> None:
    """A refusal leaves nothing behind."""
    case = PERMITTED["a collector's call in New York State"]
    before = decide_case(case)
    with pytest.raises(InvalidInput):
        decide_case(spoiled(case, ("request", "at"), "?"))
    assert before == decide_case(case)


@cache
def permits(name: str) -> frozenset[tuple[str, str]]:
    """Fields and ways of spoiling them after which the case of that name is still, or now, permitted."""
    case = CASES[name]
    found = set()
    for path, value in fields(case):
        for way, other in (("deleted", DELETED), *spoilings(value)):
            if other == value and type(other) is type(value):
                continue
            try:
                verdict = decide_case(spoiled(case, path, other))["verdict"]
            except InvalidInput:
                continue
            if verdict == "permit":
                found.add((shape(path), way))
    return frozenset(found)


def written_down(meanings: Iterable[Meaning], name: str) -> set[tuple[str, str]]:
    return {(field, way) for one in meanings if name in one.cases for field in one.fields for way in one.ways}


def shape(path: tuple[str | int, ...]) -> str:
    return ".".join("#" if isinstance(part, int) else part for part in path)


def every_field(model: type[BaseModel], prefix: str = "") -> Iterable[str]:
    """The fields of a form and of the forms in it, by the names that the contract gives them."""
    for name, field in model.model_fields.items():
        path = f"{prefix}{field.alias or name}"
        yield path
        inner = [one for one in (field.annotation, *_arguments(field.annotation)) if _is_form(one)]
        listed = "tuple" in str(field.annotation)
        for form in inner:
            yield from every_field(form, f"{path}{'.#' if listed else ''}.")


def _arguments(annotation: Any) -> list[Any]:
    found = []
    for one in getattr(annotation, "__args__", ()):
        found += [one, *_arguments(one)]
    return found


def _is_form(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)
