"""Permitted cases with every field of the contract written out, and the ways in which a field can be spoiled."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

Path = tuple[str | int, ...]
DELETED = "deleted"

_FULL: dict[str, Any] = {
    "version": 1,
    "packs": ["us/federal"],
    "lender": {"role": "third_party_collector", "agreements": ["none/such"], "licences": []},
    "borrower": {
        "id": "B-1",
        "residence": {"country": "US", "region": "NY", "city": "Albany", "postal_code": "12207"},
        "zones": ["America/New_York"],
        "language": "en",
        "consents": [
            {
                "channel": "email",
                "address": "b1@mail.example",
                "state": "given",
                "at": "2026-01-05T10:00:00Z",
                "about": "contact",
                "debts": ["L-1"],
                "until": "2027-01-05",
                "form": "written",
            }
        ],
        "preferences": [
            {
                "weekdays": ["SUN"],
                "from": "08:00",
                "to": "12:00",
                "channel": "call",
                "address": "+12125550100",
                "place": "home",
                "until": "2026-12-31",
            }
        ],
        "holds": [{"cause": "dispute", "debt": "L-1", "from": "2026-01-01", "to": "2026-02-01"}],
    },
    "debts": [
        {
            "id": "L-1",
            "product": "card",
            "days_past_due": 40,
            "balance": "500.00",
            "currency": "USD",
            "account": "A-1",
            "nature": "consumer",
            "obtained": "in_default",
        }
    ],
    "history": [
        {
            "at": "2026-03-05T15:00:00Z",
            "channel": "call",
            "direction": "outbound",
            "address": "+12125550100",
            "debts": ["L-1"],
            "purpose": "collection",
            "result": "no_answer",
            "obligation": None,
            "conversation_debts": ["L-1"],
            "recipient": "debtor",
            "place": "home",
        }
    ],
    "milestones": [{"kind": "assigned", "debt": "L-1", "on": "2026-01-02"}],
    "request": {
        "channel": "call",
        "address": "+12125550100",
        "recipient": "debtor",
        "debts": ["L-1"],
        "purpose": "collection",
        "obligation": None,
        "at": "2026-03-10T12:00:00-04:00",
        "not_after": "2026-04-09T12:00:00-04:00",
        "place": "home",
    },
}


def _case(
    *, lender: str = "third_party_collector", place: dict[str, Any] | None = None, **request: Any
) -> dict[str, Any]:
    case = deepcopy(_FULL)
    case["lender"]["role"] = lender
    if place is not None:
        case["borrower"] |= {"residence": place["residence"], "zones": [place["zone"]]}
        case["packs"] = place["packs"]
        case["debts"][0]["currency"] = place["currency"]
    case["request"] |= request
    return case


def _place(country: str, region: str, city: str, code: str, zone: str, currency: str, *packs: str) -> dict[str, Any]:
    residence = {"country": country, "region": region, "city": city, "postal_code": code}
    return {"residence": residence, "zone": zone, "currency": currency, "packs": list(packs)}


_BOSTON = _place("US", "MA", "Boston", "02108", "America/New_York", "USD", "us/federal", "us/massachusetts")
_NEW_YORK = _place("US", "NY", "New York", "10001", "America/New_York", "USD", "us/federal", "us/new_york_city")
_WASHINGTON = _place(
    "US", "DC", "Washington", "20001", "America/New_York", "USD", "us/federal", "us/district_of_columbia"
)
_SHANGHAI = _place("CN", "SH", "Shanghai", "200000", "Asia/Shanghai", "CNY", "cn", "lender/default")
_SEOUL = _place("KR", "11", "Seoul", "03000", "Asia/Seoul", "KRW", "kr")
_MONTREAL = _place("CA", "QC", "Montreal", "H2Y 1C6", "America/Toronto", "CAD", "ca/quebec")


def _held(case: dict[str, Any]) -> dict[str, Any]:
    case["borrower"]["holds"] = [{"cause": "stop_collection", "debt": "L-1", "from": "2026-03-01", "to": None}]
    return case


PERMITTED: dict[str, dict[str, Any]] = {
    "a collector's call in New York State": _case(),
    "a creditor's second call in Massachusetts": _case(lender="creditor", place=_BOSTON, purpose="reminder"),
    "a collector's e-mail in New York City": _case(
        place=_NEW_YORK, channel="email", address="b1@mail.example", at="2026-10-06T12:00:00-04:00",
        not_after="2026-11-05T12:00:00-05:00",
    ),
    "a creditor's e-mail in the District of Columbia": _case(
        lender="creditor", place=_WASHINGTON, channel="email", address="b1@mail.example"
    ),
    "a reminder in Shanghai": _case(
        lender="creditor", place=_SHANGHAI, channel="sms", address="+8613800138000", purpose="reminder",
        at="2026-03-10T12:00:00+08:00",
    ),
    "the notice before credit reporting, in China and in spite of a hold": _held(
        _case(
            lender="creditor", place=_SHANGHAI, channel="sms", address="+8613800138000", purpose="notice",
            obligation="CN-17", at="2026-03-10T12:00:00+08:00",
        )
    ),
    "a collector's validation notice by letter": _case(
        channel="letter", address="12 Elm St", purpose="notice", obligation="US-F-27"
    ),
    "a creditor's notice of negative information": _held(
        _case(lender="creditor", channel="letter", address="12 Elm St", purpose="notice", obligation="MN-US-04")
    ),
    "a call in Korea": _case(lender="creditor", place=_SEOUL, address="+82212345678", at="2026-03-10T12:00:00+09:00"),
    "an agency's call in Quebec": _case(place=_MONTREAL, address="+15145550100"),
}  # fmt: skip


def fields(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every field and every member of a list, at every depth."""
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, inner in members:
        yield (*path, name), inner
        yield from fields(inner, (*path, name))


