"""Label Studio over TLS, with a certificate of one's own."""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from labelnext.errors import Unavailable
from tests.integration.choices import CHOICES, sure_to_unsure
from tests.integration.faulty_proxy import FaultyProxy, running_proxy

if TYPE_CHECKING:  # pytest itself imports the plugin, and wants to be the first
    from tests.integration.label_studio_server import LabelStudio, Open

pytest_plugins = ("tests.integration.label_studio_server",)


def make_certificate(folder: Path, address: str) -> tuple[Path, Path]:
    """A certificate that signs itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a company")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    paths = folder / f"{address}.pem", folder / f"{address}.key"
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return paths


@pytest.fixture
def bundle(tmp_path: Path) -> tuple[Path, Path]:
    return make_certificate(tmp_path, "127.0.0.1")


@pytest.fixture
def behind_tls(label_studio: LabelStudio, bundle: tuple[Path, Path]) -> Iterator[FaultyProxy]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*bundle)
    with running_proxy(label_studio.url, context) as proxy:
        yield proxy


def test_a_server_is_trusted_by_the_bundle_that_is_given_and_by_no_other(
    label_studio: LabelStudio,
    connect: Open,
    behind_tls: FaultyProxy,
    bundle: tuple[Path, Path],
    tmp_path: Path,
) -> None:
    project = label_studio.create_project(CHOICES, sure_to_unsure(3))
    url = behind_tls.url
    assert url.startswith("https://")
    pool = connect(project, url=url, ca_bundle=str(bundle[0])).read()
    assert len(pool) == 3
    other, _ = make_certificate(tmp_path, "127.0.0.2")
    for options in ({}, {"ca_bundle": str(other)}):
        seen = behind_tls.seen
        adapter = connect(project, url=url, **options)
        with pytest.raises(Unavailable, match="CERTIFICATE_VERIFY_FAILED") as error:
            adapter.read()
        assert behind_tls.seen == seen, "nothing was sent, not even the token"
        assert label_studio.token not in str(error.value)
