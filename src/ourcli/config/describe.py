"""Every setting with its meaning, value and origin: for `config show` and the generated reference."""

from dataclasses import dataclass

from ourcli.config.keys import all_keys, shown
from ourcli.config.load import Loaded
from ourcli.config.sources import Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingRow:
    """One setting as it stands.

    Attributes:
        key: Dotted key.
        value: Its value, as JSON can say it.
        text: Its value as it is written in the file.
        origin: Where it came from.
        default: The default, as it is written in the file.
        in_words: What it takes.
        doc: What it means.
        variable: The environment variable that sets it.
    """

    key: str
    value: object
    text: str
    origin: Origin
    default: str
    in_words: str
    doc: str
    variable: str


def describe(loaded: Loaded) -> tuple[SettingRow, ...]:
    """Return a row for every key, in the order of the reference."""
    values = loaded.settings.model_dump(mode="json")
    rows = []
    for key in all_keys().values():
        value = values[key.section][key.field] if key.section else values[key.field]
        rows.append(
            SettingRow(
                key=key.name,
                value=value,
                text=shown(value),
                origin=loaded.origins[key.name],
                default=shown(key.default),
                in_words=key.in_words,
                doc=key.doc,
                variable=key.variable,
            )
        )
    return tuple(rows)
