"""`may-act`: what a lender's own programs ask before they report a loan, accelerate it, or sue."""

from __future__ import annotations

from typing import Annotated

import typer

from duecourse.cli.command import LenderId, LoanId, command
from duecourse.cli.desk import Answer, Desk
from duecourse.client import find, may_act, story
from duecourse.compliance.rules import Act
from duecourse.errors import InvalidInput, NotAllowed
from duecourse.present.acts import act_in_words, act_json
from duecourse.present.words import words_in

ACTS: tuple[Act, ...] = ("report", "accelerate", "sue", "legal")


def add_to(app: typer.Typer) -> None:
    command(app, "may-act", needs="ledger")(ask)


async def ask(
    desk: Desk,
    act: Annotated[str, typer.Argument(metavar="report|accelerate|sue|legal", help="What is to follow.")],
    loan: LoanId,
    lang: Annotated[str | None, typer.Option(help="en or zh; the borrower's language if left out.")] = None,
    lender: LenderId = None,
) -> Answer:
    """May the loan be reported to a bureau, accelerated, sued for, or handed to the legal department, as of now?

    Answers with rule, citation, what is missing, and from when. Exit code 0: it may follow now; 5: not, or not yet.
    """
    if act not in ACTS:
        raise InvalidInput("act", act, ", ".join(ACTS))
    if lang not in (None, "en", "zh"):
        raise InvalidInput("--lang", lang, "en or zh")
    async with desk.session() as opened:
        key = await find(opened, loan, lender)
        answer = await may_act(opened, *key, act)
        told = await story(opened, *key)
        now = await opened.now()
    words = words_in(lang or told.language, told.zones)
    code = 0 if answer.effect == "allow" else NotAllowed.exit_code
    return Answer(act_json(answer, *key, now, words), act_in_words(answer, loan, words), code)
