"""Where following a peer would be wrong, or where anyone must choose: what we chose, in words and per row.

A row marked `deliberate` passes with the peer's own answer, with the value given here for its id, or, where only
the family has a decision, with any well-formed answer of ours that is no error.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Decision:
    """What we do in a family, why, and the rows for which that is not what the peer does."""

    words: str
    instead: dict[str, dict[str, Any]] = field(default_factory=dict)


DECISIONS: dict[str, Decision] = {
    "delinquent_days": Decision(
        "Only the days of a pause that overlap the overdue time are taken off, and a day in two pauses counts once. A "
        "pause before the debt was due, or one that encloses another, makes nobody look less late than they are."
    ),
    "repayment_in_pause": Decision(
        "Money goes to the oldest debt first, pause or not; what is then unpaid is counted from its own due date, less "
        "the pause days that overlap it."
    ),
    "hold_validation": Decision(
        "Pauses may touch and never overlap, also not by enclosing one another: the day on which one ends is free."
    ),
    "stage_by_days": Decision(
        "The stage is the last rung whose day has come. A late look does not skip what lies below: each notice is "
        "still entered once, in order."
    ),
    "stage_with_hold": Decision("A hold that covers the day clears the stage; the debt itself stays on record."),
    "reanchor": Decision(
        "Every rung is computed from the due date of the oldest unpaid debt, never from the last run. When the anchor "
        "moves, each rung is still entered, once and in order."
    ),
    "ladder_previous_relative": Decision(
        "Every level counts from the due date: one relative to the level before it is written as the sum of both, and "
        "the end of a month as the days until it. Looked at every day that is the same; after a late run the peer "
        "moves all later levels, and we do not, since a notice's date is the borrower's and not the batch's."
    ),
    "run_order": Decision("One step at a time: a late start takes the rungs in order, none of them twice."),
    "regf_time": Decision(
        "With no known place there is no lawful hour: nothing goes out, and a person is told why. No default zone."
    ),
    "window_contains": Decision("Windows are half-open: the opening minute is inside, the closing minute is not."),
    "window_next": Decision(
        "Windows are half-open: at the closing minute the next lawful moment is the next opening.",
        {"NOVU-next-at-end": {"next": "2024-01-02T09:00:00Z"}},
    ),
    "window_malformed": Decision(
        "Hours that open and close at the same minute can mean always or never: they are refused, and nobody guesses.",
        {"NOVU-equal-hours": {"refused": True}},
    ),
    "weekday_schedule": Decision(
        "A time that has passed today is meant for the next such weekday, not for at once; a local time that the clock "
        "change leaves out begins when the clock goes on."
    ),
    "stage_by_amount": Decision("A threshold is reached at its own value, and the last one reached gives the stage."),
    "reminder_dates": Decision(
        "A rung belongs to its date and stays due until it went out or its life is over; a missed day is caught up."
    ),
    "behaviour": Decision(
        "Running twice adds nothing: a rung is claimed once. A hold stops the ladder, and an unknown zone is refused."
    ),
    "regf_calls": Decision(
        "What cannot be shown not to count is counted, per debt and in every window of seven days that contains it."
    ),
    "regf_preference": Decision(
        "What the consumer named as inconvenient is kept for every channel that it can mean; a reply goes out once."
    ),
    "throttle": Decision("The cap counts reservations, so that of any number of attempts at once, cap many pass."),
}
