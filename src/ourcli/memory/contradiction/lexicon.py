"""Words that exclude each other, and words that say nothing of what a statement is about: tables to read and add to."""

from collections.abc import Mapping

from ourcli.common.words import word_set

_ALTERNATIVES: Mapping[str, str] = {
    "database": "postgres postgresql sqlite mysql mariadb oracle mongodb mongo cassandra dynamodb cockroachdb duckdb"
    " firestore couchdb couchbase neo4j clickhouse mssql bigquery snowflake",
    "cache": "redis memcached valkey varnish dragonfly",
    "queue": "kafka rabbitmq nats sqs pulsar activemq zeromq",
    "search": "elasticsearch opensearch solr meilisearch typesense",
    "cloud": "aws azure gcp hetzner digitalocean heroku linode",
    "infrastructure": "terraform pulumi ansible cloudformation opentofu Chef Puppet",
    "orchestrator": "kubernetes k8s nomad swarm openshift",
    "container": "docker podman containerd",
    "repository": "github gitlab bitbucket gitea codeberg",
    "ci": "jenkins circleci buildkite teamcity",
    "editor": "vim neovim emacs vscode pycharm intellij",
    "language": "python java javascript typescript kotlin scala ruby php golang Go Rust Swift Elixir Haskell",
    "frontend": "vue angular svelte solidjs ember React Preact",
    "web framework": "django fastapi rails laravel Flask Express Spring Starlette Quart",
    "test framework": "pytest unittest Jest Mocha vitest junit testng",
    "formatter": "yapf autopep8 prettier Black",
    "package manager": "npm yarn pnpm",
    "protocol": "grpc graphql soap",
    "format": "yaml toml xml protobuf avro msgpack",
    "indentation": "tabs spaces",
    "licence": "apache-2.0 mit gpl agpl bsd mpl",
    "chat": "slack mattermost discord zulip Teams",
    "model": "claude gemini llama mistral qwen",
    "merging": "rebase squash merge-commits",
    "layout": "monorepo polyrepo multirepo",
    "weekday": "monday tuesday wednesday thursday friday saturday sunday",
    "often": "hourly daily nightly weekly biweekly monthly quarterly yearly",
    "switch": "enabled disabled",
    "need": "required mandatory optional",
    "visibility": "public private",
    "timing": "synchronous asynchronous",
}
"""Kind -> what excludes each other. A capitalised entry is an everyday word too and counts only when capitalised."""

_SAME: Mapping[str, str] = {
    "postgresql": "postgres",
    "mongodb": "mongo",
    "kubernetes": "k8s",
    "golang": "go",
    "mandatory": "required",
    "nightly": "daily",
    "biweekly": "weekly",
}
"""Other names of the same."""

KIND_OF: Mapping[str, str] = {
    name.lower(): kind for kind, names in _ALTERNATIVES.items() for name in names.replace("-", "").split()
}
"""Lower-case word -> its kind."""
ONLY_CAPITALISED = frozenset(
    name.lower() for names in _ALTERNATIVES.values() for name in names.split() if name[0].isupper()
)

NEUTRAL = word_set(
    """
    a about above after again all almost already also always am an and any are as at be because been before being
    below between both but by can could did do does doing done down during each either else ever everyone few for
    from further had has have having he her here hers him his how i if in into is it its itself just let like made
    make makes making many may me might more most much must my need needed needs neither never new no nobody none
    nor not note nothing now of off ok okay old on once one only onto or other our ours out over own per please
    quite rather really same shall she should since so some still such than that the their them then there these
    they this those through thus to together too toward towards under until up upon us very via was we were what
    when where which while who whom whose why will with within without would yes yet you your adopt adopted adopting
    agree agreed agreement approve approved become becomes change changed changes choice choose chose chosen
    concluded currently cut day decide decided decides decision default final finally fixed general generally go
    goes going gone happen happens happened hold increase increased keep keeping kept latest least long lower
    lowered maximum minimum move moved moving opted pick picked plan prefer prefers raise raised reduce reduced
    remain remains remember replace replaced resolved run running runs say says set sets setting settled standard
    standardise standardised standardize standardized start starts stay stays stick sure switch switched switching
    time today tomorrow total update updated use used uses using usually value want wants went yesterday
    """
)
"""Words that make no subject."""


def canonical(name: str) -> str:
    """Return one spelling for a name: lower case, letters and digits only, synonyms joined."""
    plain = name.lower()
    if not plain.isalnum():
        plain = "".join(character for character in plain if character.isalnum())
    return _SAME.get(plain, plain)


def listed(word: str) -> str | None:
    """Return how a listed word is to be shown, without a plural s, or None when it is not in the table."""
    for form in (word, word.removesuffix("s")):
        name = canonical(form)
        if name in KIND_OF and (name not in ONLY_CAPITALISED or form[0].isupper()):
            return form
    return None


def kind_of(name: str) -> str | None:
    """Return what kind of thing a canonical name is, or None."""
    return KIND_OF.get(name)
