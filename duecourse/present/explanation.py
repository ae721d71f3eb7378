"""`explain`: why each message went out and why each silence was kept, from the findings that were stored then.

Summary first, then each step in the order of time: what it is, what came of it, when (in the borrower's time and in
UTC), why (rule, tier, evidence, citation), and what would change it. Texts are personal and shown only on request.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from duecourse.compliance.explain import word
from duecourse.ledger.queries import Story
from duecourse.present.account import KEPT_BACK, WENT_OUT, Step, steps_of
from duecourse.present.prose import Prose
from duecourse.present.sentences import duty_of, finding_json, outcome_of, sentences_of, title_of
from duecourse.present.summary import summary_of, upcoming_of
from duecourse.present.words import Words, money, words_in


@dataclass(frozen=True, slots=True)
class Explained:
    """One step in words."""

    step: Step
    title: str
    duty: str
    outcome: str
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """A loan in words. `steps` are those asked for; the summary speaks of all."""

    story: Story
    words: Words
    now: datetime
    summary: tuple[str, ...]
    steps: tuple[Explained, ...]


def explain(
    story: Story, now: datetime, *, language: str | None = None, rung: str | None = None, every: bool = False
) -> Explanation:
    """Put a loan's record into words. `now` is business time, aware UTC.

    `language`: en or zh; left out: the borrower's. `rung`: one rung's steps only, each reason in full.
    `every`: all verdicts with all their findings.
    """
    words = words_in(language or story.language, story.zones)
    steps = steps_of(story, now)
    told: dict[str, date] = {}
    explained = []
    for step in steps:
        if rung is not None and step.rung.id != rung:
            continue
        explained.append(
            Explained(
                step,
                title_of(story, words, step.rung, step.episode, step.installment),
                duty_of(words, step.rung),
                outcome_of(words, story, step),
                tuple(sentences_of(story, words, step, told if rung is None else {}, now, every=every)),
            )
        )
    return Explanation(story, words, now, tuple(summary_of(story, words, steps, now)), tuple(explained))


def print_explanation(explanation: Explanation, console: Console, *, rung: str | None = None, texts: bool) -> None:
    """Print it: the summary of the whole loan, unless one rung was asked for, then the steps."""
    story, words = explanation.story, explanation.words
    line = story.line
    head = words.say(
        "head",
        balance=money(line.balance),
        total=money(story.loan.total),
        currency=line.currency,
        stage=words.say(line.stage, of="stages"),
        tier=word(line.tier, words.language),
    )
    console.print(Text.assemble((line.loan, "bold"), f"  {head}"))
    console.print(Text(words.say("as_of", moment=words.moment(explanation.now)), style="dim"))
    console.print()
    if rung is None:
        for said in explanation.summary:
            console.print(Padding(Prose(said), (0, 2)))
        console.print()
    if not explanation.steps and rung is not None:
        console.print(words.say("no_such_rung", rung=rung))
    table = Table.grid(padding=(0, 3))
    table.add_column(style="dim", no_wrap=True)
    table.add_column()
    for position, one in enumerate(explanation.steps):
        if position:
            table.add_row("", "")
        table.add_row("\n".join(words.clocks(one.step.at)), _block(one, words, texts=texts))
    console.print(table)


def explanation_json(explanation: Explanation, *, texts: bool) -> dict[str, Any]:
    """The same as JSON values; the keys are stable. Texts and addresses only on request."""
    story, words, line = explanation.story, explanation.words, explanation.story.line
    upcoming = upcoming_of(story, explanation.now)
    return {
        "lender": line.lender,
        "loan": line.loan,
        "as_of": explanation.now.isoformat(),
        "language": words.language,
        "zones": list(story.zones),
        "tier": line.tier,
        "stage": line.stage,
        "balance": str(line.balance),
        "currency": line.currency,
        "summary": list(explanation.summary),
        "steps": [_step_json(one, words, texts=texts) for one in explanation.steps],
        "next": None
        if upcoming is None
        else {
            "rung": upcoming.rung.id,
            "episode": upcoming.episode,
            "installment": upcoming.installment,
            "channel": upcoming.channel,
            "at": upcoming.at.isoformat(),
            "thinned": upcoming.thinned,
        },
    }


def _block(one: Explained, words: Words, *, texts: bool) -> RenderableType:
    comma = ", " if words.language == "en" else "，"
    channel = word(one.step.channel, words.language)
    title = Text.assemble((one.title, "bold"), (comma + comma.join([channel, one.duty]), "dim"), overflow="fold")
    parts: list[RenderableType] = [title, Prose(one.outcome, style=_colour(one.step))]
    parts += [Prose(said) for said in one.sentences]
    contact = one.step.contact
    if texts and contact is not None and contact.message is not None:
        message = contact.message
        said = words.say("texts_of", address=message.address.replace("\n", ", "), sender=message.sender)
        body = f"{message.subject}\n\n{message.text}" if message.subject else message.text
        parts.append(Panel(Prose(body.strip()), title=Text(said), title_align="left", border_style="dim"))
    return Group(*parts)


def _colour(step: Step) -> str:
    if step.outcome in WENT_OUT:
        return "green"
    return "yellow" if step.outcome in KEPT_BACK else "cyan"


def _step_json(one: Explained, words: Words, *, texts: bool) -> dict[str, Any]:
    step = one.step
    shown: dict[str, Any] = {
        "episode": step.episode,
        "installment": step.installment,
        "rung": step.rung.id,
        "title": one.title,
        "mandatory": step.rung.mandatory,
        "obligation": step.rung.obligation,
        "channel": step.channel,
        "at": step.at.isoformat(),
        "outcome": step.outcome,
        "reason": step.reason or None,
        "rule": step.rule or None,
        "wake": list(step.state.wake),
        "again_at": step.state.not_before.isoformat() if step.state.not_before else None,
        "contact": step.contact.id if step.contact else None,
        "sentences": list(one.sentences),
        "verdicts": [
            {
                "no": verdict.no,
                "at": verdict.at.isoformat(),
                "channel": verdict.channel,
                "verdict": verdict.kind,
                "rule": verdict.rule or None,
                "until": verdict.until.isoformat() if verdict.until else None,
                "hash": verdict.hash,
                "packs": [asdict(ref) for ref in verdict.grounds.packs],
                "findings": [finding_json(finding, words) for finding in verdict.grounds.findings],
            }
            for verdict in step.verdicts
        ],
    }
    if texts and step.contact is not None and step.contact.message is not None:
        message = step.contact.message
        shown["message"] = {
            "address": message.address,
            "sender": message.sender,
            "subject": message.subject,
            "text": message.text,
            "language": message.language,
        }
    return shown
