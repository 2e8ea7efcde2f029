"""Which addresses a tool may not reach just because a name led there.

The networks are those of the IANA special-purpose address registries (RFC 6890) with multicast and what is reserved.
The list is written out, since what Python calls global differs from version to version.
"""

import ipaddress
from typing import Final

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_SPECIAL_V4: Final = {
    "0.0.0.0/8": "unspecified",
    "10.0.0.0/8": "private",
    "100.64.0.0/10": "shared by a carrier",
    "127.0.0.0/8": "loopback",
    "169.254.0.0/16": "link-local",
    "172.16.0.0/12": "private",
    "192.0.0.0/24": "reserved",
    "192.0.2.0/24": "for documentation",
    "192.88.99.0/24": "a tunnel",
    "192.168.0.0/16": "private",
    "198.18.0.0/15": "for benchmarks",
    "198.51.100.0/24": "for documentation",
    "203.0.113.0/24": "for documentation",
    "224.0.0.0/4": "multicast",
    "240.0.0.0/4": "reserved",
}
_SPECIAL_V6: Final = {
    "::/128": "unspecified",
    "::1/128": "loopback",
    "::ffff:0:0/96": "IPv4 in another spelling",
    "::/96": "IPv4 in another spelling",
    "64:ff9b::/96": "translated to IPv4",
    "64:ff9b:1::/48": "translated to IPv4",
    "2001::/23": "reserved",
    "2001:db8::/32": "for documentation",
    "2002::/16": "a tunnel",
    "3fff::/20": "for documentation",
    "fc00::/7": "private",
    "fe80::/10": "link-local",
    "fec0::/10": "private",
    "ff00::/8": "multicast",
}
_NETWORKS: Final = [(ipaddress.ip_network(network), word) for network, word in (_SPECIAL_V4 | _SPECIAL_V6).items()]
_UNICAST_V6: Final = ipaddress.IPv6Network("2000::/3")
"""All of IPv6 that is given out for the public (RFC 4291, section 2.4)."""


def parse_address(text: str) -> Address | None:
    """Return the address that `text` is, with or without brackets; None when it is a name. A zone is left out."""
    try:
        return ipaddress.ip_address(text.strip("[]").partition("%")[0])
    except ValueError:
        return None


def special(address: Address) -> str:
    """Return in a word why an address is not one of the public Internet, "" when it is."""
    for network, word in _NETWORKS:
        if address in network:
            return word
    if isinstance(address, ipaddress.IPv6Address) and address not in _UNICAST_V6:
        return "reserved"
    return ""


def written(address: Address) -> str:
    """Return an address as it stands in a URL and in a grant."""
    return f"[{address}]" if address.version == 6 else str(address)
