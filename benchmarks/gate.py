"""What one decision of the compliance gate costs, with its findings fully built; no server, no database, one core.

    python benchmarks/gate.py [--decisions 2000]

A made-up pack of forty rules, all in force and all binding the request, with fifty contacts in the borrower's history:
permitted, put off and withheld. Then the shipped packs, and growth with the length of the history and the number of
rules. Every decision is timed alone; packs are compiled and the case is read before the clock starts.
"""

from __future__ import annotations

import argparse
import gc
import os
import platform
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

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


@dataclass(frozen=True, slots=True)
class Timed:
    """One case, decided many times: microseconds of each decision, sorted, and CPU seconds of all together."""

    name: str
    verdict: str
    findings: int
    times: Sequence[float]
    cpu: float

    def share(self, of: float) -> float:
        return self.times[min(len(self.times) - 1, int(len(self.times) * of))]

    @property
    def per_second(self) -> float:
        """Decisions per second of one core."""
        return len(self.times) / self.cpu


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


def timed(name: str, asked: Case, packs: PackSet, decisions: int) -> Timed:
    """Decide the case so many times, after a short warm-up."""
    for _ in range(max(20, decisions // 20)):
        verdict = decide(asked, packs)
    times: list[float] = []
    gc.collect()
    began = time.process_time()
    for _ in range(decisions):
        start = time.perf_counter()
        verdict = decide(asked, packs)
        times.append((time.perf_counter() - start) * 1e6)
    cpu = time.process_time() - began
    return Timed(name, type(verdict).__name__.lower(), len(verdict.grounds.findings), sorted(times), cpu)


def main(decisions: int) -> None:
    forty = pack_of(40)
    fifty = history(50, NOON)
    full = fifty + [_contact(NOON - timedelta(hours=5 + 20 * i), "call", "no_answer") for i in range(8)]
    talked = [*fifty, _contact(NOON - timedelta(days=2), "call", "conversation")]
    disputed = [{"cause": "dispute", "from": "2026-03-01", "to": None}]
    kinds = [
        timed(name, case(forty, ["bench"], past, at, **borrower), forty, decisions)
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
    real = [
        timed(" + ".join(names), case(shipped, names, fifty, NOON), shipped, decisions) for names in (federal, york)
    ]
    longer = []
    for n in (10, 100, 1000):
        packs = pack_of(40, max(1, n / 50))
        past = history(n, NOON)
        longer.append(timed(f"{n} contacts, 40 rules", case(packs, ["bench"], past, NOON), packs, decisions // 2))
    wider = []
    for n in (10, 100, 400):
        packs = pack_of(n)
        wider.append(timed(f"{n} rules, 50 contacts", case(packs, ["bench"], fifty, NOON), packs, decisions // 2))
    print(
        f"{decisions} decisions each; {os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    )
    _print("40 rules in force, 50 contacts", kinds)
    _print("shipped packs, 50 contacts", real)
    _print("growth", [*longer, *wider])
    print()
    for said, holds in (
        *((f"p50 under {P50:.0f} us: {one.name}", one.share(0.5) < P50) for one in kinds),
        *((f"p99 under {P99:.0f} us: {one.name}", one.share(0.99) < P99) for one in kinds),
        ("growth with contacts no worse than linear", _linear(longer)),
        ("growth with rules no worse than linear", _linear(wider, (10, 4))),
    ):
        print(f"{'holds' if holds else 'FAILS'}: {said}")


def _linear(steps: Sequence[Timed], factors: Sequence[float] = (10, 10)) -> bool:
    return all(
        after.share(0.5) <= before.share(0.5) * factor
        for before, after, factor in zip(steps, steps[1:], factors, strict=False)
    )


def _print(title: str, rows: Sequence[Timed]) -> None:
    print(f"\n| {title} | verdict | findings | p50 us | p99 us | decisions/s per core |")
    print("| --- | --- | ---: | ---: | ---: | ---: |")
    for one in rows:
        print(
            f"| {one.name} | {one.verdict} | {one.findings} | {one.share(0.5):.0f} | {one.share(0.99):.0f} "
            f"| {one.per_second:.0f} |"
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="What one decision of the compliance gate costs.")
    parser.add_argument("--decisions", type=int, default=2000, help="how often each case is decided (2000)")
    main(parser.parse_args().decisions)
