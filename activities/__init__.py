"""Everything with a side effect, one file per concern. Thin: the ledger decides, the adapters send."""

from __future__ import annotations
