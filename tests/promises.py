"""Everything ourcli promises, in plain words, by id. `tests/test_promises.py` checks both directions:
every promise has a test that carries `@promise(id)`, and every id that a test carries stands here.

The first word of an id is the room that keeps the promise.
"""

from collections.abc import Callable
from typing import TypeVar

import pytest

_Test = TypeVar("_Test", bound=Callable[..., object])


def promise(identifier: str) -> Callable[[_Test], _Test]:
    """Mark a test as the proof of a promise."""
    if identifier not in PROMISES:
        raise KeyError(f"no such promise: {identifier!r}; add it to tests/promises.py")
    mark = pytest.mark.promise(identifier)

    def decorate(test: _Test) -> _Test:
        marked: _Test = mark(test)
        return marked

    return decorate


CLI = {
    "cli.ask.answers": "`ask` streams the answer, then citations with layer, score and place; `--json` has its keys",
    "cli.ask.bad-input": "an empty question, a wrong budget or option is a usage error before any model is touched",
    "cli.ask.piped-in": "piped text is read along with the question, or is the question",
    "cli.bench.retrieval": "`bench retrieval` prints quality by category and latency",
    "cli.chat.converses": "`chat` answers, continues its session and knows its commands",
    "cli.chat.interrupt": "Ctrl-C stops an answer and keeps the conversation; Ctrl-D leaves",
    "cli.chat.terminal": "`chat` on a real terminal has history readable by its owner only, and multi-line input",
    "cli.completion.shells": "completion scripts exist for bash, zsh and fish",
    "cli.config.check": "`config check` shows schedules in words with the next run",
    "cli.config.errors": "a mistake in configuration ends with 2 and a hint",
    "cli.config.path": "`config path` works even when the file is broken",
    "cli.config.set": "what `config set` sets `config get` prints",
    "cli.config.show": "`config show --origin` prints every setting with its origin, schedules in words",
    "cli.errors.exit-codes": "every error of the tree ends with its exit code, a hint, and JSON when asked",
    "cli.errors.internal": "a bug ends with 1, and with its traceback only under -v",
    "cli.errors.interrupted": "Ctrl-C closes everything and ends with 130; a second one leaves at once",
    "cli.errors.unknown-command": "a misspelt command names the nearest one",
    "cli.events.tail": "`events tail` prints JSON lines from a moment on",
    "cli.help.every-command": "every command has help, and --json where it prints data",
    "cli.ingest.reports": "`ingest` reports files, chunks, skipped, removed and seconds, for each round of --watch too",
    "cli.init": "`init` starts a project once",
    "cli.memory.add": "`memory add` stores a text with what its options say and prints its id",
    "cli.memory.add-lines": "`memory add --jsonl` stores checked lines in batches and names the line that is wrong",
    "cli.memory.export-import": "what `memory export` writes `memory import` reads, with id, trust and provenance",
    "cli.memory.forget": "`memory forget` removes by id or session and says what is gone",
    "cli.memory.get": "`memory get` shows one record",
    "cli.memory.list": "`memory list` shows a project's records, newest first",
    "cli.memory.reembed": "`memory reembed` says how many records it embedded again",
    "cli.memory.search": "`memory search` passes every filter on and shows hits with their score cards",
    "cli.memory.stats": "`memory stats` shows rows, unindexed, fragments and bytes of each layer",
    "cli.models.registry": "`models list|pull|verify|use|remove` speak of the registry with the keys of the contract",
    "cli.options.anywhere": "common options count before and after the command's name",
    "cli.output.broken-pipe": "a reader that leaves early ends the work quietly",
    "cli.output.control-characters": "what a record or a model says cannot drive the terminal",
    "cli.output.markdown": "Markdown streams to a terminal block by block and to a pipe as it is",
    "cli.output.progress": "long work shows a bar on a terminal and none in a pipe",
    "cli.plan.shows": "`plan` and `ask --plan-only` show goal and steps and run nothing",
    "cli.recipes.files": "`recipes list|show|new` show recipes and start one; a broken file is told",
    "cli.reference.current": "the reference of commands, settings, events and errors is what the code says",
    "cli.setup.consent": "`setup` says what it would fetch and asks; without a person it needs --yes",
    "cli.setup.models": "`setup` fetches what is missing and is done at once when nothing is",
    "cli.start.light": "`--help` and `--version` load no heavy module",
    "cli.trust": "a hostile project changes nothing until `ourcli trust`, and nothing after `--revoke`",
}

