"""What one decision of the compliance gate costs, with its findings fully built; no server, no database, one core.

    make bench-gate
    python benchmarks/gate.py [--decisions 2000]

A made-up pack of forty rules, all in force and all binding the request, with fifty contacts in the borrower's history:
permitted, put off and withheld. Then the shipped packs, growth with the length of the history and the number of rules,
and beside it the simplest part of such rules in other engines (benchmarks/rule_engines.py), in the same run. Every
decision is timed alone, all rows in turn; packs are compiled and cases read before the clock starts.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from math import ceil
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.rule_engines import FORTY, Compared, installed
from benchmarks.turns import Timed, share, time_in_turn
from duecourse.compliance.case import Case
from duecourse.compliance.contract import read_case
from duecourse.compliance.gate import decide
from duecourse.compliance.packs import Pack, PackSet, load_packs

P50, P99 = 200.0, 1000.0  # the bars, in microseconds
NOON = datetime(2026, 3, 10, 16, tzinfo=UTC)  # noon in New York
NIGHT = datetime(2026, 3, 11, 2, 30, tzinfo=UTC)  # half past ten in the evening there
SPREAD = timedelta(days=40)  # all contacts lie inside the longest window
LONGEST = 45  # days
PHONE = "+12125550100"
# One of each form in ten rules; {n} makes them differ, as those of overlapping jurisdictions do.
FORMS = (
    "cap: {{limit: {seven}, window: {{days: 7}}, per: debt, counts: {{channels: [call], not_counted: [busy]}}}}",
    "cap: {{limit: {many}, window: {{days: {longest}}}, per: person}}",
    'quiet_hours: {{windows: {{daily: [["08:00", "21:00"]], SUN: [["1{few}:00", "20:00"]]}}, end: inclusive}}',
    "cool_off: {{days: 7, after: [conversation], channels: [call], per: debt}}",
    "consent: {{basis: opt_out}}",
    "hold: {{causes: [dispute, cause_{n}]}}",
    "named_times: {{}}",
    "cap: {{limit: 1, window: {{minutes: {minutes}}}, per: address}}",
    "recipients: {{allowed: [debtor, co_borrower]}}",
    "content: {{require: [element_{n}]}}",
)


class Decided(Timed):
    """One case, decided many times, and what the verdict was."""

    __slots__ = ("findings", "verdict")

    def __init__(self, name: str, asked: Case, packs: PackSet) -> None:
        super().__init__(name, lambda: decide(asked, packs))
        verdict = decide(asked, packs)
        self.verdict = type(verdict).__name__.lower()
        self.findings = len(verdict.grounds.findings)


def pack_of(rules: int, scale: float = 1) -> PackSet:
    """A set of one pack, `bench`, of so many rules; `scale` widens its caps as a history grows."""
    header = "id: bench\ntitle: {en: Bench, zh: 基准}\nzone: America/New_York\nrules: [bench/rules.yaml]\n"
    return PackSet(
        [
            Pack.from_documents(
                {"bench.yaml": header, "bench/rules.yaml": "rules:\n" + "".join(_rule(n, scale) for n in range(rules))}
            )
        ]
    )


def _rule(n: int, scale: float) -> str:
    form = FORMS[n % len(FORMS)].format(
        n=n,
        few=n // 10 % 5,
        seven=ceil((7 + n // 10 % 5) * scale),
        many=ceil((60 + n // 10) * scale),
        minutes=5 + n // 10,
        longest=LONGEST,
    )
    return (
        f"  - id: B-{n:03d}\n    text: {{en: words, zh: 文字}}\n    citation: {{title: Statute {n}}}\n"
        f"    grade: A\n    strength: ban\n    versions:\n      - in_force: 2000-01-01\n        {form}\n"
    )


def history(contacts: int, at: datetime) -> list[dict[str, Any]]:
    """Calls, texts and e-mails in turn, evenly over the weeks before `at`, the last three hours ago."""
    step = SPREAD / contacts
    return [
        _contact(at - timedelta(hours=3) - step * i, ("call", "sms", "email")[i % 3], ("no_answer", "sent")[i % 3 > 0])
        for i in range(contacts)
    ]


def _contact(at: datetime, channel: str, result: str) -> dict[str, Any]:
    return {
        "at": at.isoformat(),
        "channel": channel,
        "direction": "outbound",
        "address": PHONE,
        "debts": ["L-1"],
        "purpose": "collection",
        "result": result,
    }


def case(
    packs: PackSet, names: Sequence[str], past: Sequence[Mapping[str, Any]], at: datetime, **borrower: Any
) -> Case:
    """A collector's call to a New Yorker about one debt."""
    said = {
        "version": 1,
        "packs": list(names),
        "lender": {"role": "third_party_collector", "agreements": []},
        "borrower": {
            "id": "B-1",
            "residence": {"country": "US", "region": "NY"},
            "zones": ["America/New_York"],
            "language": "en",
            "consents": [],
            "preferences": [],
            "holds": [],
            **borrower,
        },
        "debts": [{"id": "L-1", "product": "card", "days_past_due": 40, "balance": "500.00", "currency": "USD"}],
        "history": list(past),
        "request": {
            "channel": "call",
            "address": PHONE,
            "recipient": "debtor",
            "debts": ["L-1"],
            "purpose": "collection",
            "obligation": None,
            "at": at.isoformat(),
        },
    }
    return read_case(said, packs)


