"""An issuer of certificates, and a server's certificate from it, as a site of its own would have them."""

from __future__ import annotations

import datetime
import ipaddress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

TLS = 'tls = { cert_file = "fullchain.pem", key_file = "privkey.pem" }\n'


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


class Issuer:
    """Issues certificates for 127.0.0.1 and `localhost`."""

    def __init__(self, name: str = "Doorward e2e") -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = _name(name)
        self.certificate = self._sign(self.name, self.key.public_key(), x509.BasicConstraints(ca=True, path_length=0))

    def _sign(self, subject: x509.Name, key: ec.EllipticCurvePublicKey, constraints: x509.BasicConstraints) -> x509.Certificate:
        now = datetime.datetime.now(datetime.UTC)
        names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        usage = x509.KeyUsage(
            digital_signature=True, key_cert_sign=constraints.ca, crl_sign=constraints.ca, content_commitment=False,
            key_encipherment=False, data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
        )
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(constraints, critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False)
            .sign(self.key, hashes.SHA256())
        )

    def trusted(self, folder: Path) -> Path:
        """A file with the issuer's own certificate, for clients."""
        path = folder / "issuer.pem"
        path.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))
        return path

    def issue(self, folder: Path) -> int:
        """Writes a certificate and its key where a server looks for them, and gives its serial number."""
        key = ec.generate_private_key(ec.SECP256R1())
        issued = self._sign(_name("localhost"), key.public_key(), x509.BasicConstraints(ca=False, path_length=None))
        (folder / "fullchain.pem").write_bytes(issued.public_bytes(serialization.Encoding.PEM))
        private = folder / "privkey.pem"
        private.touch(mode=0o600)
        private.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
            )
        )
        return issued.serial_number
