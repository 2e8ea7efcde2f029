"""Open what was granted: the book that persons write, and the policy for unattended use."""

from ourcli.app.tools.guarded import guarded
from ourcli.app.tools.needs import ToolRooms
from ourcli.tools.backends.grant_store import GrantStore
from ourcli.tools.backends.policy_file import PolicyFile
from ourcli.tools.backends.terminal_session import terminal_session
from ourcli.tools.standing import StandingGrants


def open_grants(rooms: ToolRooms) -> tuple[StandingGrants, GrantStore]:
    """Return what holds, and the book that grants are written to. No file is read yet."""
    home = rooms.home
    book = GrantStore(home.grants, clock=rooms.clock)
    policy = PolicyFile(home.grants_policy, lambda rights: guarded(rights, home))
    rooms.on_close(book.aclose)
    rooms.on_close(policy.aclose)
    return StandingGrants([book, policy], clock=rooms.clock, terminal=terminal_session), book


def open_policy(rooms: ToolRooms) -> StandingGrants:
    """Return what the policy alone grants: all that holds where a tool changes something and nobody can be asked."""
    home = rooms.home
    policy = PolicyFile(home.grants_policy, lambda rights: guarded(rights, home))
    rooms.on_close(policy.aclose)
    return StandingGrants([policy], clock=rooms.clock)
