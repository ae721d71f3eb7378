"""What the shipped packs cover, as Markdown: the tables of docs/compliance.md, so that no page can differ from a rule.

python -m duecourse.present.coverage docs/compliance.md    # writes the part between the two marks again
"""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path

from duecourse.compliance.packs import Pack, PackSet, load_packs
from duecourse.compliance.rules import Rule

BEGIN = "<!-- rules: made by python -m duecourse.present.coverage docs/compliance.md -->"
END = "<!-- rules: end -->"
_ALWAYS = date(1970, 1, 1)  # what packs write where no source names the first day


def coverage(packs: PackSet) -> str:
    """One section per pack: its rules with grade, strength, first day and source, what is approximated in them, and
    the instruments that it only remembers. Rules that every pack has stand once, at the end.
    """
    everywhere = set.intersection(*({rule.id for rule in pack.rules} for pack in packs.packs.values()))
    shared: dict[str, Rule] = {}
    parts: list[str] = []
    for pack in sorted(packs.packs.values(), key=lambda one: (one.id.startswith("lender/"), one.id)):
        shared |= {rule.id: rule for rule in pack.rules if rule.id in everywhere}
        own = [rule for rule in pack.rules if rule.id not in everywhere]
        parts.append(f"### {pack.title.en}: `{pack.id}`, version {pack.version}\n\n{_rules(own)}{_entries(pack)}")
    parts.append(f"### In every pack: our own floor\n\n{_rules(list(shared.values()))}")
    return "\n".join(parts)


def renewed(page: str, packs: PackSet) -> str:
    """The page with the part between its marks made again; raises ValueError where a mark is missing."""
    before, _, rest = _parted(page, BEGIN)
    _, _, after = _parted(rest, END)
    return f"{before}{BEGIN}\n\n{coverage(packs)}\n{END}{after}"


def _parted(text: str, mark: str) -> tuple[str, str, str]:
    if mark not in text:
        raise ValueError(f"the page needs the line {mark}")
    return text.partition(mark)


def _rules(rules: list[Rule]) -> str:
    lines = ["| id | rule | grade | strength | since | source |", "| --- | --- | --- | --- | --- | --- |"]
    for rule in rules:
        grade = rule.grade if rule.on else f"{rule.grade}, off"
        cells = (rule.id, rule.text.en, grade, rule.strength, _since(rule), _source(rule))
        lines.append(f"| {' | '.join(_cell(text) for text in cells)} |")
    notes = [f"- {rule.id}: {' '.join(rule.approximated.split())}" for rule in rules if rule.approximated]
    if notes:
        lines += ["", "Approximated:", "", *notes]
    return "\n".join(lines) + "\n"


def _entries(pack: Pack) -> str:
    if not pack.entries:
        return ""
    lines = ["", "Remembered, without rules:", ""]
    for one in pack.entries:
        lines.append(f"- {one.title.en} ({one.citation}), {one.status.replace('_', ' ')}. {_cell(one.note.en)}")
    return "\n".join(lines) + "\n"


def _since(rule: Rule) -> str:
    first, last = rule.versions[0], rule.versions[-1]
    said = ["always" if first.in_force == _ALWAYS else first.in_force.isoformat()]
    said += [f"changed {version.in_force}" for version in rule.versions[1:]]
    if last.ended is not None:
        said.append(f"ended {last.ended}")
    return ", ".join(said)


def _source(rule: Rule) -> str:
    return f"[{rule.citation}]({rule.href})" if rule.href else rule.citation


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def main(path: str) -> None:
    """Write the page's tables again."""
    page = Path(path)
    page.write_text(renewed(page.read_text(encoding="utf-8"), load_packs()), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
