"""What a message can speak of, and how money and dates are written in its language.

A template sees strings only, already written for its language and channel. A value that is absent is absent there too,
so that a text which needs it fails instead of saying "None".
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Final

from babel import Locale, UnknownLocaleError
from babel.dates import format_date
from babel.numbers import NumberPattern, format_currency, get_currency_name, parse_pattern

from duecourse.messages.segments import plain_typography

# The word that ends messages to one address when it is sent back.
_OPT_OUT_WORD: Final = {"en": "STOP", "zh": "TD"}


@dataclass(frozen=True, slots=True)
class Item:
    """One line of an itemised debt."""

    label: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class MessageContext:
    """The facts behind one message; money in `currency`, dates as the lender's book has them.

    Args:
        creditor: to whom the money is owed.
        lender: who made or serves the loan and writes, unless a collector does.
        amount_due: what this message asks for: the installment, or all that is past due.
        balance: what is owed on the loan in all.
        payment_link: where to pay.
        contact_number: where a person answers.
        reminders: when further reminders come, one phrase each, in the message's language; empty: none come.
        opt_out: the word to send back to end messages to this address; by default the language's usual one.
        reference: the loan as the borrower knows it, truncated if it is an account number.
        collector: the debt collector who writes; with it, a text carries what the law asks of a collector.
        dispute_until: the last day on which a dispute stops collection.
        report_on: the day on which the missed payment goes to the credit bureau.
        itemised_on: the day that the itemisation starts from.
    """

    borrower_name: str
    creditor: str
    lender: str
    amount_due: Decimal
    balance: Decimal
    currency: str
    payment_link: str
    contact_number: str
    due_on: date | None = None
    installment_no: int | None = None
    days_past_due: int | None = None
    reminders: tuple[str, ...] = ()
    opt_out: str | None = None
    reference: str | None = None
    collector: str | None = None
    collector_address: str | None = None
    dispute_until: date | None = None
    report_on: date | None = None
    itemised_on: date | None = None
    itemisation: tuple[Item, ...] = ()


@dataclass(frozen=True, slots=True)
class WrittenItem:
    label: str
    amount: str


Written = str | tuple[str, ...] | tuple[WrittenItem, ...]

# `sender` is who writes: the collector where there is one, else the lender. `language` is the text's own.
VARIABLES: Final = frozenset({field.name for field in fields(MessageContext)} - {"currency"} | {"sender", "language"})


def written(context: MessageContext, language: str, locale_tag: str, channel: str) -> dict[str, Written]:
    """The context as a template sees it.

    Args:
        language: of the template: "en", "zh".
        locale_tag: of the borrower, in the same language: "en-IN" groups digits otherwise than "en".
        channel: SMS gets plain typography, so that the text can stay in the GSM alphabet.
    """
    locale = _locale(locale_tag, language)
    values: dict[str, Written] = {
        "sender": context.collector or context.lender,
        "language": language,
        "opt_out": context.opt_out or _OPT_OUT_WORD.get(language, _OPT_OUT_WORD["en"]),
    }
    for field in fields(MessageContext):
        match field.name, getattr(context, field.name):
            case ("currency", _) | (_, None):
                continue
            case _, Decimal() as amount:
                values[field.name] = money(amount, context.currency, locale, channel)
            case _, date() as day:
                values[field.name] = format_date(day, "medium", locale=locale)
            case _, int() as number:
                values[field.name] = str(number)
            case "itemisation", items:
                values["itemisation"] = tuple(
                    WrittenItem(_one_line(item.label), money(item.amount, context.currency, locale, channel))
                    for item in items
                )
            case "reminders", phrases:
                values["reminders"] = tuple(_one_line(phrase) for phrase in phrases)
            case name, text:
                values[name] = _one_line(text)
    if channel != "sms":
        return values
    return {name: plain_typography(value) if isinstance(value, str) else value for name, value in values.items()}


@lru_cache(maxsize=4096)
def money(amount: Decimal, currency: str, locale: Locale, channel: str) -> str:
    """An amount with its currency: "$1,200.00", "CNY 1,200.00", "1,200.00元".

    Outside China a sign such as ¥ or ₹ is no part of the GSM alphabet, and one of it would triple an SMS's cost: the
    ISO code says the same. A Chinese SMS has no grouping, as is usual there.
    """
    pattern = _amount_pattern(locale)
    grouped = not (locale.language == "zh" and channel == "sms")
    number = format_currency(amount, currency, format=pattern, locale=locale, group_separator=grouped)
    match locale.language, currency:
        case "zh", "CNY":
            return f"{number}元"
        case "zh", _:
            return f"{number}{get_currency_name(currency, locale=locale)}"
        case _, "USD":
            return f"-${number[1:]}" if amount < 0 else f"${number}"
        case _:
            return f"{currency} {number}"


@lru_cache(maxsize=64)
def _amount_pattern(locale: Locale) -> NumberPattern:
    return parse_pattern(locale.currency_formats["standard"].pattern.replace("¤", "").strip("\u00a0 "))


@lru_cache(maxsize=64)
def _locale(tag: str, language: str) -> Locale:
    try:
        return Locale.parse(tag, sep="-")
    except (UnknownLocaleError, ValueError):
        return Locale.parse(language)


def _one_line(text: str) -> str:
    """A value is never more than one line: a line break in a name must not begin a header or a paragraph."""
    return " ".join(text.split())
