"""What a borrower's reply says, by rule: words in order in a clause that nothing before them takes back.

The rules are data (replies.yaml) and versioned. Nothing is guessed: what no rule covers, or what a negation, a
condition or a doubt makes unsure, is unclassified and goes to a person.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Final, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field

Kind = Literal["stop", "wrong_person", "dispute", "lawyer", "hardship", "paid_claim"]

LONGEST_REPLY: Final = 2_000
"""Characters that are read; what says nothing in so many is for a person."""

_RULES: Final = Path(__file__).with_name("replies.yaml")
_GAP: Final = ".."
_GAP_WORDS: Final = 4
_GAP_CHARACTERS: Final = 8
_LONGEST_WORD: Final = 4  # tokens of a negation, a doubt, a subject or a break
_WRITTEN_WITHOUT_SPACES: Final = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
_ENDS: Final = re.compile(r"(?<=[.!?;:\n。！？；：…])")
_COMMAS: Final = re.compile(r"[,，、]")
_APOSTROPHES: Final = re.compile(r"['’‘`´]")
_WORD: Final = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]|[^\W_\u3400-\u9fff\uf900-\ufaff]+")
_QUESTION: Final = re.compile(r"[?？]|[吗么]\s*[?？。.!！]*$")
_JOINTS: Final = frozenset({"and", "so", "y", "et"})
_COMMA: Final = ","

Words = dict[str, tuple[str, ...]]


class _KindFile(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    in_questions: bool = False
    whole: Words = Field(default_factory=dict)
    says: Words = Field(default_factory=dict)


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    version: date
    polite: Words
    harmless: Words
    negations: Words
    doubts: Words
    subjects: Words
    breaks: Words
    kinds: dict[Kind, _KindFile]


Tokens = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Phrase:
    """Steps to find one after the other; before a step with `gap`, other words may stand."""

    rule: str
    steps: tuple[tuple[frozenset[Tokens], bool], ...]
    room: int  # how many tokens a gap may have


@dataclass(frozen=True, slots=True)
class _Rule:
    in_questions: bool
    whole: frozenset[Tokens]
    phrases: dict[str, tuple[_Phrase, ...]]  # by their first word


@dataclass(frozen=True, slots=True)
class _Rules:
    version: str
    polite: tuple[Tokens, ...]
    harmless: tuple[Tokens, ...]
    negations: frozenset[Tokens]  # these and doubts take the meaning of what follows away
    doubts: frozenset[Tokens]
    subjects: frozenset[Tokens]
    breaks: frozenset[Tokens]
    kinds: tuple[tuple[Kind, _Rule], ...]


@dataclass(frozen=True, slots=True)
class _Clause:
    tokens: Tokens
    shadows: tuple[int, ...]  # where a negation, a condition or a doubt begins
    question: bool


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reply says, in the order of the rules; empty: unclassified. `rules`: the lines that say so."""

    kinds: tuple[Kind, ...]
    rules: tuple[str, ...]
    version: str

    @property
    def unclassified(self) -> bool:
        return not self.kinds


def read_reply(text: str) -> Reading:
    """Classify a reply in any language of replies.yaml. Never raises, whatever was written."""
    rules = _rules()
    plain = _plain(text[:LONGEST_REPLY])
    found: list[Kind] = []
    lines: list[str] = []
    alone = _bare(_tokens(plain), rules.polite)
    clauses = tuple(_clauses(plain, rules))
    for kind, rule in rules.kinds:
        line = f"{kind}:whole" if alone in rule.whole and not _asks(plain, rule) else _said(clauses, rule)
        if line is not None:
            found.append(kind)
            lines.append(line)
    return Reading(tuple(found), tuple(lines), rules.version)


def _asks(plain: str, rule: _Rule) -> bool:
    return not rule.in_questions and _QUESTION.search(plain.strip()) is not None


def _said(clauses: Iterable[_Clause], rule: _Rule) -> str | None:
    for clause in clauses:
        if clause.question and not rule.in_questions:
            continue
        for start, token in enumerate(clause.tokens):
            for phrase in rule.phrases.get(token, ()):
                if _stands(clause, phrase, start):
                    return phrase.rule
    return None


def _stands(clause: _Clause, phrase: _Phrase, start: int) -> bool:
    """Whether the phrase begins at `start` and nothing before it, or in its gaps, takes it back."""
    return any(
        not any(at < own[-1] and at not in own for at in clause.shadows)
        for own in _matches(clause.tokens, phrase, start)
    )


