"""Which plugins there are: the user's, those of a trusted project, and the samples of a source tree."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ourcli.common.errors import StoreError
from ourcli.config.load import Loaded
from ourcli.config.locations import Home, built_plugins
from ourcli.tools.backends.plugin_store import PluginStore
from ourcli.tools.plugin_lock import Lock
from ourcli.tools.plugins import Discovered, Plugin, discover

PROJECT_FOLDER: Final = Path(".ourcli") / "plugins"


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundPlugins:
    """Plugins that can be used.

    Attributes:
        plugins: By name.
        problems: What cannot be used, or is not as it should be, a line each.
        asked: Of plugins that a person has to agree to before they run at all: why, by name.
    """

    plugins: tuple[Plugin, ...]
    problems: tuple[str, ...]
    asked: Mapping[str, str] = field(default_factory=dict)


def find_plugins(home: Home, loaded: Loaded, store: PluginStore) -> FoundPlugins:
    """Read all plugin folders. The user's own come before a project's, and those before samples of the same name."""
    own, asked, problems = _own(home, store)
    samples = built_plugins()
    project, warnings = _of_project(home, loaded)
    taken = {plugin.name: plugin for plugin in own.plugins}
    hidden = [
        f"two plugins are called {plugin.name!r}: {str(taken[plugin.name].folder)!r} is used, "
        f"{str(plugin.folder)!r} of the project is not"
        for plugin in project.plugins
        if plugin.name in taken
    ]
    found = own.over(project).over(discover([samples] if samples else []))
    here = {plugin.name for plugin in project.plugins} - set(taken)
    asked = {**asked, **dict.fromkeys(here, "it is the project's own")}
    return FoundPlugins(plugins=found.plugins, problems=(*found.problems, *problems, *hidden, *warnings), asked=asked)


def _own(home: Home, store: PluginStore) -> tuple[Discovered, dict[str, str], Sequence[str]]:
    """Return the user's plugins, and why those that are not as they were added have to be asked for."""
    own = discover([home.plugins])
    try:
        lock = store.lock()
    except StoreError as exc:
        return own, {plugin.name: "plugins.lock is damaged" for plugin in own.plugins}, (exc.message,)
    changed = {plugin.name: _faults(store, plugin, lock) for plugin in own.plugins}
    asked = {name: f"it is not as it was added: {why}" for name, why in changed.items() if why}
    return own, asked, [f"the plugin {name!r} is not as it was added: {why}" for name, why in changed.items() if why]


def _faults(store: PluginStore, plugin: Plugin, lock: Lock) -> str:
    return ", ".join(store.faults(plugin, lock)[:5])


def _of_project(home: Home, loaded: Loaded) -> tuple[Discovered, Sequence[str]]:
    nothing = Discovered(plugins=(), problems=())
    if loaded.project_file is None:
        return nothing, ()
    folder = loaded.project_file.parent / PROJECT_FOLDER
    if not folder.is_dir() or folder.resolve() == home.plugins.resolve():
        return nothing, ()
    if not loaded.project_trusted:
        return nothing, (f"the plugins in {str(folder)!r} are not read: look at them, then run `ourcli trust`",)
    return discover([folder]), ()
