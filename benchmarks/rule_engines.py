"""The simplest part of the gate's rules in three general rule engines: does each say yes to a lawful call?

A call is refused if so many calls were made already, outside 08:00 to 21:00, or after an opt-out. That is all that is
asked of the engines: the calls arrive counted, the hour local, the opt-out looked up. They are not asked when the call
would be lawful, until when, or why not, which is most of what the gate does.

What each can prepare (parsed policies, a loaded decision, a compiled expression) is prepared before the clock starts.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import version
from typing import Any

from benchmarks.turns import Timed

Ask = Callable[[Mapping[str, Any]], bool]
LAWFUL: dict[str, Any] = {"calls": 3, "hour": 12, "opted_out": False}
UNLAWFUL: tuple[dict[str, Any], ...] = ({"calls": 99}, {"hour": 22}, {"opted_out": True})
FORTY = 40


@dataclass(frozen=True, slots=True)
class Engine:
    """One way to ask an engine; `ask` takes a number of rules and gives the question that they answer together."""

    name: str
    package: str
    module: str
    ask: Callable[[Any, int], Ask]


@dataclass(frozen=True, slots=True)
class Compared:
    """An engine with one rule, and with forty in the way in which it takes them at once."""

    name: str
    one: Timed
    forty: Timed


class WrongAnswer(Exception):
    """An engine that answers wrongly must not be compared."""


def installed() -> tuple[list[Compared], list[str]]:
    """The engines that are installed, ready to be timed; and the packages that are missing."""
    found: list[Compared] = []
    absent: dict[str, None] = {}
    for engine in ENGINES:
        try:
            module = import_module(engine.module)
        except ImportError:
            absent[engine.package] = None
            continue
        name = f"{engine.name} {version(engine.package)}"
        one, forty = (_ready(name, engine.ask(module, rules)) for rules in (1, FORTY))
        found.append(Compared(name, one, forty))
    return found, list(absent)


def _ready(name: str, ask: Ask) -> Timed:
    if not ask(LAWFUL):
        raise WrongAnswer(f"{name} refuses a lawful call")
    for changed in UNLAWFUL:
        if ask(LAWFUL | changed):
            raise WrongAnswer(f"{name} permits a call with {changed}")
    return Timed(name, lambda: ask(LAWFUL))


def _expression(rule: int) -> str:
    return f"calls < {7 + rule} and hour >= 8 and hour < 21 and opted_out == false"


def _zen_decision(zen: Any, rules: int) -> Ask:
    """One decision with one expression per rule, as its editor saves it."""
    expressions = [{"id": f"e{n}", "key": f"rule_{n}", "value": _expression(n)} for n in range(rules)]
    place = {"x": 0, "y": 0}
    document = {
        "contentType": "application/vnd.gorules.decision",
        "nodes": [
            {"id": "in", "name": "in", "type": "inputNode", "position": place},
            {
                "id": "rules",
                "name": "rules",
                "type": "expressionNode",
                "position": place,
                "content": {"expressions": expressions},
            },
            {"id": "out", "name": "out", "type": "outputNode", "position": place},
        ],
        "edges": [
            {"id": "first", "type": "edge", "sourceId": "in", "targetId": "rules"},
            {"id": "second", "type": "edge", "sourceId": "rules", "targetId": "out"},
        ],
    }
    engine = zen.ZenEngine()
    decision = engine.create_decision(json.dumps(document))
    return lambda facts: all(decision.evaluate(facts)["result"].values())


def _zen_expressions(zen: Any, rules: int) -> Ask:
    """Bare expressions without a decision around them."""
    compiled = [zen.compile_expression(_expression(n)) for n in range(rules)]
    return lambda facts: all(one.evaluate(facts) for one in compiled)


def _cedar(cedarpy: Any, rules: int) -> Ask:
    """One set of a permit and a forbid per rule."""
    text = "permit(principal, action, resource);\n" + "\n".join(
        'forbid(principal, action == Action::"call", resource) when '
        f"{{ context.calls >= {7 + n} || context.hour < 8 || context.hour >= 21 || context.opted_out }};"
        for n in range(rules)
    )
    policies = cedarpy.PolicySet.from_str(text)
    entities = cedarpy.Entities.from_json_str("[]")
    who = {"principal": 'Lender::"collector"', "action": 'Action::"call"', "resource": 'Borrower::"B-1"'}
    return lambda facts: bool(
        cedarpy.is_authorized({**who, "context": facts}, policies, entities).decision == cedarpy.Decision.Allow
    )


def _rule_engine(rule_engine: Any, rules: int) -> Ask:
    """One rule object each."""
    compiled: Sequence[Any] = [rule_engine.Rule(_expression(n)) for n in range(rules)]
    return lambda facts: all(one.matches(facts) for one in compiled)


ENGINES = (
    Engine("a decision of zen-engine", "zen-engine", "zen", _zen_decision),
    Engine("bare expressions of zen-engine", "zen-engine", "zen", _zen_expressions),
    Engine("a policy set of cedarpy", "cedarpy", "cedarpy", _cedar),
    Engine("rule objects of rule-engine", "rule-engine", "rule_engine", _rule_engine),
)
