"""Pictures signed for tests, under an authority that is thrown away with the run."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import c2pa
import numpy as np
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID
from PIL import Image

SOURCE = "http://cv.iptc.org/newscodes/digitalsourcetype/"
QUIET = {"builder": {"thumbnail": {"enabled": False}}, "verify": {"verify_after_sign": False}}


def drawing(seed: int = 3, side: int = 96) -> Image.Image:
    """A picture of soft patches: something to compress, to hash and to tell from another seed's."""
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((side, side), Image.Resampling.BICUBIC)


def encoded(image: Image.Image | None = None, form: str = "JPEG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    (image or drawing()).save(buffer, form, **options)
    return buffer.getvalue()


def name(common: str, organisation: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation),
            x509.NameAttribute(NameOID.COMMON_NAME, common),
        ]
    )


def key_usage(*, signs: bool, certifies: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=certifies,
        crl_sign=certifies,
        encipher_only=False,
        decipher_only=False,
    )


@dataclass(frozen=True)
class Studio:
    """A certificate authority and one certificate that signs pictures."""

    anchor: str
    chain: bytes
    key: bytes

    @classmethod
    def open(
        cls,
        common: str = "Test camera",
        organisation: str = "Test maker",
        lifetime: timedelta = timedelta(days=90),
        ocsp: str = "",
    ) -> Studio:
        """`lifetime`: of the signing certificate, from now. `ocsp`: where it says that revocation is answered."""
        now = datetime.now(UTC)
        root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        issuer = name("Test authority", "Test authority")
        root = (
            x509.CertificateBuilder()
            .subject_name(issuer)
            .issuer_name(issuer)
            .public_key(root_key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=2))
            .not_valid_after(now + timedelta(days=365))
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(key_usage(signs=False, certifies=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(root_key.public_key()), critical=False)
            .sign(root_key, hashes.SHA256())
        )
        leaf = (
            x509.CertificateBuilder()
            .subject_name(name(common, organisation))
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + lifetime)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(key_usage(signs=True, certifies=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key()), critical=False)
        )
        if ocsp:
            access = x509.AccessDescription(AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier(ocsp))
            leaf = leaf.add_extension(x509.AuthorityInformationAccess([access]), critical=False)
        pem = serialization.Encoding.PEM
        anchor = root.public_bytes(pem)
        return cls(
            anchor=anchor.decode(),
            chain=leaf.sign(root_key, hashes.SHA256()).public_bytes(pem) + anchor,
            key=key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
        )

    def sign(
        self,
        data: bytes,
        *actions: dict[str, Any],
        parent: bool = False,
        inputs: tuple[bytes, ...] = (),
        assertions: tuple[dict[str, Any], ...] = (),
        media_type: str = "image/jpeg",
        title: str = "picture",
        generator: str = "Test program",
        remote_url: str = "",
    ) -> bytes:
        """`data` with a manifest of these actions. `parent`: what `data` was before becomes its parent ingredient.
        `inputs`: pictures that become components. `remote_url`: the manifest is said to be there and is left out."""
        manifest: dict[str, Any] = {
            "claim_generator_info": [{"name": generator, "version": "1.0"}],
            "title": title,
            "assertions": list(assertions),
        }
        if actions and not parent:
            manifest["assertions"].append({"label": "c2pa.actions.v2", "data": {"actions": list(actions)}})
        info = c2pa.C2paSignerInfo(b"es256", self.chain, self.key, None)
        context = c2pa.Context.from_dict(QUIET)
        out = io.BytesIO()
        with c2pa.Signer.from_info(info) as signer, c2pa.Builder(manifest, context=context) as builder:
            if parent:
                builder.set_intent(c2pa.C2paBuilderIntent.EDIT)
                for action in actions:
                    builder.add_action(action)
            for number, each in enumerate(inputs):
                facts = {"title": f"input {number}", "relationship": "componentOf"}
                builder.add_ingredient(json.dumps(facts), "image/jpeg", io.BytesIO(each))
            if remote_url:
                builder.set_no_embed()
                builder.set_remote_url(remote_url)
            builder.sign(signer, media_type, io.BytesIO(data), out)
        return out.getvalue()


def action(code: str, source: str = "", **further: Any) -> dict[str, Any]:
    return {"action": code, **({"digitalSourceType": SOURCE + source} if source else {}), **further}


GENERATED = action("c2pa.created", "trainedAlgorithmicMedia", softwareAgent={"name": "Dream machine", "version": "2"})
CAPTURED = action("c2pa.created", "digitalCapture", softwareAgent={"name": "Test camera firmware"})
EDITED = action("c2pa.edited", when="2026-01-02T03:04:05Z", softwareAgent={"name": "Retoucher"})


def app11(signed: bytes) -> tuple[int, int]:
    """Where the manifest's segment begins and ends in a signed JPEG that has one."""
    start = signed.index(b"\xff\xeb")
    return start, start + 2 + int.from_bytes(signed[start + 2 : start + 4], "big")
