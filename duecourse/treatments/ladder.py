"""A ladder: the rungs of reminder and collection relative to disbursement, due date or delinquency.

Offsets are whole days in the lender's book dates. A rung's local send window is in the borrower's
zones and is applied by the gate, together with the law.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

CONTRACT = "contract"
REVIEW_CHANNEL = "review"


class Anchor(StrEnum):
    """What a rung's offset counts from."""

    DISBURSED = "disbursed"
    PLACED = "placed"  # the day an agency received the loan
    DUE = "due"  # an installment's due date; negative offsets lie before it
    PAST_DUE = "past_due"  # plain days past due of the oldest unpaid installment
    DELINQUENT = "delinquent"  # days past due less grace and held days


class CatchUp(StrEnum):
    """What happens to a rung whose day passed while nobody could send."""

    LATEST_ONLY = "latest_only"
    IN_ORDER = "in_order"
    SKIP_AND_RECORD = "skip_and_record"


class Tier(StrEnum):
    LOW = "low"
    STANDARD = "standard"
    HIGH = "high"


Purpose = Literal["servicing", "reminder", "collection", "notice", "legal"]
Channel = Literal["sms", "email", "call", "letter", "review"]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,47}$")]

_CLOCK = re.compile(r"^([01]\d|2[0-3]):[0-5]\d$|^24:00$")


class Window(BaseModel):
    """Local hours in which the treatment wants a rung to go out; the end is exclusive."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, hide_input_in_errors=True)

    opens: str = Field(alias="from")
    closes: str = Field(alias="to")

    @field_validator("opens", "closes")
    @classmethod
    def _clock(cls, value: str) -> str:
        if not _CLOCK.match(value):
            raise ValueError("expected a local time as HH:MM, 00:00 to 24:00")
        return value

    @model_validator(mode="after")
    def _order(self) -> Window:
        if self.from_minute >= self.to_minute:
            raise ValueError("the window must open before it closes, on the same day")
        return self

    @property
    def from_minute(self) -> int:
        return int(self.opens[:2]) * 60 + int(self.opens[3:])

    @property
    def to_minute(self) -> int:
        return int(self.closes[:2]) * 60 + int(self.closes[3:])


class Rung(BaseModel):
    """One step of a ladder."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    id: Name
    title: str
    title_zh: str
    anchor: Anchor
    offset_days: int
    per: Literal["loan", "episode", "installment"]
    channels: tuple[Channel, ...] = Field(min_length=1)
    template: Name
    purpose: Purpose
    window: Window
    obligation: str | None = None  # a rule's id, or "contract"
    catch_up: CatchUp = CatchUp.LATEST_ONLY
    life_days: int = Field(default=3, ge=1)  # an optional rung ends this many days after its date
    answer_days: int | None = Field(default=None, ge=1)  # how long its text gives to answer: dispute, pay, object

    @property
    def mandatory(self) -> bool:
        return self.obligation is not None

    @property
    def statutory(self) -> bool:
        return self.obligation is not None and self.obligation != CONTRACT

    @model_validator(mode="after")
    def _consistent(self) -> Rung:
        once = self.anchor in (Anchor.DISBURSED, Anchor.PLACED)
        if once != (self.per == "loan"):
            raise ValueError(f"a rung anchored at {self.anchor.value} cannot be owed per {self.per}")
        if self.anchor is Anchor.DUE and self.per != "installment":
            raise ValueError("a rung anchored at the due date is owed per installment")
        if self.anchor is Anchor.DUE and self.offset_days > 0 and self.obligation is None:
            raise ValueError("an optional rung after the due date counts from past_due or delinquent days")
        if self.anchor in (Anchor.PAST_DUE, Anchor.DELINQUENT) and self.offset_days < 1:
            raise ValueError("a rung after the due date needs offset_days of at least 1")
        if self.statutory and self.catch_up is not CatchUp.IN_ORDER:
            raise ValueError("a statutory rung must be caught up in_order: it can neither be skipped nor overtaken")
        if REVIEW_CHANNEL in self.channels and len(self.channels) > 1:
            raise ValueError("a review has no other channel")
        return self


class TierPolicy(BaseModel):
    """What a risk tier changes: optional rungs left out, channels put first."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    omits: tuple[Name, ...] = ()
    reason: str = ""
    reason_zh: str = ""
    channels: dict[str, tuple[Channel, ...]] = Field(default_factory=dict)


class Ladder(BaseModel):
    """A named, versioned sequence of rungs with a policy per tier."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Name
    version: str
    title: str
    rungs: tuple[Rung, ...] = Field(min_length=1)
    tiers: dict[Tier, TierPolicy]

    @model_validator(mode="after")
    def _consistent(self) -> Ladder:
        by_id = {rung.id: rung for rung in self.rungs}
        if len(by_id) != len(self.rungs):
            raise ValueError("rung ids must be unique in a ladder")
        for tier, policy in self.tiers.items():
            for name in (*policy.omits, *policy.channels):
                if name not in by_id:
                    raise ValueError(f"tier {tier.value} names the unknown rung {name!r}")
            mandatory = [name for name in policy.omits if by_id[name].mandatory]
            if mandatory:
                raise ValueError(f"tier {tier.value} may not omit the mandatory rung {mandatory[0]!r}")
        missing = [tier.value for tier in Tier if tier not in self.tiers]
        if missing:
            raise ValueError(f"a policy for each tier is needed; missing: {', '.join(missing)}")
        return self

    def rung(self, name: str) -> Rung:
        """The rung of that id. Raises KeyError for an unknown one."""
        for rung in self.rungs:
            if rung.id == name:
                return rung
        raise KeyError(name)
