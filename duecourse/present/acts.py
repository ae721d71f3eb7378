"""May an act follow, in words: the answer, each rule that had a say, and the notices whose service opens the way."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from duecourse.compliance.acts import ActAnswer
from duecourse.compliance.explain import explain_finding, word
from duecourse.compliance.verdict import Obligation
from duecourse.present.sentences import finding_json
from duecourse.present.words import Words


def act_in_words(answer: ActAnswer, loan: str, words: Words) -> str:
    """A paragraph for a person: may it follow, why not, what is missing, from when."""
    act = word(answer.act, words.language)
    opens = words.moment(answer.opens) if answer.opens is not None else ""
    said = [words.say(answer.effect, of="acts", act=act[:1].upper() + act[1:], loan=loan, opens=opens)]
    if answer.effect == "allow" and all(finding.pack == "-" for finding in answer.findings):  # no rule had a say
        said.append(words.say("no_rule", of="acts"))
    said += [explain_finding(finding, words.language, words.zone) for finding in answer.findings]
    said += [_owed(one, words) for one in answer.owed]
    return "\n".join(said)


def act_json(answer: ActAnswer, lender: str, loan: str, now: datetime, words: Words) -> dict[str, Any]:
    """The same as JSON values; the keys are stable. `opens`: from then on, as far as is known now."""
    return {
        "act": answer.act,
        "lender": lender,
        "loan": loan,
        "as_of": now.isoformat(),
        "answer": answer.effect,
        "opens": answer.opens.isoformat() if answer.opens is not None else None,
        "findings": [finding_json(finding, words) for finding in answer.findings],
        "owed": [
            {
                "rule": one.rule,
                "debt": one.debt,
                "forms": list(one.forms),
                "proof": one.proof,
                "citation": one.citation,
                "sentence": _owed(one, words),
            }
            for one in answer.owed
        ],
        "packs": [asdict(ref) for ref in answer.packs],
        "sentence": act_in_words(answer, loan, words),
    }


def _owed(one: Obligation, words: Words) -> str:
    forms = words.say("or", of="acts").join(word(form, words.language) for form in one.forms)
    return words.say(f"serve_{one.proof}", of="acts", rule=one.rule, citation=one.citation, forms=forms)
