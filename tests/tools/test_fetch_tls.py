"""Encrypted fetches: the certificate is the URL host's, whatever address the name led to."""

import ipaddress
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ourcli.common.errors import ToolError
from ourcli.common.net import Gate
from ourcli.testing.web import FakeResolver, page
from ourcli.tools.backends.fetch import HostFetcher
from ourcli.tools.capabilities import parse
from ourcli.tools.fetching import FetchRequest
from tests.promises import promise

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file with a key and a certificate of `site.test` that nobody vouches for but itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a test")])
    now = datetime.now(UTC)
    names = x509.SubjectAlternativeName([x509.DNSName("site.test"), x509.IPAddress(ipaddress.ip_address("127.0.0.9"))])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


class _Answer(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        if b"".join(iter(self.rfile.readline, b"\r\n")):
            self.wfile.write(page("secret page"))


class _Server(socketserver.TCPServer):
    def __init__(self, certificate: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        context.sni_callback = self._named
        self._context = context
        self.named: list[str | None] = []

    def _named(self, _socket: object, name: str | None, _context: object) -> None:
        self.named.append(name)

    def get_request(self) -> tuple[ssl.SSLSocket, object]:
        plain, address = self.socket.accept()
        return self._context.wrap_socket(plain, server_side=True), address

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that does not trust the certificate leaves."""


@contextmanager
def serving(certificate: Path) -> Iterator[_Server]:
    with _Server(certificate) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@promise("tools.fetch.tls")
@pytest.mark.parametrize(
    ("host", "trusted", "text"),
    [("site.test", True, "secret page"), ("other.test", True, ""), ("site.test", False, "")],
)
async def test_only_a_trusted_certificate_of_the_host_is_believed(
    certificate: Path, host: str, *, trusted: bool, text: str
) -> None:
    trust = ssl.create_default_context(cafile=certificate) if trusted else None
    resolver = FakeResolver({host: [["127.0.0.1"]]})
    fetcher = HostFetcher(Gate(network=True), resolver=resolver, trust=trust)
    granted = frozenset({parse(f"net={host}"), parse("net=127.0.0.1")})

    with serving(certificate) as server:
        request = FetchRequest(url=f"https://{host}:{server.server_address[1]}/")
        if text:
            got = (await fetcher.fetch(request, granted)).text
        else:
            with pytest.raises(ToolError, match="no encrypted connection"):
                await fetcher.fetch(request, granted)
            got = ""

    assert (got, server.named) == (text, [host])
