"""The demo's change of policy: published while the loans run, its difference in words, and the next steps under it."""

from __future__ import annotations

from collections.abc import Iterator

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from duecourse.cli.pack_folders import packs_in
from duecourse.client import list_loans, publish_packs, story
from duecourse.compliance.differences import differences
from duecourse.compliance.explain import finding_reason, word
from duecourse.compliance.verdict import PackRef
from duecourse.ledger import published
from duecourse.ledger.queries import StoredVerdict
from duecourse.loans.story import Publish
from duecourse.present.account import main_finding
from duecourse.present.handbook import HASH_SHOWN, changes_text
from duecourse.present.tables import verdict_in_words
from duecourse.present.words import words_in
from duecourse.sandbox.demo import EXAMPLES, PolicyChange, Run


async def publish_policy(run: Run, publication: Publish, say: Console) -> None:
    """Publish the packs of a folder as `starter.py packs publish` does, and say what changed."""
    found = packs_in(EXAMPLES / publication.folder)
    for _, refused in found.refused:
        raise refused
    session = run.session
    before = (await session.ledger.consulting(published.in_force)).packs
    await publish_packs(session, [pack.documents() for pack in found.packs])
    words = words_in("en")
    for pack in found.packs:
        was = before[pack.id]
        run.policies.append(PolicyChange(publication.at, was, pack))
        changes = [one for one in differences(was, pack) if not one.path.endswith(".zh")]
        say.print(f"  {publication.at:%d %b} {pack.id}: published. {publication.note}", highlight=False)
        for line in changes_text(was, pack, changes, words).splitlines():
            say.print(f"    {line}", highlight=False, style="dim")


async def print_policies(run: Run, say: Console) -> None:
    """For each publication: the same step of the ladder, decided under the version before and under the new one."""
    told = [await story(run.session, line.lender, line.loan) for line in await list_loans(run.session)]
    verdicts = {one.line.loan: one.verdicts for one in told}
    for change in run.policies:
        say.print(
            f"{change.after.id}: the same steps before and after its change of {change.at:%d %b %Y}", style="bold"
        )
        table = Table(box=SIMPLE_HEAD, pad_edge=False)
        for name in ("Decided at", "Loan", "Step", "Verdict"):
            table.add_column(name, no_wrap=True)
        for name in ("Why", "Under version"):
            table.add_column(name)
        for pair in _pairs(verdicts, change):
            for loan, verdict in pair:
                table.add_row(*_row(loan, verdict, change.after.id))
        say.print(table)


Decided = tuple[str, StoredVerdict]


def _pairs(verdicts: dict[str, tuple[StoredVerdict, ...]], change: PolicyChange) -> Iterator[tuple[Decided, Decided]]:
    """For each step of a ladder that a changed rule decided: the last verdict before, and that one."""
    changed = {one.where for one in differences(change.before, change.after)}
    decided = sorted(
        ((loan, one) for loan, several in verdicts.items() for one in several if _ref(one, change.after.id)),
        key=lambda pair: (pair[1].at, pair[0]),
    )
    for rung in dict.fromkeys(one.rung for _, one in decided):
        mine = [pair for pair in decided if pair[1].rung == rung]
        old = [pair for pair in mine if _under(pair[1], change.before.hash) and pair[1].kind == "permit"]
        new = [pair for pair in mine if _under(pair[1], change.after.hash) and pair[1].rule in changed]
        if old and new:
            yield old[-1], new[0]


def _row(loan: str, verdict: StoredVerdict, pack: str) -> tuple[str | Text, ...]:
    ref, finding = _ref(verdict, pack), main_finding(verdict)
    return (
        f"{verdict.at:%d %b %H:%M} UTC",
        loan,
        f"{verdict.rung}, {word(verdict.channel)}",
        verdict_in_words(verdict.kind),
        f"{finding_reason(finding, 'en')} ({finding.rule})" if finding is not None else "",
        f"{ref.version} {ref.hash[:HASH_SHOWN]}" if ref is not None else "",
    )


def _ref(verdict: StoredVerdict, pack: str) -> PackRef | None:
    return next((one for one in verdict.grounds.packs if one.id == pack), None)


def _under(verdict: StoredVerdict, hash_: str) -> bool:
    return any(one.hash == hash_ for one in verdict.grounds.packs)
