"""`time.now`: what time it is."""

from typing import Final
from zoneinfo import ZoneInfo

from ourcli.common.clock import Clock
from ourcli.tools.backends.builtin.describing import TEXT, a_text, an_object, described
from ourcli.tools.backends.builtin.given import refused, text
from ourcli.tools.data import JsonObject
from ourcli.tools.ports import ToolContext
from ourcli.tools.spec import ToolExample, ToolSpec

_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

SPEC: Final = described(
    "time.now",
    "Tell the date and the time, here or in a time zone.",
    takes=an_object({"zone": a_text("An IANA name such as Europe/Berlin or UTC; without it the machine's own")}, []),
    gives=an_object({"time": TEXT, "utc": TEXT, "zone": TEXT, "weekday": TEXT, "unix_s": {"type": "integer"}}),
    examples=(
        ToolExample(input={}, description="here"),
        ToolExample(input={"zone": "Asia/Tokyo"}, description="in Tokyo"),
    ),
)


class TimeNow:
    """The tool.

    Args:
        clock: Time.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def spec(self) -> ToolSpec:
        """Return what it is."""
        return SPEC

    async def invoke(self, input: JsonObject, _context: ToolContext) -> JsonObject:  # noqa: A002
        """Tell the time; see `ourcli.tools.ports.Tool`."""
        now, name = self._clock.now(), text(input, "zone")
        try:
            there = now.astimezone(ZoneInfo(name) if name else None)
        except (OSError, ValueError, LookupError) as exc:  # a folder of zones, a path, no such zone
            raise refused("zone", "is no IANA time zone such as Europe/Berlin") from exc
        return {
            "time": there.isoformat(timespec="seconds"),
            "utc": now.isoformat(timespec="seconds"),
            "zone": name or there.tzname() or "local",
            "weekday": _DAYS[there.weekday()],
            "unix_s": int(now.timestamp()),
        }