def main(decisions: int) -> None:
    forty = pack_of(FORTY)
    fifty = history(50, NOON)
    full = fifty + [_contact(NOON - timedelta(hours=5 + 20 * i), "call", "no_answer") for i in range(8)]
    talked = [*fifty, _contact(NOON - timedelta(days=2), "call", "conversation")]
    disputed = [{"cause": "dispute", "from": "2026-03-01", "to": None}]
    kinds = [
        Decided(name, case(forty, ["bench"], past, at, **borrower), forty)
        for name, past, at, borrower in (
            ("permitted", fifty, NOON, {}),
            ("at night", history(50, NIGHT), NIGHT, {}),
            ("seven calls already", full, NOON, {}),
            ("after a conversation", talked, NOON, {}),
            ("disputed", fifty, NOON, {"holds": disputed}),
        )
    ]
    shipped = load_packs()
    federal = ["us/federal"]
    york = ["us/federal", "us/new_york_city", "lender/default"]
    real = [Decided(" + ".join(names), case(shipped, names, fifty, NOON), shipped) for names in (federal, york)]
    longer = []
    for n in (10, 100, 1000):
        packs = pack_of(FORTY, max(1, n / 50))
        longer.append(Decided(f"{n} contacts, 40 rules", case(packs, ["bench"], history(n, NOON), NOON), packs))
    wider = []
    for n in (10, 100, 400):
        packs = pack_of(n)
        wider.append(Decided(f"{n} rules, 50 contacts", case(packs, ["bench"], fifty, NOON), packs))
    others, absent = installed()
    asked = [timed for other in others for timed in (other.one, other.forty)]
    time_in_turn([*kinds, *real, *longer, *wider, *asked], decisions)
    print(
        f"{decisions} decisions each; {os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    )
    _print("40 rules in force, 50 contacts", kinds)
    _print("shipped packs, 50 contacts", real)
    _print("growth", [*longer, *wider])
    _print_others(others, absent)
    print()
    for said, holds in (
        *((f"p50 under {P50:.0f} us: {one.name}", one.p50 < P50) for one in kinds),
        *((f"p99 under {P99:.0f} us: {one.name}", one.p99 < P99) for one in kinds),
        ("growth with contacts no worse than linear", _linear(longer)),
        ("growth with rules no worse than linear", _linear(wider, (10, 4))),
    ):
        print(f"{'holds' if holds else 'FAILS'}: {said}")
    slowest = max(one.p50 for one in kinds)
    for other in others:
        faster = "yes" if slowest < other.forty.p50 else "no"
        print(f"the slowest kind, {slowest:.0f} us, is faster than forty rules by {other.name}: {faster}")


def _linear(steps: Sequence[Decided], factors: Sequence[float] = (10, 10)) -> bool:
    return all(
        after.p50 <= before.p50 * factor for before, after, factor in zip(steps, steps[1:], factors, strict=False)
    )


def _print(title: str, rows: Sequence[Decided]) -> None:
    print(f"\n| {title} | verdict | findings | p50 us | p99 us | CPU p50 us | CPU p99 us | decisions/s per core |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for one in rows:
        print(
            f"| {one.name} | {one.verdict} | {one.findings} | {one.p50:.0f} | {one.p99:.0f} "
            f"| {share(one.cpu, 0.5):.0f} | {share(one.cpu, 0.99):.0f} | {one.per_second:.0f} |"
        )


def _print_others(others: Sequence[Compared], absent: Sequence[str]) -> None:
    print("\n| yes or no, from counted calls | one rule, p50 us | forty evaluations of it, us | forty rules, p50 us |")
    print("| --- | ---: | ---: | ---: |")
    for other in others:
        print(f"| {other.name} | {other.one.p50:.1f} | {other.one.p50 * FORTY:.0f} | {other.forty.p50:.0f} |")
    if absent:
        print(f"\nNot compared, since not installed: {', '.join(absent)}. pip install 'duecourse[bench]' brings them.")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="What one decision of the compliance gate costs.")
    parser.add_argument("--decisions", type=int, default=2000, help="how often each case is decided (2000)")
    main(parser.parse_args().decisions)
