"""Our own rules for secrets: what a library of token shapes cannot know, passwords above all.

A value is taken for a secret by its shape (`AKIA...`), by its place (`scheme://user:HERE@host`) or by the name beside
it (`password = HERE`). Names alone prove little: next to a name a value must also look like one, so that prose, code
that only handles secrets, digests and ids stay as they are. What replaces one is `[secret: KIND]`.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """A secret in a text.

    Attributes:
        start: Where it begins, in characters.
        end: Where it ends, not included.
        kind: What it is, in words joined by hyphens: `aws-access-key`, `password`, ...
        vague: Its kind was guessed from a name or a place; a kind known by shape is told instead where both apply.
    """

    start: int
    end: int
    kind: str
    vague: bool = False


_SHAPES = (
    (
        "private-key",
        "private key",
        re.compile(
            r"-----BEGIN[ A-Z0-9_-]{0,60}PRIVATE KEY(?: BLOCK)?-----"
            r"(?:.{0,20000}?-----END[ A-Z0-9_-]{0,60}PRIVATE KEY(?: BLOCK)?-----"
            r"|(?:(?:\\[nr]|\s)+(?:[A-Za-z0-9+/]{16,}={0,2}|[A-Za-z-]+: [^\n]*))*)",
            re.DOTALL,
        ),
    ),
    ("github-pat", "gh", re.compile(r"(?<![A-Za-z0-9])gh[pousr]_[A-Za-z0-9]{30,255}")),
    ("github-fine-grained-pat", "github_pat_", re.compile(r"github_pat_\w{22,255}")),
    ("gitlab-pat", "glpat-", re.compile(r"glpat-[\w-]{20,255}")),
    ("slack-token", "xox", re.compile(r"(?<![A-Za-z0-9])xox[abeoprs]-[A-Za-z0-9-]{10,255}")),
    ("stripe-access-token", "k_", re.compile(r"(?<![A-Za-z0-9])[sr]k_(?:live|test)_[A-Za-z0-9]{10,255}")),
    ("anthropic-api-key", "sk-ant-", re.compile(r"sk-ant-[\w-]{20,255}")),
    ("openai-api-key", "sk-", re.compile(r"(?<![\w-])sk-(?=[\w-]*\d)(?!ant-)(?:[a-z]{4,8}-)?\w{16}[\w-]{4,255}")),
    ("gcp-api-key", "aiza", re.compile(r"(?<!\w)AIza[\w-]{35}")),
    ("huggingface-access-token", "hf_", re.compile(r"(?<![A-Za-z0-9])hf_[A-Za-z0-9]{30,64}")),
    ("npm-access-token", "npm_", re.compile(r"(?<![A-Za-z0-9])npm_[A-Za-z0-9]{36}")),
    ("pypi-upload-token", "pypi-ag", re.compile(r"pypi-Ag[\w-]{40,1000}")),
    ("sendgrid-api-token", "sg.", re.compile(r"(?<![A-Za-z0-9])SG\.[\w-]{16,64}\.[\w-]{16,128}")),
    ("jwt", "eyj", re.compile(r"(?<![\w-])eyJ[\w-]{8,8000}\.eyJ[\w-]{8,8000}\.[\w-]{6,8000}")),
    ("aws-access-key", "akia", re.compile(r"(?<![A-Za-z0-9])AKIA[A-Z2-7]{16}(?![A-Za-z0-9])")),
    ("aws-access-key", "asia", re.compile(r"(?<![A-Za-z0-9])ASIA[A-Z2-7]{16}(?![A-Za-z0-9])")),
    ("telegram-bot-token", ":aa", re.compile(r"(?<![A-Za-z0-9])\d{8,10}:AA[A-Za-z0-9_-]{33}(?![A-Za-z0-9_-])")),
    ("discord-bot-token", "discord", re.compile(r"(?<![\w.-])[MNO][\w-]{23,27}\.[\w-]{6}\.[\w-]{27,38}(?![\w.-])")),
    ("mailgun-api-key", "key-", re.compile(r"(?<![\w-])key-[0-9a-f]{32}(?![\w-])")),
)
"""Kind, what the text in lower case must hold, pattern."""

_PLACES = (
    ("url-password", "://", re.compile(r"[A-Za-z0-9+.-]{2}://[^\s:/?#@\"'<>]*:([^\s/\"'<>]+)@(?=[\w\[.])")),
    ("password", "curl", re.compile(r"\bcurl\b[^\n]{0,200}?\s(?:-u|--user)[ =]?['\"]?[^\s:'\"]+:([^\s'\"]+)")),
    ("password", "login", re.compile(r"\blogin\s+\S+\s+password\s+(\S+)")),
    (
        "authorization",
        "authorization",
        re.compile(
            r"(?i)authorization['\"]?\s*[:=]\s*['\"]?(?:(?:bearer|basic|token)\s+)?([A-Za-z0-9._~+/-]{16,}={0,2})"
        ),
    ),
    ("authorization", "bearer ", re.compile(r"[Bb]earer\s+([A-Za-z0-9._~+/-]{16,}={0,2})")),
)

_PASSWORDS = ("password", "passwd", "passphrase", "passcode", "pwd", "passwort", "kennwort", "contraseña", "senha")
_TOKENS = ("token", "secret", "credential", "credentials")
_KEY = "key"
_KEYS_OF = ("api", "access", "secret", "private", "auth", "account", "signing", "encryption", "master", "deploy")
_ASSIGNED = re.compile(
    r"(?:"
    r"\\?[\"'`]?\s{0,4}(?:=>|:=|=|:)\s{0,4}"  # code and configuration: name = value, "name": "value"
    r"|\s+(?:(?:for|of|to|on|in)\s[^.:=\n]{1,40}?\s)?(?:is|was|ist|=|:)\s+"  # prose: the password for X is V
    r")"
    r"(?P<quote>\\?[\"'`])?(?P<value>(?(quote)[^\"'`\n\\]{4,400}|[^\s\"'`,;<>(){}\[\]\\]{4,400}))"
)
_FLAG = re.compile(r"(?<![\w-])--?(?:[a-z]+-)*\Z")
_FLAG_VALUE = re.compile(r"\s+(?P<quote>['\"])?(?P<value>[^\s\"'`<>(){}\[\]$-][^\s\"'`<>(){}\[\]$]{3,400})")
_BEFORE = 40
"""So many characters in front of a name say whose it is."""
_TRAILING = ".,;:!?"

_DUMMY = re.compile(
    r"(?i)[x*.•_#?-]+|<.*|\$.*|%.*|\{.*|\[.*|@.*|your[-_ ]?.*|my[-_ ].*|(?:.*[-_ .])?example(?:[-_ .].*)?|"
    r"change[-_ ]?(?:me|it|this).*|"
    r"(?:dummy|fake|sample|placeholder|insert|replace|redacted|secret|password|passwd|pass|pwd|user|username|token|"
    r"todo|none|null|nil|true|false|undefined|empty|hidden|abc123|foobar|1234+5*6*7*8*9*0*)(?:[-_ ].*)?"
)
_NAME_OF_ONE = re.compile(r"[A-Z][A-Z_]*")
_UUID = re.compile(r"(?i)[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
_SLUG = re.compile(r"(?:[A-Za-z]+|v?\d{1,4})(?:[._-](?:[A-Za-z]+|v?\d{1,4}))*")
_MOMENT = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}(?:[T ].*)?|[\d:.,+-]+")
_NOT_SECRET = re.compile(
    r"(?:sha\d{1,3}|md5|file|https?|arn|urn|vault|env|ssm|op)[:-].*|[~.]{0,2}/.*|[A-Za-z]:\\.*|.*://.*"
)
_CODE = re.compile(r"[A-Za-z_]\w{0,23}(?:(?:\.|->|::|\?\.)[A-Za-z_]\w{0,23})+|[A-Za-z_]\w*[(\[].*")

_LEAST_PASSWORD = 6
_LEAST_TOKEN = 16
_LEAST_ENTROPY = 3.0


def secrets_in(text: str) -> list[Secret]:
    """Return the secrets that our rules find, in no order; they may overlap."""
    lowered = text.lower()
    if len(lowered) != len(text):  # a few letters become two; places must stay the same
        lowered = text
    return [*_by_shape(text, lowered), *_by_place(text, lowered), *_by_name(text, lowered)]


def _by_shape(text: str, lowered: str) -> Iterator[Secret]:
    for kind, hint, pattern in _SHAPES:
        for match in pattern.finditer(text) if hint in lowered else ():
            yield Secret(start=match.start(), end=match.end(), kind=kind)


def _by_place(text: str, lowered: str) -> Iterator[Secret]:
    for kind, hint, pattern in _PLACES:
        for match in pattern.finditer(text) if hint in lowered else ():
            vague = kind == "authorization"
            if _is_token(match[1]) if vague else not is_dummy(match[1]):
                yield Secret(start=match.start(1), end=match.end(1), kind=kind, vague=vague)


def _by_name(text: str, lowered: str) -> Iterator[Secret]:
    for name, start, end in _names(lowered):
        before = lowered[max(0, start - _BEFORE) : start]
        flag = "-" in before and _FLAG.search(before)
        for match in filter(None, (_ASSIGNED.match(lowered, end), _FLAG_VALUE.match(lowered, end) if flag else None)):
            first, last = match.span("value")
            quoted = match["quote"] is not None
            value = text[first:last] if quoted else text[first:last].rstrip(_TRAILING)
            if _is_password(value, quoted=quoted) if name in _PASSWORDS else _is_token(value):
                kind = "password" if name in _PASSWORDS else name
                yield Secret(start=first, end=first + len(value), kind=kind, vague=True)


def _names(lowered: str) -> Iterator[tuple[str, int, int]]:
    """Yield the names that tell of secrets, with where they stand."""
    for name in (*_PASSWORDS, *_TOKENS):
        for start in _places(lowered, name):
            yield name, start, start + len(name)
    for start in _places(lowered, _KEY):
        before = lowered[max(0, start - _BEFORE) : start].rstrip(" _.-")
        if before.endswith(_KEYS_OF):
            owner = next(one for one in _KEYS_OF if before.endswith(one))
            yield f"{owner}-key", start, start + len(_KEY)


def _places(text: str, word: str) -> Iterator[int]:
    start = text.find(word)
    while start >= 0:
        yield start
        start = text.find(word, start + 1)


def is_dummy(value: str) -> bool:
    """Say whether a value only stands for a secret: `changeme`, `<token>`, `${PASSWORD}`, `xxxx`."""
    return bool(_DUMMY.fullmatch(value) or _NAME_OF_ONE.fullmatch(value)) or len(set(value)) <= 2


def _is_password(value: str, *, quoted: bool) -> bool:
    """Say whether what stands beside the name of a password is one: no word, no code, no path."""
    if len(value) < _LEAST_PASSWORD or " " in value or is_dummy(value) or _NOT_SECRET.fullmatch(value):
        return False
    if _CODE.fullmatch(value) or _MOMENT.fullmatch(value) or _UUID.fullmatch(value):
        return value.isdigit()
    plain = _SLUG.fullmatch(value) is not None
    digits = any(character.isdigit() for character in value)
    return digits and (quoted or not plain) if plain else True


def _is_token(value: str) -> bool:
    """Say whether a value looks made by chance: long, letters with digits, many different characters."""
    if len(value) < _LEAST_TOKEN or is_dummy(value) or _NOT_SECRET.fullmatch(value):
        return False
    if _CODE.fullmatch(value) or _MOMENT.fullmatch(value) or _SLUG.fullmatch(value) or " " in value:
        return False
    has_both = any(one.isdigit() for one in value) and any(one.isalpha() for one in value)
    return has_both and _entropy(value) >= _LEAST_ENTROPY


def _entropy(value: str) -> float:
    """Return the Shannon entropy of a text's characters, bits a character."""
    return -sum(n / len(value) * math.log2(n / len(value)) for n in Counter(value).values())


def merged(found: Iterable[Secret]) -> list[Secret]:
    """Return secrets in order without overlaps: those that touch become one, named by the surest kind."""
    whole: list[Secret] = []
    for secret in sorted(found, key=lambda one: (one.start, one.end)):
        if whole and secret.start < whole[-1].end:
            last = whole.pop()
            surest = last if secret.vague or not last.vague else secret
            end = max(last.end, secret.end)
            whole.append(Secret(start=last.start, end=end, kind=surest.kind, vague=surest.vague))
        else:
            whole.append(secret)
    return whole


def replaced(text: str, found: Sequence[Secret]) -> str:
    """Return the text with `[secret: KIND]` in the place of each secret; they are in order and do not overlap."""
    pieces, end = [], 0
    for secret in found:
        pieces += [text[end : secret.start], f"[secret: {secret.kind}]"]
        end = secret.end
    return "".join([*pieces, text[end:]])
