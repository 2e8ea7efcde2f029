"""Where everything stands on disk. No other module builds these paths."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ourcli.common.errors import ConfigError
from ourcli.config.settings import Settings


def expanded(text: str, name: str) -> Path:
    """Return `text` as a path with `~` expanded.

    Raises:
        ConfigError: `~` names no user, or the text is no path; the message calls it `name`.
    """
    try:
        if "\0" in text:
            raise ValueError("it holds a zero byte")
        return Path(text).expanduser()
    except (RuntimeError, ValueError) as exc:
        raise ConfigError(f"{name} is {text!r}: {exc}", hint="write the whole path") from exc


@dataclass(frozen=True, slots=True)
class Home:
    """The one folder ourcli writes to, `OURCLI_HOME` or `~/.ourcli`."""

    root: Path

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Home":
        """Return the home that `OURCLI_HOME` names, else `~/.ourcli`.

        Raises:
            ConfigError: The user's own folder is not known, or `OURCLI_HOME` is no path.
        """
        return cls(expanded(environment.get("OURCLI_HOME") or "~/.ourcli", "OURCLI_HOME").absolute())

    @property
    def config_file(self) -> Path:
        """The user's configuration."""
        return self.root / "config.toml"

    @property
    def trust_file(self) -> Path:
        """Projects the user trusts, with the digests of their files."""
        return self.root / "trusted.json"

    @property
    def cache(self) -> Path:
        """What can be thrown away and made again."""
        return self.root / "cache"

    @property
    def state(self) -> Path:
        """Small facts that outlive a process: the last session, measured speeds."""
        return self.root / "state"

    @property
    def embeddings(self) -> Path:
        """Vectors of earlier texts."""
        return self.cache / "embeddings.sqlite"

    @property
    def sessions(self) -> Path:
        """The last session of each project."""
        return self.state / "sessions.json"

    @property
    def chat_history(self) -> Path:
        """The lines that were typed in conversations."""
        return self.state / "chat_history"

    @property
    def logs(self) -> Path:
        """The event log and the diagnostic log."""
        return self.root / "logs"

    @property
    def events(self) -> Path:
        """The event log; older ones stand beside it with a number."""
        return self.logs / "events.jsonl"

    @property
    def diagnostics(self) -> Path:
        """The diagnostic log; older ones stand beside it with a number."""
        return self.logs / "ourcli.jsonl"

    @property
    def recipes(self) -> Path:
        """The user's own recipes."""
        return self.root / "recipes"

    @property
    def plugins(self) -> Path:
        """The user's plugins, a folder each."""
        return self.root / "plugins"

    @property
    def plugins_lock(self) -> Path:
        """Digests of every file of the plugins that were added."""
        return self.root / "plugins.lock"

    @property
    def undo(self) -> Path:
        """What files held before tools changed them."""
        return self.root / "undo"

    @property
    def grants(self) -> Path:
        """What the user granted to tools."""
        return self.root / "grants.json"

    @property
    def grants_policy(self) -> Path:
        """What tools may do unattended; written by the user."""
        return self.root / "grants.toml"

    @property
    def mcp_servers(self) -> Path:
        """The MCP servers that the user added, with what they said their tools are."""
        return self.root / "mcp.json"

    @property
    def mcp_tokens(self) -> Path:
        """Logins at MCP servers, a file each."""
        return self.state / "mcp"

    @property
    def mcp_token(self) -> Path:
        """The bearer token of our own MCP server on a port."""
        return self.state / "mcp_token"

    @property
    def compiled(self) -> Path:
        """Native code of plugins."""
        return self.cache / "compiled"

    @property
    def compiled_digests(self) -> Path:
        """Digests of that native code, apart from it."""
        return self.state / "compiled"

    def resolve(self, text: str) -> Path:
        """Return the path a setting means: `~` expanded, relative ones under the home.

        Raises:
            ConfigError: `~` names no user.
        """
        return self.root / expanded(text, "a folder of the settings")

    def db(self, settings: Settings) -> Path:
        """Return the folder of the memory's tables."""
        return self.resolve(settings.paths.db)

    def models(self, settings: Settings) -> Path:
        """Return the folder of model files."""
        return self.resolve(settings.paths.models)


def built_plugins() -> Path | None:
    """Return where `make plugins` puts the samples, when ourcli runs from its own source tree."""
    tree = Path(__file__).resolve().parents[3]
    return tree / "build" / "plugins" if (tree / "plugins").is_dir() and (tree / "pyproject.toml").is_file() else None
