"""Which network addresses are the open internet's: nothing else is asked in a user's name."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

_CLOSED = (
    IPv4Network("192.0.0.0/24"),  # IETF protocols; Python before 3.11.10 calls it global
    IPv6Network("64:ff9b::/96"),  # NAT64 (RFC 6052, 8215): an IPv4 address behind a gateway
    IPv6Network("64:ff9b:1::/48"),
    IPv6Network("fec0::/10"),  # site-local (RFC 3879), which Python calls global
    IPv6Network("3fff::/20"),  # documentation (RFC 9637), too new for Python 3.11
)


def is_public(text: str) -> bool:
    """Say whether a numeric address is global unicast.

    Loopback, private, link-local (the clouds' metadata), shared, reserved, multicast and
    unspecified ones are not; nor are IPv6 addresses that carry an IPv4 one (mapped, 6to4, Teredo,
    NAT64), wherever that leads; nor what is no address.
    """
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return False
    if any(address in network for network in _CLOSED) or _carries_another(address):
        return False
    return address.is_global and not (
        address.is_multicast or address.is_reserved or address.is_unspecified
    )


def _carries_another(address: IPv4Address | IPv6Address) -> bool:
    return isinstance(address, IPv6Address) and bool(
        address.ipv4_mapped or address.sixtofour or address.teredo
    )