CONFIG: dict[str, str] = {
    "config.check.schedules": "a check tells every schedule in words with its next run",
    "config.environment.unknown": "a variable that is like a setting but is none is refused with the nearest name",
    "config.environment.values": "a variable is read as its key's own type; an empty one counts as not set",
    "config.environment.wrong": "a variable with a wrong value is named",
    "config.extra.missing": "using an extra that is not installed says how to install it",
    "config.file.broken": "what is no TOML, no UTF-8, too large or keeps the parser busy is an error that names it",
    "config.file.named": "`OURCLI_CONFIG` names the user's file",
    "config.file.special": "a folder, pipe, device or loop of links for a file is an error, never waited for",
    "config.flag.wrong": "a flag with a wrong value is refused",
    "config.home.named": "`OURCLI_HOME` names the home",
    "config.init.overwrites-nothing": "`init` never touches a project file that exists",
    "config.init.starts": "`init` writes a commented project file named after the folder",
    "config.key.documented": "every key says what it means, what it takes and which variable sets it",
    "config.key.unknown": "an unknown key or section is refused with file, line and the nearest name",
    "config.load.defaults": "without any source every setting has its default",
    "config.load.precedence": "flag, variable, trusted project file, user's file, default: the first that speaks wins",
    "config.load.schedules": "a schedule that means nothing is refused at load, with file and line",
    "config.load.writes-nothing": "reading the settings makes no file or folder",
    "config.log.spec": "`OURCLI_LOG` takes a level, levels by target, or both",
    "config.log.wrong": "a wrong `OURCLI_LOG` is refused with the nearest level",
    "config.net.switch": "`OURCLI_NET=1` allows the network, and no other word does",
    "config.project.any-bytes": "no bytes in an untrusted project file are an error",
    "config.project.broken": "a broken or huge untrusted project file costs one warning, never an error",
    "config.project.nearest": "the nearest .ourcli.toml upwards is the project's",
    "config.project.special": "a pipe, folder, device or loop of links called .ourcli.toml costs one warning",
    "config.project.untrusted": "an untrusted project file sets the project's name and ingest patterns only",
    "config.project.warning": "what an untrusted project file may not set is named in one harmless line",
    "config.set.concurrent": "processes that set at once lose nothing",
    "config.set.creates": "`config set` makes a private file when there is none",
    "config.set.keeps-comments": "`config set` changes the value and leaves comments and order alone",
    "config.set.read-only": "`config set` on a home that cannot be written is an error",
    "config.set.reads-back": "whatever `config set` takes reads back the same, and comments survive",
    "config.set.refuses": "`config set` writes nothing that would not load",
    "config.set.schedule": "`config set` refuses a schedule that means nothing",
    "config.set.symlink": "a configuration file that is a link stays one",
    "config.show.origin": "every value knows the file and line, variable or flag that set it",
    "config.trust.changed": "a project file that changed is trusted no more and says so",
    "config.trust.counts": "a trusted project file sets everything",
    "config.trust.damaged": "a damaged list of trusted projects is an error with a way out, and is left as it is",
    "config.trust.errors": "a project file with an error is not trusted",
    "config.trust.finds": "`trust` takes a folder, a project file, or finds the nearest upwards",
    "config.trust.list": "trusted projects are listed by their real folder",
    "config.trust.private": "the list of trusted projects is private",
    "config.trust.revoke": "trust can be revoked",
    "config.value.wrong-type": "a wrong value is refused in words: file, line, key, what was found, what is expected",
}

