"""Names are resolved to public addresses alone: a name of Discord's that somebody makes lead into this network, to the
machine itself or to a cloud's metadata, leads nowhere."""

from __future__ import annotations

import logging
import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

log = logging.getLogger(__name__)

_NAT64 = IPv6Network("64:ff9b::/96")  # an IPv4 address is its end


class PublicResolver(AbstractResolver):
    """Resolves as the system does, and refuses a name of which any address is not public.

    The addresses that it returns are those that are connected to, so that a name which changes in between (DNS
    rebinding) gains nothing. Use it without a DNS cache of another's making.
    """

    def __init__(self, inner: AbstractResolver | None = None) -> None:
        self._inner = inner or ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The addresses of the host. Raises OSError where there is none, or one that is not public."""
        found = await self._inner.resolve(host, port, family)
        for result in found:
            if not is_public(result["host"]):
                log.warning("%s leads to %s, no public address: nothing is fetched from it", host, result["host"])
                raise OSError(None, "not a public address")
        return found

    async def close(self) -> None:
        """Release what resolving holds."""
        await self._inner.close()


def is_public(address: str) -> bool:
    """Whether the address is one of the internet: not private, loopback, link-local, multicast, reserved, or any of
    those inside an IPv6 address. False for what is no address."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    meant = _meant(parsed)
    site_local = isinstance(meant, IPv6Address) and meant.is_site_local
    special = meant.is_multicast or meant.is_reserved or meant.is_unspecified or site_local
    return meant.is_global and not special


def _meant(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """Where packets to the address go: some of IPv6 are translated to one of IPv4 that is written in them."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address
