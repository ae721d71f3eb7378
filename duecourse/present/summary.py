"""The first sentences of an explanation: what was kept back and why, what went out all the same, what comes next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from duecourse.compliance.explain import finding_reason, word
from duecourse.ledger.queries import Story
from duecourse.loans.decisions import Close, Contact, Review, Wait
from duecourse.present.account import WENT_OUT, Step
from duecourse.present.sentences import kept_back, obligation_of, outcome_of, reason_name, title_of
from duecourse.present.words import Words
from duecourse.treatments.ladder import REVIEW_CHANNEL, Rung
from duecourse.treatments.thinning import thin

_COMMON = ("sms", "email", "call", "letter")


@dataclass(frozen=True, slots=True)
class Upcoming:
    """The step that the loan waits for or takes now. `at` is aware UTC."""

    episode: str
    installment: str
    rung: Rung
    channel: str
    at: datetime
    thinned: bool  # its tier will leave it out when its moment comes


def upcoming_of(story: Story, now: datetime) -> Upcoming | None:
    """The next step; None where nothing falls due, or the loan is closed."""
    step = story.loan.next(now)
    match step:
        case Wait(until=until, why=why) if why.count("/") == 2:
            episode, installment, name = why.split("/")
        case Contact() | Review():
            episode, installment, name, until = step.episode, step.installment, step.rung, now
        case _:
            return None
    rung = story.loan.ladder.rung(name)
    plan = story.plan
    here = plan is not None and (plan.episode, plan.installment, plan.rung) == (episode, installment, name)
    if plan is not None and here:
        channel, until = plan.channel, max(until, plan.planned_at)
    else:
        candidate = story.loan.upcoming(now)
        channel = candidate.channel if candidate is not None else rung.channels[0]
    thinned = thin(rung, story.loan_tier, story.loan.ladder) is not None
    return Upcoming(episode, installment, rung, channel, until, thinned)


def summary_of(story: Story, words: Words, steps: Sequence[Step], now: datetime) -> list[str]:
    """Three to six sentences, from the stored record and the loan as it stands now."""
    if not steps:
        return [words.say("no_steps"), *_now(story, words, now), _next(story, words, now)]
    return [
        *_silences(story, words, steps),
        *_went_out(words, steps),
        *_mandatory(story, words, steps),
        *_now(story, words, now),
        _next(story, words, now),
    ]


def _silences(story: Story, words: Words, steps: Sequence[Step]) -> Iterator[str]:
    silent = kept_back(steps)
    if not silent:
        yield words.say("silent_none")
        return
    groups = Counter((one.reason, one.rule if one.reason == "other" else "") for one in silent)
    channels = Counter(one.channel for one in silent)
    reasons = [(reason_name(words, story, reason, rule), count) for (reason, rule), count in groups.most_common()]
    each = [words.say("because_of", n=count, reason=reason) for reason, count in reasons]
    yield words.say(
        "silent_all" if len(reasons) == 1 else "silent",
        count=words.say("steps_one" if len(silent) == 1 else "steps_many", n=len(silent)),
        channels=words.listed(
            [words.say("times", n=n, channel=word(name, words.language)) for name, n in channels.most_common()]
        ),
        reasons=reasons[0][0] if len(reasons) == 1 else words.listed(each),
    )
    most = groups.most_common(1)[0][0][0]
    first = next(one for one in silent if one.reason == most)
    if most == "tier" and first.finding is not None:
        evidence = dict(first.finding.evidence)
        yield words.say("tier_reason", **evidence)
    elif first.finding is not None:
        said = finding_reason(first.finding, words.language)
        stop = "." if words.language == "en" else "。"
        yield f"{said[:1].upper()}{said[1:]} ({first.finding.rule}, {first.finding.citation}){stop}"


def _went_out(words: Words, steps: Sequence[Step]) -> Iterator[str]:
    sent = [one for one in steps if not one.rung.mandatory and one.message and one.outcome in WENT_OUT]
    silent = {one.channel for one in kept_back(steps)}
    if sent:
        days = {
            channel: words.days(words.local_day(one.at) for one in sent if one.channel == channel)
            for channel in _COMMON
            if any(one.channel == channel for one in sent)
        }
        listed = [
            words.say("sent_on", channel=word(channel, words.language), days=said) for channel, said in days.items()
        ]
        yield words.say("sent_optional", list=words.say("semicolon").join(listed))
    for channel in ("sms", "email", "call"):
        if channel in silent and not any(one.channel == channel for one in sent):
            yield words.say("no_optional", channel=word(channel, words.language))
            break


def _mandatory(story: Story, words: Words, steps: Sequence[Step]) -> Iterator[str]:
    notices = [one for one in steps if one.rung.mandatory]
    semicolon = words.say("semicolon")
    sent = [
        words.say(
            "notice_sent",
            title=one.rung.title if words.language == "en" else one.rung.title_zh,
            obligation=obligation_of(words, one.rung),
            channel=word(one.channel, words.language),
            day=words.day(words.local_day(one.at)),
        )
        for one in notices
        if one.outcome in WENT_OUT
    ]
    if sent:
        yield words.say("mandatory_sent", list=semicolon.join(sent))
    unsent = [
        words.say(
            "notice_unsent",
            title=title_of(story, words, one.rung, one.episode, one.installment),
            obligation=obligation_of(words, one.rung),
            outcome=outcome_of(words, story, one)[:1].lower() + outcome_of(words, story, one)[1:],
        )
        for one in notices
        if one.outcome not in WENT_OUT
    ]
    if unsent:
        yield words.say("mandatory_unsent", list=semicolon.join(unsent))


def _now(story: Story, words: Words, now: datetime) -> Iterator[str]:
    """What keeps the loan quiet today."""
    loan, today = story.loan, story.loan.terms.book_date(now)
    if loan.closed():
        return
    if story.paused_since is not None:
        yield words.say("paused_now")
    for held in loan.holds():
        if held.covers(today):
            yield words.say("hold_now", cause=word(held.cause, words.language), day=words.day(held.starts))
    promise = loan.promise_in_force(today)
    if promise is not None:
        yield words.say("promise_now", day=words.day(promise.by))


def _next(story: Story, words: Words, now: datetime) -> str:
    step = story.loan.next(now)
    if isinstance(step, Close):
        return words.say("next_paid" if step.reason == "paid" else "next_closed")
    upcoming = upcoming_of(story, now)
    if upcoming is None:
        return words.say("next_nothing")
    title = title_of(story, words, upcoming.rung, upcoming.episode, upcoming.installment)
    if upcoming.channel == REVIEW_CHANNEL:
        return words.say("next_review", title=title, moment=words.moment(upcoming.at))
    return words.say(
        "next_thinned" if upcoming.thinned else "next",
        title=title,
        channel=word(upcoming.channel, words.language),
        moment=words.moment(upcoming.at),
        tier=word(story.line.tier, words.language),
    )
