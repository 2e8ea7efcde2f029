"""Make untrusted text safe to show: what a record or a model says must not drive the terminal."""

_KEPT = "\n\t"
_BIDI = [*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C]

_VISIBLE: dict[int, str] = (
    {code: chr(0x2400 + code) for code in range(0x20) if chr(code) not in _KEPT}
    | {0x7F: "\u2421"}
    | {code: f"<{code:02X}>" for code in range(0x80, 0xA0)}
    | {code: f"<{code:04X}>" for code in _BIDI}
)

_ESCAPED: dict[int, str] = {code: f"\\u{code:04x}" for code in (0x7F, *range(0x80, 0xA0), *_BIDI)}


def neutralise(text: str) -> str:
    """Return `text` with every control and bidi-override character made visible.

    Line ends and tabs stay. C0 characters become their Unicode control pictures (ESC is U+241B),
    C1 and direction overrides become their number in angle brackets.
    """
    return text.replace("\r\n", "\n").translate(_VISIBLE)


def escape(text: str) -> str:
    """Return JSON with every control and bidi-override character inside its strings written as a JSON escape.

    Characters below U+0020 are escaped by every JSON writer; line ends between values stay.
    """
    return text.translate(_ESCAPED)


def well_formed(text: str) -> str:
    """Return `text` as valid Unicode: bytes of arguments and pipes that are no UTF-8 become U+FFFD."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
