"""The gate's case for one rung on one channel, from the rows of a dossier. Ids and zones only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

from duecourse.compliance.case import Case, Debt, Event, Hold, Lender, Milestone, Person, Request, SendWindow
from duecourse.errors import InvalidInput
from duecourse.ledger.approvals import approved_rules
from duecourse.ledger.dossier import ContactRow, Dossier
from duecourse.loans.loan import Candidate

LONGEST_LIFE = timedelta(days=30)  # how far a mandatory rung looks ahead for a lawful moment
ROUND_THE_EARTH = timedelta(days=2)  # a book date and a borrower's date are at most so far apart
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
    rung = candidate.rung
    ends = candidate.expires_on
    not_after = at + LONGEST_LIFE if ends is None else datetime.combine(ends, time(0), UTC) + LAST_ZONE
    request = Request(
        channel=channel,
        address=point.id,
        recipient="debtor",
        debts=(dossier.loan.terms.loan,),
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
        place=point.place,
        approved=approved_rules(dossier.loan, dossier.rows, candidate.claim),
    )
    return _case(dossier, request, without)


def case_of_act(dossier: Dossier, at: datetime) -> Case:
    """The case of an act at the instant `at` (aware UTC), or of what is owed then: it reaches nobody, so no channel."""
    request = Request(
        channel="letter",
        address="-",
        recipient="debtor",
        debts=(dossier.loan.terms.loan,),
        purpose="legal",
        obligation=None,
        at=at,
        not_after=at,
    )
    return _case(dossier, request, None)


def _case(dossier: Dossier, request: Request, without: str | None) -> Case:
    loan = dossier.loan
    today = loan.terms.book_date(request.at)
    # The lender's own packs come on top: none of them can switch off the law of the borrower's place.
    packs = tuple(dict.fromkeys((*dossier.packs.ids_for(dossier.person.residence), *dossier.lender.packs)))
    past = dossier.past
    known = history_known(dossier, packs, today)
    return Case(
        packs=packs,
        lender=Lender(dossier.lender.role, dossier.lender.agreements, dossier.lender.licences),
        person=Person(
            id=dossier.person.id,
            residence=dossier.person.residence,
            zones=dossier.person.zones,
            language=dossier.person.language,
            consents=dossier.consents,
            preferences=past.preferences if known else None,
            holds=_holds(dossier),
        ),
        debts=(
            Debt(
                id=loan.terms.loan,
                product=loan.terms.product,
                days_past_due=loan.past_due_days(today),
                balance=loan.balance,
                currency=loan.terms.currency,
                account=dossier.standing.account,
                nature=dossier.standing.nature,
                obtained=dossier.standing.obtained,
            ),
        ),
        history=_history(dossier, without) if known else None,
        request=request,
        milestones=_milestones(dossier) if known else None,
    )


def history_known(dossier: Dossier, packs: tuple[str, ...], today: date) -> bool:
    """Whether all that can matter to this loan on that book date is on record.

    Either the lender declared the history complete, or from a day on that lies neither after the loan's own beginning
    nor inside the longest window in which a rule of these packs counts.
    """
    if dossier.person.history == "complete" or dossier.past.complete:
        return True
    since = dossier.past.complete_since
    if since is None:
        return False
    terms = dossier.loan.terms
    begins = terms.placed_on or terms.disbursed_on
    try:
        counts_back = timedelta(seconds=dossier.packs.select(packs).longest) + ROUND_THE_EARTH
    except InvalidInput:  # the gate says which pack is missing
        return False
    return begins is not None and since <= begins and since + counts_back <= today


def _milestones(dossier: Dossier) -> tuple[Milestone, ...]:
    """What the loan's own terms say, and what was recorded."""
    terms = dossier.loan.terms
    own = (("disbursed", terms.disbursed_on), ("placed", terms.placed_on))
    return (
        *(Milestone(kind, terms.loan, day) for kind, day in own if day is not None),
        *(one for one in dossier.past.milestones if one.debt == terms.loan),
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
    """What was sent to the person for any of their loans, and what was recorded about the time before us.

    What was certainly not accepted never happened.
    """
    places = {(point.channel, point.id): point.place for point in dossier.points}
    own = tuple(_event(one, places) for one in dossier.contacts if one.state != "released" and one.id != without)
    if not dossier.past.events:
        return own
    # Whoever leaves the loans out of an old contact must not thereby free a cap that counts for each debt.
    here = (dossier.loan.terms.loan,)
    return (*(event if event.debts else replace(event, debts=here) for event in dossier.past.events), *own)


def _event(contact: ContactRow, places: Mapping[tuple[str, str], str | None]) -> Event:
    return Event(
        at=contact.at,
        channel=contact.channel,
        direction="outbound",
        address=contact.contact_point,
        debts=(contact.loan,),
        purpose=contact.purpose,
        result=_RESULTS.get(contact.state, contact.state),
        obligation=contact.obligation or None,
        place=places.get((contact.channel, contact.contact_point)),
    )
