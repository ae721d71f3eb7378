"""The template language: jinja2 in its sandbox, reduced to what a message needs.

A template file may be written by somebody who must not run code here or exhaust the worker. Each file is checked when
it is loaded: only the listed kinds of syntax, only the listed variables. The sandbox stays beneath as a second wall.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from jinja2 import DictLoader, StrictUndefined, meta, nodes
from jinja2.exceptions import SecurityError, TemplateError, TemplateSyntaxError, UndefinedError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from duecourse.errors import InvalidInput
from duecourse.messages.context import VARIABLES
from duecourse.messages.errors import MessageRefused, MessageTooLong, MissingVariable

_FILTERS: Final = frozenset({"join"})
_TESTS: Final = frozenset({"defined"})
_SEQUENCES: Final = frozenset({"reminders", "itemisation"})
# Neither calls, nor arithmetic, nor concatenation, nor assignment: with them a short template can build a long string.
_SYNTAX: Final = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.Name,
    nodes.Const,
    nodes.Getattr,
    nodes.If,
    nodes.For,
    nodes.Compare,
    nodes.Operand,
    nodes.And,
    nodes.Or,
    nodes.Not,
    nodes.Test,
    nodes.Filter,
    nodes.Include,
    nodes.Extends,
    nodes.Block,
)


class TemplateEnvironment(ImmutableSandboxedEnvironment):
    """jinja2's sandbox without globals, with listed filters and tests, and without multiplying operators."""

    intercepted_binops = frozenset({"+", "*", "**", "%"})

    def __init__(self, sources: Mapping[str, str]) -> None:
        super().__init__(
            loader=DictLoader(sources),
            undefined=StrictUndefined,
            autoescape=lambda name: name is not None and name.endswith(".html.j2"),
            trim_blocks=True,
            lstrip_blocks=True,
            cache_size=-1,
            auto_reload=False,
        )
        self.globals.clear()
        self.filters = {name: self.filters[name] for name in _FILTERS}
        self.tests = {name: self.tests[name] for name in _TESTS}

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        raise SecurityError(f"the operator {operator} is not part of the template language")


class TemplateSet:
    """Checked templates by file name."""

    def __init__(self, sources: Mapping[str, str]) -> None:
        """Check all.

        Args:
            sources: text by name, such as "due_today/sms.en.txt.j2".

        Raises:
            InvalidInput: names the file, the line, and what is expected.
        """
        self._sources = dict(sources)
        self._environment = TemplateEnvironment(self._sources)
        self._parts: dict[str, tuple[str, ...]] = {}
        for name, source in self._sources.items():
            self._parts[name] = self._check(name, source)
        for name in self._sources:
            self._refuse_circles(name, ())

    def __contains__(self, name: str) -> bool:
        return name in self._sources

    def names(self) -> list[str]:
        return sorted(self._sources)

    def sources_of(self, name: str) -> list[tuple[str, str]]:
        """The file and all that it includes or extends, with their text, in a fixed order."""
        found: dict[str, str] = {}
        waiting = [name]
        while waiting:
            part = waiting.pop()
            if part not in found:
                found[part] = self._sources[part]
                waiting.extend(self._parts[part])
        return sorted(found.items())

    def write(self, name: str, variables: Mapping[str, object], longest: int) -> str:
        """Fill in one template; it is cut off with an error, not silently, beyond `longest` characters.

        Raises:
            MissingVariable: a variable is absent from the context.
            MessageTooLong: more than `longest` characters.
            MessageRefused: the sandbox stopped it.
        """
        pieces: list[str] = []
        length = 0
        try:
            for piece in self._environment.get_template(name).generate(**variables):
                length += len(piece)
                if length > longest:
                    raise MessageTooLong(f"{name}: the text is longer than {longest} characters; shorten it")
                pieces.append(piece)
        except UndefinedError as error:
            raise MissingVariable(
                f"{name}: {error.message}; the loan's data must say it before this is sent"
            ) from error
        except (SecurityError, TemplateError) as error:
            raise MessageRefused(f"{name}: {error}") from error
        return "".join(pieces)

    def _check(self, name: str, source: str) -> tuple[str, ...]:
        try:
            tree = self._environment.parse(source, name)
        except TemplateSyntaxError as error:
            raise InvalidInput(name, error.message, "a jinja2 template", line=error.lineno) from error
        loop_names = {node.target.name for node in tree.find_all(nodes.For) if isinstance(node.target, nodes.Name)}
        for node in _walk(tree):
            _refuse_unknown_syntax(name, node, loop_names)
        referenced = [part for part in meta.find_referenced_templates(tree) if part is not None]
        for part in referenced:
            if part not in self._sources:
                raise InvalidInput(name, part, "the name of a template file that is there")
        return tuple(referenced)

    def _refuse_circles(self, name: str, above: tuple[str, ...]) -> None:
        if name in above:
            raise InvalidInput(above[0], " > ".join((*above, name)), "files that do not include themselves")
        for part in self._parts[name]:
            self._refuse_circles(part, (*above, name))


def _walk(node: nodes.Node) -> list[nodes.Node]:
    found = [node]
    for child in node.iter_child_nodes():
        found.extend(_walk(child))
    return found


def _refuse_unknown_syntax(name: str, node: nodes.Node, loop_names: set[str]) -> None:
    if not isinstance(node, _SYNTAX):
        expected = "text, variables, if, for, include, extends and block"
        raise InvalidInput(name, type(node).__name__.lower(), expected, line=node.lineno)
    refused: str | None = None
    match node:
        case nodes.Filter(name=used) if used not in _FILTERS:
            refused, expected = f"|{used}", f"a filter among {', '.join(sorted(_FILTERS))}"
        case nodes.Test(name=used) if used not in _TESTS:
            refused, expected = f"is {used}", f"a test among {', '.join(sorted(_TESTS))}"
        case nodes.Name(name=used) if used not in VARIABLES | loop_names:
            refused, expected = used, f"a variable among {', '.join(sorted(VARIABLES))}"
        case nodes.Getattr(node=owner, attr=attribute):
            of_a_loop = isinstance(owner, nodes.Name) and owner.name in loop_names
            if not of_a_loop or attribute.startswith("_"):
                refused, expected = f".{attribute}", "fields of a loop's item only"
        case nodes.For(iter=sequence) if not (isinstance(sequence, nodes.Name) and sequence.name in _SEQUENCES):
            refused, expected = "a loop over something else", f"a loop over {' or '.join(sorted(_SEQUENCES))}"
        case nodes.For() if any(isinstance(inner, nodes.For | nodes.Include) for inner in _walk(node)[1:]):
            # Loops in loops multiply, and can burn hours without one character of output.
            refused, expected = "a loop or an include in a loop", "text and variables in a loop"
        case nodes.Include(template=part) | nodes.Extends(template=part) if not isinstance(part, nodes.Const):
            refused, expected = "a computed name", "the name of a template file, written out"
        case _:
            pass
    if refused is not None:
        raise InvalidInput(name, refused, expected, line=node.lineno)
