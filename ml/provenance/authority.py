"""The site's own signing authority: a certificate authority and the leaf that signs, made at first use.

The keys lie in a directory outside the repository, readable by their owner only. Nobody else vouches for this
authority: a manifest says "signed by this site", and whoever wants to verify one takes the site's certificate
(`ca.pem`) as anchor.
"""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

CA_DAYS: Final = 3650
LEAF_DAYS: Final = 1095
ROTATE_AFTER_DAYS: Final = 180
"""A new leaf signs from then on. The old one stays valid for what it signed: without a time stamp a manifest is good
only as long as its leaf, so leaves live much longer than they sign."""

CA: Final = "ca.pem"


class AuthorityError(RuntimeError):
    """The keys are not as they must be."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """What signs. `chain`: PEM, leaf first, then the authority. `key`: PKCS 8 PEM; never log it."""

    chain: bytes
    key: bytes
    subject: str
    not_before: datetime


class Authority:
    """The authority of one directory. Opening makes it where there is none; of several processes that do so at once,
    all end up with the first one's."""

    def __init__(self, directory: Path, organisation: str = "Unmask") -> None:
        self.directory = directory
        self.organisation = organisation
        if not (directory / CA).exists():
            _create(directory, organisation)
        _check_private(directory)

    @property
    def certificate(self) -> bytes:
        """The authority's own certificate, PEM: public, the anchor by which its signatures are verified."""
        return (self.directory / CA).read_bytes()

    def leaf(self, now: datetime | None = None) -> Leaf:
        """The newest leaf; a new one when that has signed long enough."""
        now = now or datetime.now(UTC)
        leaf = self._newest()
        if leaf is None or now - leaf.not_before > timedelta(days=ROTATE_AFTER_DAYS):
            # Two processes may each make one: both are good.
            ca_key, ca = _read(self.directory / "ca-key.pem", self.directory / CA)
            _write_leaf(self.directory, ca_key, ca, self.organisation, now)
            leaf = self._newest()
        if leaf is None:
            raise AuthorityError("no leaf could be made")
        return leaf

    def _newest(self) -> Leaf | None:
        leaves = []
        for path in self.directory.glob("leaf-*.pem"):
            key, _, chain = path.read_bytes().partition(b"-----BEGIN CERTIFICATE-----")
            chain = b"-----BEGIN CERTIFICATE-----" + chain
            certificate = x509.load_pem_x509_certificate(chain)
            name = certificate.subject.rfc4514_string()
            leaves.append(Leaf(chain, key, name, certificate.not_valid_before_utc))
        return max(leaves, key=lambda leaf: leaf.not_before, default=None)


def _check_private(directory: Path) -> None:
    if stat.S_IMODE(directory.stat().st_mode) & 0o077:
        raise AuthorityError(f"{directory} is open to others: chmod 700 it")
    for path in (*directory.glob("leaf-*.pem"), directory / "ca-key.pem"):
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise AuthorityError(f"{path} is readable by others: chmod 600 it, and think about making new keys")


def _create(directory: Path, organisation: str) -> None:
    """All files in a folder of another name first, then one rename, which fails where the folder is already there."""
    directory.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=f"{directory.name}.", dir=directory.parent))  # 0700
    try:
        now = datetime.now(UTC)
        key = ec.generate_private_key(ec.SECP256R1())
        name = _name(organisation, f"{organisation} site authority")
        usage = _key_usage(digital_signature=False, key_cert_sign=True)
        certificate = (
            _certificate(name, name, key.public_key(), now, CA_DAYS)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )
        _write_private(made / "ca-key.pem", _pem(key))
        (made / CA).write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        _write_leaf(made, key, certificate, organisation, now)
        try:
            made.rename(directory)
        except OSError:
            if not (directory / CA).exists():  # not another process: something else is in the way
                raise
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _write_leaf(
    directory: Path, ca_key: ec.EllipticCurvePrivateKey, ca: x509.Certificate, organisation: str, now: datetime
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = (
        _certificate(_name(organisation, f"{organisation} site signer"), ca.subject, key.public_key(), now, LEAF_DAYS)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(digital_signature=True, key_cert_sign=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    whole = _pem(key) + certificate.public_bytes(pem) + ca.public_bytes(pem)
    _write_private(directory / f"leaf-{certificate.serial_number:x}.pem", whole)


def _certificate(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime, days: int
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))  # clocks differ
        .not_valid_after(now + timedelta(days=days))
    )


def _name(organisation: str, common: str) -> x509.Name:
    return x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation), x509.NameAttribute(NameOID.COMMON_NAME, common)]
    )


def _key_usage(*, digital_signature: bool, key_cert_sign: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=key_cert_sign,
        crl_sign=key_cert_sign,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write_private(path: Path, data: bytes) -> None:
    """Whole or not at all, and never readable by others, not for a moment."""
    descriptor, name = tempfile.mkstemp(prefix=".new-", dir=path.parent)  # 0600
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    Path(name).rename(path)


def _read(key_path: Path, certificate_path: Path) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    key = serialization.load_pem_private_key(key_path.read_bytes(), password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise AuthorityError(f"{key_path} holds no elliptic-curve key")
    return key, x509.load_pem_x509_certificate(certificate_path.read_bytes())