def _matches(tokens: Tokens, phrase: _Phrase, start: int) -> Iterator[tuple[int, ...]]:
    """The positions of the phrase's own tokens, for each way in which it fits from `start` on."""

    def onward(step: int, at: int, own: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
        if step == len(phrase.steps):
            yield own
            return
        words, gap = phrase.steps[step]
        for begin in range(at, min(at + (phrase.room if gap else 0), len(tokens) - 1) + 1):
            for word in words:
                if _begins(tokens, begin, word):
                    yield from onward(step + 1, begin + len(word), (*own, *range(begin, begin + len(word))))

    yield from onward(0, start, ())


def _begins(tokens: Tokens, at: int, word: Tokens) -> bool:
    return tokens[at : at + len(word)] == word


def _clauses(plain: str, rules: _Rules) -> Iterator[_Clause]:
    """The clauses of a text. A negation reaches as far as its clause."""
    for sentence in _ENDS.split(plain):
        question = _QUESTION.search(sentence.strip()) is not None
        clause: list[str] = []
        tokens = _without(_tokens(_COMMAS.sub(f" {_COMMA} ", sentence), commas=True), rules.harmless)
        for at, token in enumerate(tokens):
            if _any_begins(tokens, at, rules.breaks) or (
                (token == _COMMA or token in _JOINTS) and _any_begins(tokens, at + 1, rules.subjects)
            ):
                yield _clause(clause, question, rules)
                clause = []
            elif token != _COMMA:
                clause.append(token)
        yield _clause(clause, question, rules)


def _clause(words: Sequence[str], question: bool, rules: _Rules) -> _Clause:
    tokens = tuple(words)
    # "Could you stop" is a request: in a question a doubt takes nothing away from what may be asked for.
    takes_back = rules.negations if question else rules.negations | rules.doubts
    return _Clause(tokens, tuple(at for at in range(len(tokens)) if _any_begins(tokens, at, takes_back)), question)


def _any_begins(tokens: Tokens, at: int, words: frozenset[Tokens]) -> bool:
    return any(tokens[at : at + length] in words for length in range(1, _LONGEST_WORD + 1))


def _without(tokens: Tokens, words: Sequence[Tokens]) -> Tokens:
    firsts = {one[0] for one in words}
    kept: list[str] = []
    at = 0
    while at < len(tokens):
        word = next((one for one in words if _begins(tokens, at, one)), None) if tokens[at] in firsts else None
        if word is None:
            kept.append(tokens[at])
        at += 1 if word is None else len(word)
    return tuple(kept)


def _plain(text: str) -> str:
    """Compatibility forms, case, accents and apostrophes aside."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    # Hangul and kana must stay composed; only Latin letters lose their marks.
    unmarked = "".join(
        unicodedata.normalize("NFD", sign)[0] if unicodedata.name(sign, "").startswith("LATIN") else sign
        for sign in folded
    )
    return re.sub(r"\b(j|c|n|d|l|s|m|t|qu)['’]", r"\1 ", unmarked)


def _tokens(plain: str, *, commas: bool = False) -> Tokens:
    """Words; of what is written without spaces, characters."""
    pieces: list[str] = []
    for piece in _APOSTROPHES.sub("", plain).split():
        if commas and piece == _COMMA:
            pieces.append(piece)
        else:
            pieces += _WORD.findall(piece)
    return tuple(pieces)


def _bare(tokens: Tokens, polite: Sequence[Tokens]) -> Tokens:
    """The reply without greetings, and said once where it is said several times."""
    changed = True
    while changed and tokens:
        changed = False
        for word in polite:
            if tokens[: len(word)] == word and len(tokens) > len(word):
                tokens, changed = tokens[len(word) :], True
            if tokens[-len(word) :] == word and len(tokens) > len(word):
                tokens, changed = tokens[: -len(word)], True
    return tokens[:1] if len(set(tokens)) == 1 else tokens


@lru_cache(maxsize=1)
def _rules() -> _Rules:
    file = _File.model_validate(yaml.safe_load(_RULES.read_text("utf-8")))
    kinds = tuple(
        (
            kind,
            _Rule(
                in_questions=one.in_questions,
                whole=frozenset(_word(text) for texts in one.whole.values() for text in texts),
                phrases=_by_first_word(
                    _phrase(f"{kind}:{language}:{number}", text)
                    for language, texts in one.says.items()
                    for number, text in enumerate(texts, start=1)
                ),
            ),
        )
        for kind, one in file.kinds.items()
    )
    return _Rules(
        version=file.version.isoformat(),
        polite=tuple(sorted(_all(file.polite), key=len, reverse=True)),
        harmless=tuple(sorted(_all(file.harmless), key=len, reverse=True)),
        negations=_all(file.negations),
        doubts=_all(file.doubts),
        subjects=_all(file.subjects),
        breaks=_all(file.breaks),
        kinds=kinds,
    )


def _by_first_word(phrases: Iterable[_Phrase]) -> dict[str, tuple[_Phrase, ...]]:
    found: dict[str, list[_Phrase]] = {}
    for phrase in phrases:
        for first in sorted({word[0] for word in phrase.steps[0][0]}):
            found.setdefault(first, []).append(phrase)
    return {first: tuple(those) for first, those in found.items()}


def _all(words: Words) -> frozenset[Tokens]:
    return frozenset(_word(text) for texts in words.values() for text in texts)


def _word(text: str) -> Tokens:
    return _tokens(_plain(text))


def _phrase(rule: str, text: str) -> _Phrase:
    steps: list[tuple[frozenset[Tokens], bool]] = []
    gap = False
    for piece in text.split():
        if piece == _GAP:
            gap = True
            continue
        steps.append((frozenset(_word(one) for one in piece.split("|")), gap))
        gap = False
    room = _GAP_CHARACTERS if _WRITTEN_WITHOUT_SPACES.search(text) else _GAP_WORDS
    return _Phrase(rule, tuple(steps), room)
