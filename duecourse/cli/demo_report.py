"""What the demo ends with: loans, messages, verdicts, the policy's change, two texts, and one borrower's question."""

from __future__ import annotations

from rich.console import Console
from rich.padding import Padding
from rich.panel import Panel
from rich.text import Text

from duecourse.cli.demo_policy import print_policies
from duecourse.client import overview, story
from duecourse.compliance.explain import word
from duecourse.ledger import queries
from duecourse.ledger.queries import StoredContact
from duecourse.present.explanation import explain, print_explanation
from duecourse.present.prose import Prose
from duecourse.present.tables import loans_table, messages_table, verdicts_table
from duecourse.sandbox.demo import Run

SECOND_LOAN = ("qinghe", "QH-1002")  # examples/README.md says what is to be seen in it


async def print_report(run: Run, say: Console) -> None:
    """Print the report of a demo that has lived through its story."""
    session = run.session
    book = await overview(session)
    say.print(loans_table(book.loans))
    say.print(messages_table(book.contacts))
    say.print(verdicts_table(book.verdicts, book.packs))
    await print_policies(run, say)
    contacts = await session.ledger.consulting(queries.all_contacts)
    for contact in _two_texts(contacts):
        say.print(_text(contact))
    say.rule(f"Why did {SECOND_LOAN[1]} get no optional SMS?", style="dim")
    told = await story(session, *SECOND_LOAN)
    now = await session.now()
    print_explanation(explain(told, now, language="en"), say, texts=False)
    say.print()
    for said in explain(told, now, language="zh").summary:
        say.print(Padding(Prose(said), (0, 2)))
    say.print(f"\nAll of it in Chinese: python starter.py explain {SECOND_LOAN[1]} --lang zh", style="dim")


def _two_texts(contacts: list[StoredContact]) -> list[StoredContact]:
    """The first text message in each of two languages; mail, where no text message was sent in one."""
    found: dict[str, StoredContact] = {}
    for channel in ("sms", "email"):
        for contact in contacts:
            if contact.channel == channel and contact.message is not None and len(found) < 2:
                found.setdefault(contact.message.language, contact)
    return list(found.values())


def _text(contact: StoredContact) -> Panel:
    assert contact.message is not None  # chosen for it
    title = Text(f"{contact.loan}: {contact.rung} by {word(contact.channel)} to {contact.message.address}")
    return Panel(Prose(contact.message.text.strip()), title=title, title_align="left", border_style="dim")
