"""The one gate for outbound connections.

Nothing in ourcli opens a socket to another machine before it has asked `Gate.allow`. The gate knows
whether `OURCLI_NET=1` is set and what the user consented to in this process; loopback and unix
sockets are always allowed. A test shuts the gate and runs everything.
"""

import ipaddress
from dataclasses import dataclass, field

from ourcli.common.errors import NetworkOffError


def is_loopback(host: str) -> bool:
    """Say whether `host` names this machine, by name or address; nothing is looked up."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


@dataclass(slots=True)
class Gate:
    """Decide whether an outbound connection may be made.

    Args:
        network: `OURCLI_NET=1` is set.
    """

    network: bool
    _consented: set[str] = field(default_factory=set)

    def consent(self, purpose: str) -> None:
        """Record that the user agreed, in this process, to connections for `purpose`."""
        self._consented.add(purpose)

    def allow(self, purpose: str, host: str) -> None:
        """Return when a connection to `host` for `purpose` may be made.

        Raises:
            NetworkOffError: It may not; the hint names the switch.
        """
        if is_loopback(host) or self.network or purpose in self._consented:
            return
        raise NetworkOffError(
            f"{purpose} needs the network ({host}), and the network is off",
            hint="set OURCLI_NET=1 to allow it",
        )