def spoilings(value: Any) -> Iterator[tuple[str, Any]]:
    """Names of ways to spoil a value, and what stands there then."""
    yield from (
        ("null", None),
        ("empty text", ""),
        ("blank", "   "),
        ("empty list", []),
        ("empty object", {}),
        ("a number", 17),
        ("negative", -1),
        ("a fraction", 0.5),
        ("a truth", True),
        ("garbage", "?"),
        ("a zone that is not", "Mars/Olympus"),
        ("a list of null", [None]),
        ("a list of garbage", ["?"]),
        ("a list of objects", [{}]),
        ("long ago", "0001-01-01T00:00:00Z"),
        ("far ahead", "9999-12-31T23:59:59Z"),
        ("far ahead in another offset", "9999-12-31T23:59:59-12:00"),
        ("the first date", "0001-01-01"),
        ("the last date", "9999-12-31"),
        ("a year later", "2027-06-01T00:00:00Z"),
        ("a day of the next year", "2027-06-01"),
        ("no offset", "2026-03-10T12:00:00"),
        ("a control character", "\x00"),
        ("half of a pair", "\ud800"),
    )
    match value:
        case str():
            yield "other case", value.swapcase()
            yield "padded", f" {value} "
            yield "in a list", [value]
        case bool():
            pass
        case int():
            yield "as text", str(value)
            yield "huge", 10**30
        case list() if value:
            yield "twice", value + value
            yield "its first alone", value[0]
        case dict():
            yield "a list of itself", [value]
            yield "an unknown field", value | {"colour": "red"}
        case _:
            pass


def spoiled(case: dict[str, Any], path: Path, value: Any) -> dict[str, Any]:
    """The case with another value at a path, or without it."""
    changed = deepcopy(case)
    at: Any = changed
    for part in path[:-1]:
        at = at[part]
    if value is DELETED:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    return changed


def _silent(**borrower: Any) -> dict[str, Any]:
    case = _case()
    case["borrower"] |= {"consents": [], "preferences": [], "holds": []} | borrower
    return case


def _after(*events: dict[str, Any]) -> dict[str, Any]:
    case = _silent()
    case["history"] = [_FULL["history"][0] | event for event in events]
    return case


SILENT: dict[str, dict[str, Any]] = {
    "a call about a disputed debt": _silent(
        holds=[{"cause": "dispute", "debt": "L-1", "from": "2026-03-01", "to": None}]
    ),
    "a call to a number that was revoked": _silent(
        consents=[_FULL["borrower"]["consents"][0] | {"channel": "call", "address": "+12125550100", "state": "revoked"}]
    ),
    "a call on a day that is inconvenient": _silent(
        preferences=[_FULL["borrower"]["preferences"][0] | {"weekdays": ["TUE"], "to": "24:00"}]
    ),
    "an eighth call in seven days": _after(*({"at": f"2026-03-{day:02d}T15:00:00Z"} for day in range(4, 11))),
    "a call on the day after a conversation": _after({"at": "2026-03-09T15:00:00Z", "result": "conversation"}),
    "a call after STOP": _after({"direction": "inbound", "result": "opt_out", "purpose": "reply"}),
}
