"""The adapters of a process by channel, the first choice first, and whose sender each message carries."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from duecourse.channels.adapter import Adapter


@dataclass(frozen=True, slots=True)
class Route:
    """One provider of a channel and the sender registered there.

    `writes_as`: `lender` where the provider sends under each lender's own sender; `sender` where only what is
    registered there may be used, such as a second provider's number.
    """

    adapter: Adapter
    sender: str
    writes_as: Literal["lender", "sender"]


class Adapters(Mapping[str, Adapter]):
    """By channel, the adapter of its first provider; the others of the channel by `of` and `after`."""

    def __init__(self, routes: Mapping[str, Sequence[Route]]) -> None:
        self._routes = {channel: tuple(given) for channel, given in routes.items() if given}

    def __getitem__(self, channel: str) -> Adapter:
        return self._routes[channel][0].adapter

    def __iter__(self) -> Iterator[str]:
        return iter(self._routes)

    def __len__(self) -> int:
        return len(self._routes)

    def of(self, channel: str, provider: str) -> Adapter | None:
        """The channel's adapter for this provider; None where it is not configured."""
        return next((route.adapter for route in self._routes[channel] if route.adapter.provider == provider), None)

    def after(self, channel: str, provider: str | None) -> Adapter:
        """The one that follows this provider, in a circle; the first after none, or after one that is gone."""
        order = [route.adapter for route in self._routes[channel]]
        names = [adapter.provider for adapter in order]
        if provider not in names:
            return order[0]
        return order[(names.index(provider) + 1) % len(order)]

    def has_another(self, adapter: Adapter) -> bool:
        """Whether the adapter's channel has a second provider."""
        return len(self._routes[adapter.channel]) > 1

    def sender(self, adapter: Adapter, lenders_own: str | None = None) -> str:
        """What goes into `Outgoing.sender`: the From header, the sending number, or the worklist."""
        route = next(route for route in self._routes[adapter.channel] if route.adapter is adapter)
        return lenders_own if lenders_own and route.writes_as == "lender" else route.sender

    def timeout(self, channel: str) -> timedelta:
        """The longest attempt of the channel's providers."""
        return max(route.adapter.capabilities.timeout for route in self._routes[channel])

    async def close(self) -> None:
        """Close every connection that the adapters keep."""
        for routes in self._routes.values():
            for route in routes:
                await route.adapter.close()
