"""How values travel in Temporal's histories: JSON by pydantic, without the fields that are None.

Histories are stored for months and billed by the byte, and most optional fields of a loan are None most of the time.
Leaving out what was merely *not set* would be smaller still, and wrong: a tagged union loses its tag (a default), and
a list that was filled in place after construction counts as not set and vanishes.
"""

from __future__ import annotations

import dataclasses
import types
import typing
import weakref
from typing import Any

from pydantic import BaseModel
from pydantic_core import to_json
from temporalio.api.common.v1 import Payload
from temporalio.contrib.pydantic import PydanticJSONPlainPayloadConverter
from temporalio.converter import (
    CompositePayloadConverter,
    DataConverter,
    DefaultPayloadConverter,
    JSONPlainPayloadConverter,
)


class LossyModelError(TypeError):
    """A field would come back with another value than it had."""

    def __init__(self, model: type, field: str) -> None:
        self.model = model
        self.field = field
        super().__init__(
            f"{model.__name__}.{field} may be None but does not default to None; None is left out of what is stored, "
            f"so it must be the default: write `{field}: ... | None = None`"
        )


class CompactJSONPayloadConverter(PydanticJSONPlainPayloadConverter):
    """Pydantic's JSON with the None fields left out; refuses models for which that is not the same value."""

    def to_payload(self, value: Any) -> Payload | None:
        _prove(type(value))
        return Payload(metadata={"encoding": self.encoding.encode()}, data=to_json(value, exclude_none=True))


# Of the process, not of a converter: the SDK makes a converter for each workflow that it runs.
_proved: weakref.WeakSet[type] = weakref.WeakSet()


def _prove(kind: object) -> None:
    """Walk a type once per process; after that the cost of a message is one set look-up."""
    if isinstance(kind, type) and kind in _proved:
        return
    for part in typing.get_args(kind):
        _prove(part)
    if not isinstance(kind, type):
        return
    _proved.add(kind)
    try:
        _prove_fields(kind)
    except LossyModelError:
        _proved.discard(kind)  # refused each time, and not the first time only
        raise


def _prove_fields(kind: type) -> None:
    if issubclass(kind, BaseModel):
        for name, field in kind.model_fields.items():
            none_is_default = field.default is None and field.default_factory is None
            if _allows_none(field.annotation) and not none_is_default:
                raise LossyModelError(kind, name)
            _prove(field.annotation)
    elif dataclasses.is_dataclass(kind):
        # Plain dataclasses keep their None; only models inside them lose it.
        for hint in typing.get_type_hints(kind).values():
            _prove(hint)


def _allows_none(annotation: object) -> bool:
    return annotation is type(None) or any(_allows_none(part) for part in _alternatives(annotation))


def _alternatives(annotation: object) -> tuple[object, ...]:
    if typing.get_origin(annotation) is typing.Annotated:
        return typing.get_args(annotation)[:1]
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return typing.get_args(annotation)
    return ()


class CompactPayloadConverter(CompositePayloadConverter):
    """Temporal's converters, with ours in the place of JSON."""

    def __init__(self) -> None:
        ours = CompactJSONPayloadConverter()
        super().__init__(
            *(
                ours if isinstance(converter, JSONPlainPayloadConverter) else converter
                for converter in DefaultPayloadConverter.default_encoding_payload_converters
            )
        )


data_converter = DataConverter(payload_converter_class=CompactPayloadConverter)
"""The one converter of client, workers, replayer and test environments."""
