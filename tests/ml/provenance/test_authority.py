"""The site's own authority: made once, kept private, rotated; and certificates as C2PA wants them."""

from __future__ import annotations

import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID, NameOID

from ml.provenance.authority import ROTATE_AFTER_DAYS, Authority, AuthorityError
from tests.live_site import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_keys_are_their_owners_alone(tmp_path: Path) -> None:
    directory = tmp_path / "data" / "authority"
    Authority(directory).leaf()
    assert mode(directory) == 0o700
    keys = [path for path in directory.iterdir() if b"PRIVATE KEY" in path.read_bytes()]
    assert len(keys) == 2
    assert {mode(path) for path in keys} == {0o600}
    assert [path.name for path in directory.parent.iterdir()] == ["authority"]  # nothing half-made is left beside it


@pytest.mark.parametrize("what", ["directory", "ca-key.pem"])
def test_keys_that_others_can_read_are_not_used(what: str, tmp_path: Path) -> None:
    Authority(tmp_path / "authority")
    path = tmp_path / "authority" if what == "directory" else tmp_path / "authority" / what
    path.chmod(mode(path) | 0o044)
    with pytest.raises(AuthorityError):
        Authority(tmp_path / "authority")


def test_the_leaf_is_as_c2pa_wants_it(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "authority", "Example Site")
    leaf = x509.load_pem_x509_certificates(authority.leaf().chain)[0]
    ca = x509.load_pem_x509_certificate(authority.certificate)
    usage = leaf.extensions.get_extension_for_oid(ExtensionOID.KEY_USAGE)
    assert usage.critical
    assert usage.value.digital_signature
    assert not usage.value.key_cert_sign
    extended = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(extended) == [ExtendedKeyUsageOID.EMAIL_PROTECTION]
    key_id = leaf.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    assert key_id == ca.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    assert leaf.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)[0].value == "Example Site"
    leaf.verify_directly_issued_by(ca)
    assert not leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def test_leaves_are_rotated_and_the_authority_stays(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "authority")
    first, ca = authority.leaf(), authority.certificate
    assert Authority(tmp_path / "authority").leaf() == first
    later = datetime.now(UTC) + timedelta(days=ROTATE_AFTER_DAYS + 1)
    second = authority.leaf(later)
    assert second.key != first.key
    assert authority.leaf(later) == second
    assert authority.certificate == ca


def test_made_once_however_many_ask_at_once(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from ml.provenance.authority import Authority;"
        "print(hash(Authority(Path(sys.argv[1])).certificate) and Authority(Path(sys.argv[1])).certificate.hex())"
    )

    def start(_: int) -> str:
        command = [sys.executable, "-c", program, str(tmp_path / "authority")]
        return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout

    with ThreadPoolExecutor(4) as pool:
        answers = set(pool.map(start, range(4)))
    assert len(answers) == 1
    assert len(list(tmp_path.iterdir())) == 1
