"""Texts with secrets and texts without, made from a fixed seed: no key stands in the repository."""

import base64
import hashlib
import random
import string

_chance = random.Random(7)
_HEX = "0123456789abcdef"
_BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_UPPER = string.ascii_uppercase + string.digits


def some(length: int, of: str = string.ascii_letters + string.digits) -> str:
    """Return characters drawn by chance."""
    return "".join(_chance.choice(of) for _ in range(length))


def _block(kind: str, lines: int = 6) -> str:
    body = "\n".join(some(64) for _ in range(lines))
    return f"-----BEGIN {kind}-----\n{body}\n-----END {kind}-----"


def _base64(size: int) -> str:
    return base64.b64encode(bytes(_chance.randrange(256) for _ in range(size))).decode()


_KEY = _block("RSA PRIVATE KEY")
_JWT = f"eyJ{some(33)}.eyJ{some(60)}.{some(43)}"

SECRETS: dict[str, tuple[str, str]] = {
    "age": (f"AGE-SECRET-KEY-1{some(58, 'QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L')}", ""),
    "anthropic": (f"sk-ant-api03-{some(93)}AA", ""),
    "api key": (some(32), "api_key: {}"),
    "aws id": (f"AKIA{some(16, _BASE32)}", "my key is {} for the bucket"),
    "aws documented": ("AKIAIOSFODNN7EXAMPLE", ""),
    "aws documented secret": ("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "aws_secret_access_key={}"),
    "aws secret": (some(40), "aws_secret_access_key = {}"),
    "azure": (_base64(64), "DefaultEndpointsProtocol=https;AccountName=x;AccountKey={};EndpointSuffix=example.net"),
    "bearer": (some(40), "curl -H 'Authorization: Bearer {}'"),
    "client secret": (some(32), "client_secret={}"),
    "curl": ("S3cretPw99", "curl -u admin:{} https://x.example.com"),
    "digitalocean": (f"dop_v1_{some(64, _HEX)}", ""),
    "discord": (f"M{some(23)}.{some(6)}.{some(27)}", "discord token {}"),
    "docker": (
        base64.b64encode(f"bob:ghp_{some(36)}".encode()).decode(),
        '{{"auths": {{"ghcr.io": {{"auth": "{}"}}}}}}',
    ),
    "environment": (some(50), "export SECRET_KEY='{}'"),
    "flag": ("Xk93jsdf!!02", "mysqldump --password {} prod"),
    "github": (f"ghp_{some(36)}", "use {} to clone"),
    "github fine": (f"github_pat_{some(22)}_{some(59)}", "token {}"),
    "github made up": (f"ghp_{string.ascii_letters[:26]}{string.digits}", ""),
    "gitlab": (f"glpat-{some(20)}", ""),
    "google": (f"AIza{some(35)}", ""),
    "https": ("Tr0ub4dor3", "https://bob:{}@example.com/repo.git"),
    "huggingface": (f"hf_{some(34, string.ascii_letters)}", ""),
    "json": (some(24), '{{"user": "bob", "accessToken": "{}"}}'),
    "jwt": (_JWT, "Authorization: Bearer {}"),
    "linear": (f"lin_api_{some(40)}", ""),
    "mailgun": (f"key-{some(32, _HEX)}", "mailgun {}"),
    "mongo": ("hunter2hunter", "mongodb+srv://admin:{}@cluster0.mongodb.net/x"),
    "netrc": ("qwe456rty", "machine example.com login bob password {}"),
    "npm": (f"npm_{some(36)}", ""),
    "openai": (f"sk-proj-{some(74)}T3BlbkFJ{some(74)}", "OPENAI_API_KEY={}"),
    "openai made up": (f"sk-{string.ascii_lowercase}123456", ""),
    "openssh": (_block("OPENSSH PRIVATE KEY"), ""),
    "password": ("correct-Horse7battery", 'password = "{}"'),
    "password in German": ("geh3im!eWorte", "das Passwort ist {}."),
    "password in YAML": ("Xk93jsdf!!02", "DB_PASSWORD: {}"),
    "password in prose": ("Tr0ub4dor&3xkcd", "the database password is {}"),
    "password of something": ("s0nnenblume", "The password for the guest wifi is {}, tell nobody."),
    "pem": (_KEY, "here\n{}\nthanks"),
    "pem in JSON": (_KEY.replace("\n", "\\n"), '{{"type": "service_account", "private_key": "{}"}}'),
    "pem cut off": (f"-----BEGIN EC PRIVATE KEY-----\n{some(64)}\n{some(40)}", ""),
    "pgp": (_block("PGP PRIVATE KEY BLOCK"), ""),
    "postgres": ("S3cr3tPassw0rd", "postgres://app:{}@db.internal:5432/prod"),
    "pypi": (f"pypi-AgEIcHlwaS5vcmc{some(80)}", ""),
    "redis": ("p4ssw0rdX9", "redis://:{}@cache:6379/0"),
    "sendgrid": (f"SG.{some(22)}.{some(43)}", ""),
    "shopify": (f"shpat_{some(32, _HEX)}", ""),
    "slack": (f"xoxb-{some(12, string.digits)}-{some(12, string.digits)}-{some(24)}", ""),
    "slack hook": (f"https://hooks.slack.com/services/T{some(8, _UPPER)}/B{some(8, _UPPER)}/{some(24)}", ""),
    "sql server": ("Yt7!kdk2Lq", "Server=tcp:db,1433;User ID=sa;Password={};Encrypt=True"),
    "stripe": (f"sk_live_{some(24)}", ""),
    "telegram": (f"{some(9, '123456789')}:AA{some(33)}", "bot token {}"),
    "twilio": (f"SK{some(32, _HEX)}", "twilio auth {}"),
    "vault": (f"hvs.{some(95)}", ""),
}
"""By name: the secret, and the text around it with `{}` in its place ("" for nothing around it)."""

HARMLESS: dict[str, str] = {
    "a certificate": _block("CERTIFICATE", 5),
    "a class": "class AbstractSingletonProxyFactoryBeanTokenProvider {}",
    "a colour": "color #ff00aa; key 0xDEADBEEF",
    "a connection without a password": "postgres://localhost:5432/db and git@github.com:foo/bar.git",
    "a digest of a cache": "cache_key = sha256(model + text).hexdigest()",
    "a file of a password": "password_file: /run/secrets/db_password",
    "a genome": "ACGTACGTTAGCTAGCTAGCATCGATCGATCGATCGATCGACTAGCTAGCATGCATGCATGCAT",
    "a git hash": f"fixed in {some(40, _HEX)} yesterday",
    "a hash in a lock file": f"onnxruntime==1.31.1 --hash=sha256:{hashlib.sha256(b'z').hexdigest()}",
    "a key of a table": "primary key: user_id_and_created_at_index",
    "a link": "https://example.com/a/b?page=2&sort=desc#token-bucket",
    "a mail address": "mail to bob@example.com about the password policy",
    "a path": "/usr/lib/python3.11/site-packages/secrets.py",
    "a picture": f"![logo](data:image/png;base64,{_base64(900)})",
    "a placeholder": "export API_KEY=$MY_API_KEY and password: ${{ secrets.DB_PASSWORD }}",
    "a placeholder in brackets": 'SECRET_KEY = "<your-secret-key>"; Authorization: Bearer <token>',
    "a placeholder in words": 'api_key="YOUR_API_KEY"; password = "changeme"; PASSWORD=xxxxxxxx',
    "a public key": f"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{some(43)} bob@host",
    "a public PEM": _block("PUBLIC KEY", 2),
    "a replaced secret": "password=[secret: password] and [secret: github-pat]",
    "a secret of a cluster": "kubectl get secret my-app-tls -n production",
    "a short hash": "see f3832d2 and 3a7584c",
    "a table": "CREATE TABLE users (id INTEGER, password_hash TEXT NOT NULL, api_token TEXT)",
    "a time": "token_expires_at: 2026-11-22T14:48:28Z",
    "a UUID": "record 0192f3a4-5b6c-7d8e-9f01-23456789abcd was moved",
    "an example address": "postgres://user:password@localhost/db or http://user:pass@host/",
    "an integrity": f'integrity="sha384-{base64.b64encode(hashlib.sha384(b"q").digest()).decode()}"',
    "an md5": hashlib.md5(b"k").hexdigest(),
    "a sha256": f"sha256 {hashlib.sha256(b'x').hexdigest()} and sha256:{hashlib.sha256(b'y').hexdigest()}",
    "code that asks": "password = getpass.getpass()\ntoken = tokenizer.encode(text)[0]",
    "code that awaits": "const token = await getToken(request.headers.authorization)",
    "code that compares": "if password != expected_password: raise PasswordError(password)",
    "code that declares": "def login(user: str, password: str) -> Token: self._token = token",
    "code that documents": "@param {string} password The user's password",
    "code that reads": 'password = os.environ["DB_PASSWORD"]\napi_key = config.get("api_key")',
    "code that takes a setting": "secret = settings.SECRET_KEY",
    "counts": "input tokens: 2048, output tokens: 512, max_tokens=4096",
    "emoji and right-to-left": "🔑 כלום סודי כאן: パスワードは秘密です",
    "prose on passwords": "We use Redis because the password rotation policy was too strict; the password was changed.",
    "prose on secrets": "My secret is that I like pineapple pizza; the secret to performance: measure.",
    "prose on tokens": "The token bucket algorithm limits API keys to 100 requests; secret sauce is patience.",
    "prose that points": "password: see the vault",
    "a rule in words": "passwords must be 12 characters; the password is rotated every 90 days",
}
"""What must stay as it is."""


def text_of(name: str) -> tuple[str, str]:
    """Return the text with a secret, and the secret alone."""
    secret, around = SECRETS[name]
    return (around.format(secret) if around else secret), secret
