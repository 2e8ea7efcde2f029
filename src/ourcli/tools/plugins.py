"""Plugin folders: find them, read them, say what is wrong with them."""

import hashlib
import os
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ourcli.common.errors import OurcliError, PluginError
from ourcli.tools.capabilities import Capability, CapabilityKind
from ourcli.tools.manifest import FILE_NAME, MOST_BYTES, Manifest, ToolOf, read_manifest
from ourcli.tools.spec import Origin, OriginKind, SideEffects, ToolExample, ToolSpec

MOST_MODULE_BYTES = 64 * 1024 * 1024
MOST_PLUGINS = 1_000
_CHANGES = {
    CapabilityKind.FS_WRITE: SideEffects.LOCAL,
    CapabilityKind.MEMORY_WRITE: SideEffects.LOCAL,
    CapabilityKind.NET: SideEffects.EXTERNAL,
    CapabilityKind.EXEC: SideEffects.EXTERNAL,
}
_ORDER = [SideEffects.NONE, SideEffects.LOCAL, SideEffects.EXTERNAL]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugin:
    """A plugin as it was when it was read; what runs later must have the same digests.

    Attributes:
        folder: Where it stands.
        manifest: What it says.
        module: The file with its code.
        module_sha256: Digest of that file.
        manifest_sha256: Digest of the manifest.
    """

    folder: Path
    manifest: Manifest
    module: Path
    module_sha256: str
    manifest_sha256: str

    @property
    def name(self) -> str:
        """Its name."""
        return self.manifest.name

    @property
    def origin(self) -> Origin:
        """Who stands behind its tools; the digest is over module and manifest."""
        both = hashlib.sha256(f"{self.module_sha256}\n{self.manifest_sha256}\n".encode()).hexdigest()
        return Origin(kind=OriginKind.PLUGIN, name=self.name, sha256=both, place=str(self.folder))

    def specs(self) -> Mapping[str, ToolSpec]:
        """Return each tool's spec by the name that the plugin itself gives it."""
        origin, requested = self.origin, self.manifest.requested()
        return {tool.name: self._spec(tool, origin, requested) for tool in self.manifest.tools}

    def _spec(self, tool: ToolOf, origin: Origin, requested: tuple[Capability, ...]) -> ToolSpec:
        implied = [_CHANGES.get(one.kind, SideEffects.NONE) for one in requested]
        return ToolSpec(
            name=f"{self.name}.{tool.name}",
            description=tool.description,
            origin=origin,
            input_schema=tool.input_schema,
            output_schema=tool.output_schema,
            examples=tuple(
                ToolExample(input=one.input, output=one.output, description=one.description) for one in tool.examples
            ),
            capabilities=requested,
            side_effects=max([tool.side_effects, *implied], key=_ORDER.index),
            idempotent=tool.idempotent,
            timeout_s=self.manifest.limits.timeout_ms / 1000,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Discovered:
    """What was found in the plugin folders.

    Attributes:
        plugins: Those that can be used, by name.
        problems: What cannot be used and why, a line each.
    """

    plugins: tuple[Plugin, ...]
    problems: tuple[str, ...]

    def over(self, samples: "Discovered") -> "Discovered":
        """Return these, and of the samples those that have another name than any of these."""
        taken = {plugin.name for plugin in self.plugins}
        more = tuple(plugin for plugin in samples.plugins if plugin.name not in taken)
        return Discovered(plugins=(*self.plugins, *more), problems=(*self.problems, *samples.problems))


def discover(places: Iterable[Path]) -> Discovered:
    """Read every plugin folder in `places`; a broken one is a problem and hides no other.

    A folder counts when it holds a `manifest.json`. Of two plugins with one name neither is taken, for nobody knows
    which one is meant.
    """
    found: list[Plugin] = []
    problems: list[str] = []
    for folder in _folders(places):
        try:
            found.append(load_plugin(folder))
        except OurcliError as exc:
            problems.append(exc.message)
    names = [plugin.name for plugin in found]
    for name in sorted({name for name in names if names.count(name) > 1}):
        where = " and ".join(repr(str(plugin.folder)) for plugin in found if plugin.name == name)
        problems.append(f"two plugins are called {name!r}: {where}; neither is used")
    plugins = tuple(plugin for plugin in found if names.count(plugin.name) == 1)
    return Discovered(plugins=plugins, problems=tuple(problems))


def _folders(places: Iterable[Path]) -> list[Path]:
    found: list[Path] = []
    for place in places:
        try:
            inside = sorted(place.iterdir())
        except OSError:
            continue  # a place that is not there holds no plugins
        found += [folder for folder in inside if os.path.lexists(folder / FILE_NAME)]
    return found[:MOST_PLUGINS]


def load_plugin(folder: Path) -> Plugin:
    """Read one plugin.

    Raises:
        PluginError: Its manifest or its module cannot be used.
    """
    content = read_plain(folder / FILE_NAME, most_bytes=MOST_BYTES)
    manifest = read_manifest(content, folder / FILE_NAME)
    module = folder / _entry(folder, manifest)
    return Plugin(
        folder=folder,
        manifest=manifest,
        module=module,
        module_sha256=hashlib.sha256(read_plain(module, most_bytes=MOST_MODULE_BYTES)).hexdigest(),
        manifest_sha256=hashlib.sha256(content).hexdigest(),
    )


def _entry(folder: Path, manifest: Manifest) -> str:
    if manifest.entry is not None:
        return manifest.entry
    modules = sorted(path.name for path in folder.glob("*.wasm"))
    if len(modules) == 1:
        return modules[0]
    if not modules:
        raise PluginError(f"{str(folder)!r} holds no *.wasm", hint="build the plugin first")
    raise PluginError(
        f"{str(folder)!r} holds several *.wasm: {', '.join(modules[:8])}", hint='name one as "entry" in the manifest'
    )


def read_module(plugin: Plugin) -> bytes:
    """Return the module's bytes, which are those that were read when the plugin was.

    Raises:
        PluginError: They are not, or the file cannot be read.
    """
    content = read_plain(plugin.module, most_bytes=MOST_MODULE_BYTES)
    if hashlib.sha256(content).hexdigest() != plugin.module_sha256:
        raise PluginError(
            f"the module {str(plugin.module)!r} changed since it was checked; it was not run",
            hint="look at what changed, and run the command again if you trust it",
        )
    return content


def read_plain(path: Path, *, most_bytes: int) -> bytes:
    """Return the bytes of a plain file: no link, no pipe, not larger than `most_bytes`.

    Raises:
        PluginError: It is none, or cannot be read.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    except OSError as exc:
        reason = "it is a link, or cannot be opened" if path.is_symlink() else exc.strerror or str(exc)
        raise PluginError(f"cannot read {str(path)!r}: {reason}", hint="a plugin's files are plain files") from exc
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise PluginError(f"{str(path)!r} is no plain file", hint="a plugin's files are plain files")
        with os.fdopen(descriptor, "rb", closefd=False) as stream:
            content = stream.read(most_bytes + 1)
    finally:
        os.close(descriptor)
    if len(content) > most_bytes:
        raise PluginError(f"{str(path)!r} is larger than {most_bytes} bytes", hint="build it smaller, or ship less")
    return content
