"""Which addresses are the internet's, and that a name is as good as the worst of its addresses."""

from __future__ import annotations

import socket

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from bot.public_addresses import PublicResolver, is_public

PUBLIC = [
    *("162.159.135.233", "8.8.8.8", "2606:4700::6810:84e5"),
    *("::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"),
]
NOT_PUBLIC = [
    *("127.0.0.1", "127.8.8.8", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1", "169.254.169.254"),
    *("198.18.0.1", "192.0.0.1", "192.0.2.1", "224.0.0.1", "240.0.0.1", "255.255.255.255"),
    *("::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "fec0::1", "ff02::1", "2001:db8::1"),
    *("::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::1"),
    *("64:ff9b:1::1", "", "localhost", "cdn.discordapp.com", "127.1", "0x7f000001"),
]


@pytest.mark.parametrize("address", PUBLIC)
def test_an_address_of_the_internet(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_an_address_of_this_machine_or_network_or_none(address: str) -> None:
    assert not is_public(address)


class Names(AbstractResolver):
    """A resolver that knows these addresses for every name."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = addresses
        self.closed = False

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        known = {"hostname": host, "port": port, "family": family, "proto": 0, "flags": socket.AI_NUMERICHOST}
        return [ResolveResult(host=address, **known) for address in self.addresses]  # type: ignore[typeddict-item]

    async def close(self) -> None:
        self.closed = True


async def test_public_addresses_pass() -> None:
    found = await PublicResolver(Names("8.8.8.8", "1.1.1.1")).resolve("cdn.discordapp.com", 443)
    assert [result["host"] for result in found] == ["8.8.8.8", "1.1.1.1"]


async def test_one_address_that_is_not_public_spoils_the_name() -> None:
    with pytest.raises(OSError, match="not a public address"):
        await PublicResolver(Names("8.8.8.8", "10.0.0.1")).resolve("cdn.discordapp.com", 443)


async def test_it_closes_what_it_asks() -> None:
    names = Names()
    await PublicResolver(names).close()
    assert names.closed
