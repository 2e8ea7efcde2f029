"""Files that are never read, by their names: they hold secrets, or machines wrote them for machines."""

from fnmatch import fnmatchcase
from pathlib import Path

MOST_BYTES = 2 * 1024 * 1024
"""Larger files are data, not something a person wrote to be read."""
MOST_DOCUMENT_BYTES = 64 * 1024 * 1024
"""PDF and office documents carry pictures and fonts."""

SECRET_FOLDERS = frozenset({".ssh", ".gnupg", ".aws", ".azure", ".kube", ".docker", ".password-store"})

SECRET_NAMES = (
    # settings of programs, with passwords
    *(".env", ".env.*", "*.env", ".envrc"),
    *(".netrc", "_netrc", ".npmrc", ".pypirc", ".pgpass", ".my.cnf", ".htpasswd", ".dockercfg", ".git-credentials"),
    *("credentials", "credentials.*", "credentials-*", "credentials_*", "secrets.*", ".vault_pass*", ".boto", ".s3cfg"),
    *("service-account*.json", "client_secret*.json", "kubeconfig", "*.tfstate", "*.tfstate.*", "*.tfvars", "*.ovpn"),
    # keys and key stores
    *("id_rsa*", "id_dsa*", "id_ecdsa*", "id_ed25519*", "*.pem", "*.key", "*.ppk", "*.pgp", "*.gpg"),
    *("*.p12", "*.pfx", "*.jks", "*.keystore", "*.kdb", "*.kdbx", "*.agilekeychain"),
)

GENERATED_NAMES = (
    *("*.lock", "*.lockb", "package-lock.json", "npm-shrinkwrap.json", "pnpm-lock.yaml", "go.sum"),
    *("*.min.js", "*.min.css", "*.bundle.js", "*.map"),
)


def refusal(path: Path) -> str | None:
    """Return why the file is not read, or None when its name is no reason; upper and lower case are the same."""
    name = path.name.lower()
    if any(fnmatchcase(name, pattern) for pattern in SECRET_NAMES) or SECRET_FOLDERS.intersection(path.parent.parts):
        return "may hold secrets"
    if any(fnmatchcase(name, pattern) for pattern in GENERATED_NAMES):
        return "is generated"
    return None
