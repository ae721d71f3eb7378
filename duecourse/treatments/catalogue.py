"""The ladders that exist: files beside this one, read once, refused with line and remedy when they are wrong."""

from __future__ import annotations

import re
from functools import cache
from importlib import resources

from pydantic import ValidationError

from duecourse.errors import InvalidInput, NotFound
from duecourse.treatments.ladder import REVIEW_CHANNEL, Ladder, Tier
from duecourse.treatments.located import FieldPath, Located, read_yaml, remedy

_FOLDER = resources.files("duecourse.treatments") / "ladders"
_TIER_IN_MESSAGE = re.compile(r"\btier (\w+)")


class LadderRefused(InvalidInput):
    """A ladder file is wrong. `problems` holds each refusal, in the order of lines."""

    def __init__(self, source: str, problems: list[InvalidInput]) -> None:
        first = problems[0]
        super().__init__(first.field, first.value, first.expected, line=first.line)
        self.source = source
        self.problems = tuple(problems)
        self.args = ("\n".join(f"{source}: {problem}" for problem in problems),)


def ladder_ids() -> tuple[str, ...]:
    """The ids of all ladders that can be loaded, sorted."""
    files = (entry.name for entry in _FOLDER.iterdir())
    return tuple(sorted(name.removesuffix(".yaml") for name in files if name.endswith(".yaml")))


@cache
def load_ladder(ladder_id: str) -> Ladder:
    """A ladder by id.

    Raises:
        NotFound: there is no such ladder; names those that exist.
        LadderRefused: its file is wrong.
    """
    known = ladder_ids()
    if ladder_id not in known:
        raise NotFound("ladder", ladder_id, f"known ladders: {', '.join(known)}")
    source = f"{ladder_id}.yaml"
    ladder = parse_ladder((_FOLDER / source).read_text(encoding="utf-8"), source)
    if ladder.id != ladder_id:
        raise LadderRefused(source, [InvalidInput("id", ladder.id, f"{ladder_id!r}, as the file is called", line=1)])
    return ladder


def parse_ladder(text: str, source: str) -> Ladder:
    """Read a ladder from YAML; `source` names the file in a refusal.

    Raises:
        LadderRefused: with every problem: line, field, value, and what is expected instead.
    """
    try:
        document = read_yaml(text)
    except InvalidInput as problem:
        raise LadderRefused(source, [problem]) from problem
    try:
        ladder = Ladder.model_validate(document.data)
    except ValidationError as error:
        problems = [_problem(document, one["loc"], one["type"], one["msg"]) for one in error.errors()]
        raise LadderRefused(source, sorted(problems, key=lambda problem: problem.line or 0)) from error
    problems = _policy_problems(ladder, document)
    if problems:
        raise LadderRefused(source, problems)
    return ladder


def _problem(document: Located, loc: tuple[str | int, ...], kind: str, message: str) -> InvalidInput:
    """A refusal by pydantic in the words of the file."""
    path: FieldPath = tuple(part for part in loc if part != "[key]") or _whole_ladder(message)
    found = _at(document.data, path)
    if isinstance(found, dict):
        found = found.get("id", "…")
    value = found if isinstance(found, str | int | None) else "…"
    return InvalidInput(".".join(map(str, path)) or "ladder", value, remedy(kind, message), line=document.line(path))


def _whole_ladder(message: str) -> FieldPath:
    """The part of the file that a check of the whole ladder speaks of."""
    tier = _TIER_IN_MESSAGE.search(message)
    if tier is None:
        return ("rungs",) if "rung" in message else ()
    return ("tiers", tier.group(1)) if tier.group(1) in {one.value for one in Tier} else ("tiers",)


def _at(data: object, path: FieldPath) -> object:
    for part in path:
        if isinstance(data, dict):
            data = data.get(part)
        elif isinstance(data, list) and isinstance(part, int) and part < len(data):
            data = data[part]
        else:
            return None
    return data


def _policy_problems(ladder: Ladder, document: Located) -> list[InvalidInput]:
    """What the models allow and a lender would regret: omissions without a reason, changed legal forms."""
    problems: list[InvalidInput] = []

    def refuse(path: FieldPath, value: object, expected: str) -> None:
        problems.append(InvalidInput(".".join(map(str, path)), value, expected, line=document.line(path)))

    for tier, policy in ladder.tiers.items():
        here: FieldPath = ("tiers", tier.value)
        for field, reason in (("reason", policy.reason), ("reason_zh", policy.reason_zh)):
            if policy.omits and not reason.strip():
                refuse((*here, field), reason, "the reason for what this tier omits, as a borrower may hear it")
        for name, channels in policy.channels.items():
            rung = ladder.rung(name)
            path = (*here, "channels", name)
            if REVIEW_CHANNEL in rung.channels or REVIEW_CHANNEL in channels:
                refuse(path, name, "no channels here: a review has no other channel, and replaces none")
            elif rung.mandatory and not set(channels) <= set(rung.channels):
                refuse(path, name, "only the rung's own channels, in another order: its obligation fixes its forms")
    return problems