AI: dict[str, str] = {
    "ai.cache.bounded": "the embedding cache drops the least recently used vectors beyond its bound",
    "ai.cache.damaged": "a damaged embedding cache is moved aside and begun anew, with a warning",
    "ai.cache.no-disk": "a read-only home or a full disk costs the embedding cache, with one warning, and nothing else",
    "ai.cache.persistent": "a vector is found again in a new process by model digest, prompt kind and text",
    "ai.cache.private": "the embedding cache's files are readable by their owner only and hold no text",
    "ai.cache.processes": "several processes share one embedding cache and none loses what it wrote",
    "ai.embed.cancel": "a cancelled embedding stops after the batch it is in, and what was done is kept",
    "ai.embed.damaged-file": "a damaged embedding model is an error with a hint",
    "ai.embed.minilm-known-answer": "MiniLM gives the vector that its authors publish",
    "ai.embed.odd-texts": "empty texts are refused; huge, malformed and one-character ones get a vector",
    "ai.embed.one-at-a-time": "tasks that embed at once share one session, one after the other",
    "ai.embed.qwen3-reference": "Qwen3 pooling, instruction, EOS and slicing equal PyTorch, padded on either side",
    "ai.models.auto": "`auto` means what `setup` recorded, else the best installed model, else a model is missing",
    "ai.models.broken": "a file that changed since it was verified is read again; a wrong one is refused with a hint",
    "ai.models.cancel": "a cancelled pull stops its child and leaves nothing but its staging folder",
    "ai.models.digest-refused": "a file with a wrong digest is refused and removed, and the next source is tried",
    "ai.models.fails-fast": "a source that is not there gives way to the next; when all fail each reason is told",
    "ai.models.fits-machine": "`setup` chooses by cores and memory, and the list marks what fits this machine",
    "ai.models.found-files": "files that somebody put in place are verified once by digest and recorded",
    "ai.models.full-disk": "a full disk is a clear error, and what was staged is removed",
    "ai.models.gate": "nothing is fetched, not even a redirect, while the gate is shut",
    "ai.models.gguf-path": "any .gguf path works as a model",
    "ai.models.hostile-hub": "a hub cannot lead a pull astray: its commit must be one, and the one that was asked for",
    "ai.models.hostile-registry": "paths, packages and revisions of a registry cannot leave their place",
    "ai.models.local-copies": "an installed package and the hub library's cache are used before the network",
    "ai.models.missing": "a model that is not installed ends with exit code 5 and names `ourcli setup`",
    "ai.models.one-download": "two processes that pull a model at once make one download",
    "ai.models.parts-joined": "a source can be a list of wheels whose members are joined",
    "ai.models.pinned-by-first-pull": "an unpinned model's first pull records its digest; later ones must match",
    "ai.models.pip-runs-nothing-foreign": "fetching a wheel installs nothing and runs no code of the current folder",
    "ai.models.plan": "before anything is fetched it can be said what, from where, how much, under which licence, why",
    "ai.models.progress": "a pull reports its bytes, up to the model's size",
    "ai.models.registry": "every model has a licence, a size and sources; no wheel is taken without a digest",
    "ai.models.resume": "a pull that was killed continues; finished parts are not fetched again",
    "ai.models.unknown-names-nearest": "an unknown model's hint names the nearest",
    "ai.rerank.late-interaction": "the default reranker puts the text that answers above one that does not, in 0..1",
}

MEMORY: dict[str, str] = {
    "memory.ingest.bad-file": "one file that cannot or may not be read does not stop the rest, and each says why",
    "memory.ingest.binary": "files that are no text are left out, with the reason",
    "memory.ingest.headings": "a piece of Markdown carries the titles above it",
    "memory.ingest.html": "HTML is read as a person sees it, and its pieces know the lines of the source",
    "memory.ingest.ignore-files": "`.gitignore` at every depth, `.ignore` and git's exclude file count everywhere",
    "memory.ingest.incremental": "unchanged files are skipped, changed ones replaced, gone or ignored ones removed",
    "memory.ingest.interrupt": "an interrupted ingestion leaves whole files, and the next one goes on from there",
    "memory.ingest.lines": "the lines of a piece hold its text, whatever characters and line ends the file has",
    "memory.ingest.missing-path": "a path that does not exist is named before anything is stored",
    "memory.ingest.odd-code": "minified, endless and absurdly nested files are cut in bounded time",
    "memory.ingest.progress": "ingestion tells how many files are done, and when it ended",
    "memory.ingest.removal-stays-inside": "only files under the ingested paths are ever removed",
    "memory.ingest.resume": "a write that fails leaves whole files, and the next ingestion stores the rest only",
    "memory.ingest.secrets": "files that may hold secrets are never read, even when they are named",
    "memory.ingest.second-run": "a second ingestion of the same files stores nothing",
    "memory.ingest.syntax": "source code of thirteen grammars is cut between its definitions",
    "memory.ingest.watch": "watching reads changed files again, follows renames and deletions, heeds patterns",
    "memory.ingest.watch-disk": "a change on disk becomes a report, even right after the start",
}

