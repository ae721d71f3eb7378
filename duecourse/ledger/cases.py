"""The gate's case for one rung on one channel, from the rows of a dossier. Ids and zones only."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from duecourse.compliance.case import Case, Debt, Event, Hold, Lender, Person, Request, SendWindow
from duecourse.ledger.dossier import ContactRow, Dossier
from duecourse.loans.loan import Candidate

LONGEST_LIFE = timedelta(days=30)  # how far a mandatory rung looks ahead for a lawful moment
LAST_ZONE = timedelta(hours=12)  # a date ends this long after 24:00 UTC somewhere on Earth

_RESULTS = {"accepted": "sent", "shadow": "sent", "delivered": "delivered", "failed": "undelivered"}


def case_for(
    dossier: Dossier, candidate: Candidate, channel: str, at: datetime, *, without: str | None = None
) -> Case | None:
    """The case at the instant `at` (aware UTC); None where the channel has no usable contact point.

    `without`: a contact that is decided again and must not count against itself.
    """
    point = dossier.point(channel)
    if point is None:
        return None
    loan = dossier.loan
    rung = candidate.rung
    today = loan.terms.book_date(at)
    ends = candidate.expires_on
    not_after = at + LONGEST_LIFE if ends is None else datetime.combine(ends, time(0), UTC) + LAST_ZONE
    return Case(
        # The lender's own packs come on top: none of them can switch off the law of the borrower's place.
        packs=tuple(dict.fromkeys((*dossier.packs.ids_for(dossier.person.residence), *dossier.lender.packs))),
        lender=Lender(dossier.lender.role, dossier.lender.agreements),
        person=Person(
            id=dossier.person.id,
            residence=dossier.person.residence,
            zones=dossier.person.zones,
            language=dossier.person.language,
            consents=dossier.consents,
            preferences=(),
            holds=_holds(dossier),
        ),
        debts=(
            Debt(
                id=loan.terms.loan,
                product=loan.terms.product,
                days_past_due=loan.past_due_days(today),
                balance=loan.balance,
                currency=loan.terms.currency,
            ),
        ),
        history=_history(dossier, without) if dossier.person.history_known else None,
        request=Request(
            channel=channel,
            address=point.id,
            recipient="debtor",
            debts=(loan.terms.loan,),
            purpose=rung.purpose,
            obligation=rung.obligation,
            at=at,
            not_after=max(not_after, at),
            window=SendWindow(
                not_before=candidate.due_on,
                not_after=None if ends is None else ends - timedelta(days=1),
                from_minute=rung.window.from_minute,
                to_minute=rung.window.to_minute,
            ),
        ),
    )


def _holds(dossier: Dossier) -> tuple[Hold, ...]:
    loan = dossier.loan
    debt = loan.terms.loan
    placed = [Hold(one.cause, None if one.scope == "person" else debt, one.starts, one.ends) for one in loan.holds()]
    promised = [
        Hold("promise", debt, loan.terms.book_date(one.at), one.by + timedelta(days=1))
        for one in loan.promises.values()
        if not loan.kept(one)
    ]
    return (*placed, *promised)


def _history(dossier: Dossier, without: str | None) -> tuple[Event, ...]:
    """What was sent to the person for any of their loans. What was certainly not accepted never happened."""
    return tuple(_event(one) for one in dossier.contacts if one.state != "released" and one.id != without)


def _event(contact: ContactRow) -> Event:
    return Event(
        at=contact.at,
        channel=contact.channel,
        direction="outbound",
        address=contact.contact_point,
        debts=(contact.loan,),
        purpose=contact.purpose,
        result=_RESULTS.get(contact.state, contact.state),
        obligation=contact.obligation or None,
    )
