"""The JSON Schema of pack files: current, and true of every pack that is shipped."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]  # its stubs are one more package for two lines
import pytest
import yaml

from duecourse.compliance.pack_files import pack_schema
from duecourse.compliance.packs import load_packs

SCHEMA = Path(__file__).parents[2] / "docs" / "pack.schema.json"


def test_the_committed_schema_is_current() -> None:
    assert json.loads(json.dumps(pack_schema())) == json.loads(SCHEMA.read_text(encoding="utf-8")), (
        "run: python -m duecourse.compliance.pack_files > docs/pack.schema.json"
    )


@pytest.mark.parametrize("pack", load_packs().packs.values(), ids=lambda pack: pack.id)
def test_the_shipped_packs_conform(pack: object) -> None:
    schema = pack_schema()
    for path, text in pack.documents().items():  # type: ignore[attr-defined]
        # JSON has no dates: as text they are what an editor checks.
        data = json.loads(json.dumps(yaml.safe_load(text), default=str))
        jsonschema.validate(data, schema | {"oneOf": schema["oneOf"]})
        assert path.endswith(".yaml")


def test_an_unknown_key_does_not_conform() -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"rules": [], "colour": "red"}, pack_schema())