CORE: dict[str, str] = {
    "core.answer.marks": "a number or name that neither evidence nor question holds is marked",
    "core.answer.missed": "an answer that holds none of what the evidence adds is noticed",
    "core.answer.trusts": "a right answer in other words stays unmarked",
    "core.bus.broadcast": "every subscriber sees every event since it subscribed",
    "core.bus.lag": "a slow subscriber loses the oldest events and is told exactly how many",
    "core.bus.threads": "events may be emitted from any thread and wake who waits",
    "core.executor.cancellation": "cancelling a run cancels its steps and is written down",
    "core.executor.errors": "an error of a step keeps its exit code; a bug in a step becomes an error that names it",
    "core.executor.events": "every transition of a run is reported under its run id",
    "core.executor.failure-cancels": "the first failure cancels what runs and starts nothing more",
    "core.executor.parallel": "ready steps run at the same time, up to a limit",
    "core.executor.retries": "a step is tried again after a transient error only, as often as it says",
    "core.executor.timeout": "a step that takes too long is stopped and named",
    "core.journal.transitions": "the journal keeps every transition of a step",
    "core.plan.notation": "references, parameters and texts are written so that they read back the same",
    "core.plan.order": "steps run in an order that respects every need, whatever the graph",
    "core.plan.refused": "a plan that cannot run is refused, with the step and the reason; a circle names its steps",
    "core.planner.chooses": "the planner takes the named recipe, else the one that serves the kind of request",
    "core.prompt.budget": "the packed prompt never exceeds its budget of tokens",
    "core.prompt.left-out": "what did not fit is named with the reason, least relevant and oldest first",
    "core.prompt.never-cut": "rules and question are never cut; a question that does not fit is refused at once",
    "core.quote.verbatim": "quotes are the evidence's own words, the part that speaks to the question, with its number",
    "core.recipe.broken": "a broken recipe file is reported with its name and reason and hides no other",
    "core.recipe.shipped": "every shipped recipe, and the one that `recipes new` writes, makes a plan that can run",
    "core.recipe.user": "a user's recipe is read, and one with a shipped name takes its place",
    "core.router.any-input": "any text is routed at once, however long or odd",
    "core.router.kinds": "questions, things to remember, decisions and files to read are told apart",
}

SCHEDULER: dict[str, str] = {
    "scheduler.cron.agrees": "every run is in the future and matches its fields",
    "scheduler.cron.defaults": "the default schedules are every six hours and daily",
    "scheduler.cron.five-fields": "five cron fields are refused, and the hint shows the six",
    "scheduler.cron.in-words": "a schedule is told in words that fit its seconds",
    "scheduler.cron.local-time": "a schedule follows the machine's own clock through summer time",
    "scheduler.cron.next-run": "the next run comes after now",
    "scheduler.cron.wrong": "what is no schedule, or never comes, is refused",
}

OBSERVABILITY: dict[str, str] = {
    "observability.events.full-disk": "a log that cannot be written warns once and breaks nothing",
    "observability.events.log": "each event is one line of JSON; answers' words and progress are never logged",
    "observability.events.private": "the event log is 0600 in a 0700 folder",
    "observability.events.processes": "several processes append at once and lose no line",
    "observability.events.rotates": "the event log is rotated by size and never grows beyond its files",
    "observability.events.tail": "tail shows events since a moment, and follows across rotations",
    "observability.events.torn": "a torn last line is skipped and spoils no later one",
    "observability.logs.levels": "diagnostics go to a file of JSON lines, by the levels of OURCLI_LOG",
}

RELEASE: dict[str, str] = {
    "release.house.promises": "every promise has a test and every claim of a test is a promise",
    "release.house.shape": "files, functions, branches and parameters stay within the limits of CONTRIBUTING.md",
    "release.house.walls": "rooms import downwards only and native libraries stay in backends; a breach is caught",
    "release.repository.clean": "nothing committed is heavy, names a package index or a path of one machine",
    "release.requirements.hashed": "every requirement, the build backend's too, is pinned and carries hashes",
    "release.tests.loopback-only": "a test that would reach another machine fails, and nothing is sent",
    "release.tests.no-silent-skip": "where skips are forbidden, a skipped test fails the run",
}

PROMISES: dict[str, str] = CLI | CONFIG | AI | MEMORY | CORE | SCHEDULER | OBSERVABILITY | RELEASE
