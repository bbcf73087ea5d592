"""What the codes of a C2PA validation mean, and which of them decides how a manifest stands.

Source: C2PA Technical Specification 2.x, chapter "Validation", status codes.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from ml.provenance.plain_text import plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

UNTRUSTED = "signingCredential.untrusted"
TRUSTED = "signingCredential.trusted"
SIGNATURE_HOLDS = "claimSignature.validated"
# Each binds the manifest to the bytes of the file around it.
BINDINGS = frozenset({"assertion.dataHash", "assertion.bmffHash", "assertion.boxesHash", "assertion.collectionHash"})
CHECKS_SHOWN = 24


class Problem(StrEnum):
    """Why a manifest is not valid; the first of these that applies, in this order."""

    CHANGED = "changed"
    SIGNATURE = "signature"
    STATEMENTS = "statements"
    REVOKED = "revoked"
    EXPIRED = "expired"
    CREDENTIAL = "credential"
    UNBOUND = "unbound"
    RULES = "rules"
    INGREDIENT = "ingredient"
    REMOTE = "remote"
    DAMAGED = "damaged"
    TOO_LARGE = "too_large"


PROBLEMS = {
    Problem.CHANGED: "The file was changed after it was signed, or the manifest was taken from another file: its hash "
    "is not the one that was signed.",
    Problem.SIGNATURE: "The signature does not fit the manifest: the manifest was changed after it was signed.",
    Problem.STATEMENTS: "A statement in the manifest was changed, or is missing, since it was signed.",
    Problem.REVOKED: "The signer's certificate was revoked.",
    Problem.EXPIRED: "The signer's certificate has expired or was not yet valid, and no trusted time stamp shows that "
    "it was valid when it signed.",
    Problem.CREDENTIAL: "The signer's certificate is not of a kind that may sign such manifests.",
    Problem.UNBOUND: "Nothing in the manifest ties it to this file.",
    Problem.RULES: "The manifest does not keep the rules of the standard, so that it cannot be relied on.",
    Problem.INGREDIENT: "The manifest of something that the file was made from does not hold.",
    Problem.REMOTE: "The file only names a manifest that is kept elsewhere. Nothing is fetched for a check, so that it "
    "was not read.",
    Problem.DAMAGED: "There is a manifest, but it is too damaged to be read.",
    Problem.TOO_LARGE: "There is a manifest, but it is larger than is read here.",
}

_SENTENCES = {
    SIGNATURE_HOLDS: "The signature holds.",
    "claimSignature.insideValidity": "The certificate was valid at the time that counts.",
    "claimSignature.outsideValidity": "The certificate was not valid at the time that counts.",
    "claimSignature.mismatch": "The signature does not fit the manifest.",
    "claimSignature.missing": "There is no signature.",
    TRUSTED: "A trust list vouches for the signer.",
    UNTRUSTED: "No trust list vouches for the signer.",
    "signingCredential.invalid": "The certificate may not sign manifests.",
    "signingCredential.expired": "The certificate has expired.",
    "signingCredential.revoked": "The certificate was revoked.",
    "signingCredential.ocsp.revoked": "The certificate was revoked.",
    "signingCredential.ocsp.notRevoked": "The certificate was not revoked when it signed.",
    "signingCredential.ocsp.skipped": "Whether the certificate was revoked was not asked: a check asks nobody.",
    "signingCredential.ocsp.inaccessible": "Whether the certificate was revoked could not be asked.",
    "signingCredential.ocsp.unknown": "Whether the certificate was revoked is not known.",
    "assertion.hashedURI.match": "A statement in the manifest is as it was signed.",
    "assertion.hashedURI.mismatch": "A statement in the manifest was changed.",
    "assertion.dataHash.match": "The file is as it was signed.",
    "assertion.dataHash.mismatch": "The file is not as it was signed.",
    "assertion.dataHash.malformed": "The hash of the file is malformed.",
    "assertion.dataHash.additionalExclusionsPresent": "Parts of the file are left out of its hash.",
    "assertion.bmffHash.match": "The video is as it was signed.",
    "assertion.bmffHash.mismatch": "The video is not as it was signed.",
    "assertion.boxesHash.match": "The parts of the file are as they were signed.",
    "assertion.boxesHash.mismatch": "Parts of the file are not as they were signed.",
    "assertion.collectionHash.match": "The collection is as it was signed.",
    "assertion.collectionHash.mismatch": "The collection is not as it was signed.",
    "assertion.missing": "A statement is missing.",
    "assertion.inaccessible": "A statement could not be read.",
    "assertion.undeclared": "A statement was added that was not signed.",
    "assertion.notRedacted": "A statement is there that should have been taken out.",
    "assertion.action.ingredientMismatch": "An action does not name what it was done to.",
    "assertion.action.malformed": "An action is malformed.",
    "claim.missing": "The claim is missing.",
    "claim.malformed": "The claim is malformed.",
    "claim.multiple": "There are several claims where one may be.",
    "claim.cbor.invalid": "The claim cannot be decoded.",
    "claim.hardBindings.missing": "Nothing ties the manifest to the file.",
    "ingredient.manifest.validated": "The manifest of an ingredient is as it was when it was used.",
    "ingredient.manifest.mismatch": "The manifest of an ingredient was changed.",
    "ingredient.manifest.missing": "The manifest of an ingredient is missing.",
    "ingredient.claimSignature.validated": "The signature of an ingredient is as it was when it was used.",
    "ingredient.claimSignature.mismatch": "The signature of an ingredient does not fit.",
    "ingredient.claimSignature.missing": "The signature of an ingredient is missing.",
    "ingredient.hashedURI.mismatch": "A part of an ingredient was changed.",
    "ingredient.unknownProvenance": "An ingredient has no manifest of its own.",
    "timeStamp.validated": "A time stamp says when it was signed.",
    "timeStamp.trusted": "A trust list vouches for the time stamp.",
    "timeStamp.untrusted": "No trust list vouches for the time stamp.",
    "timeStamp.mismatch": "The time stamp belongs to something else.",
    "timeStamp.outsideValidity": "The time stamp's certificate was not valid.",
    "algorithm.unsupported": "It uses an algorithm that is not supported.",
    "algorithm.deprecated": "It uses an algorithm that is no longer recommended.",
    "general.error": "The manifest could not be validated.",
}


@dataclass(frozen=True, slots=True)
class ValidationCheck:
    """One result of the validation: `passed` is None for what is only to be known; `count` how often it came."""

    code: str
    passed: bool | None
    sentence: str
    count: int = 1


def codes(results: Any, outcome: str) -> list[str]:
    """The codes of one outcome (`success`, `informational`, `failure`) of the active manifest of `results`."""
    return list(_codes(_part(_part(results, "activeManifest"), outcome)))


def ingredient_failures(results: Any) -> list[str]:
    """The codes of what failed for the ingredients of `results` that had not failed when they were used."""
    deltas = _part(results, "ingredientDeltas")
    found = (_codes(_part(_part(delta, "validationDeltas"), "failure")) for delta in deltas or [])
    return [code for some in found for code in some if code != UNTRUSTED]


def checks(results: Any) -> tuple[ValidationCheck, ...]:
    """What was validated, failures first, each code once."""
    counted: dict[tuple[str, bool | None], int] = {}
    for outcome, passed in (("failure", False), ("success", True), ("informational", None)):
        for code in codes(results, outcome):
            row = (code, None if code == UNTRUSTED else passed)
            counted[row] = counted.get(row, 0) + 1
    for code in ingredient_failures(results):
        counted[code, False] = counted.get((code, False), 0) + 1
    rows = [ValidationCheck(code, passed, sentence(code), count) for (code, passed), count in counted.items()]
    return tuple(sorted(rows, key=lambda row: row.passed is not False))[:CHECKS_SHOWN]


def sentence(code: str) -> str:
    """A code in words; one that is not known here is shown as it is."""
    return _SENTENCES.get(code) or f"The standard's code for it is {code}."


def problem_of(results: Any) -> Problem | None:
    """What is wrong with a manifest by its validation results; None when nothing is. An unknown signer is nothing
    wrong: whether a manifest holds and who signed it are two questions."""
    failures = [code for code in codes(results, "failure") if code != UNTRUSTED]
    if failures:
        return min((_problem(code) for code in failures), key=list(Problem).index)
    if ingredient_failures(results):
        return Problem.INGREDIENT
    # That nothing failed is not enough: something must have been found to hold.
    held = codes(results, "success")
    if SIGNATURE_HOLDS not in held:
        return Problem.SIGNATURE
    if not any(code.endswith(".match") and code.removesuffix(".match") in BINDINGS for code in held):
        return Problem.UNBOUND
    return None


def _problem(code: str) -> Problem:
    if code.endswith(".mismatch") and code.removesuffix(".mismatch") in BINDINGS:
        return Problem.CHANGED
    if code in {"claimSignature.mismatch", "claimSignature.missing"}:
        return Problem.SIGNATURE
    if code in {"assertion.hashedURI.mismatch", "assertion.missing", "assertion.undeclared", "assertion.inaccessible"}:
        return Problem.STATEMENTS
    if code.endswith("revoked"):
        return Problem.REVOKED
    if code in {"signingCredential.expired", "claimSignature.outsideValidity"}:
        return Problem.EXPIRED
    if code.startswith("signingCredential."):
        return Problem.CREDENTIAL
    if code == "claim.hardBindings.missing":
        return Problem.UNBOUND
    if code.startswith("ingredient."):
        return Problem.INGREDIENT
    return Problem.RULES


def _part(of: Any, name: str) -> Any:
    return of.get(name) if isinstance(of, dict) else None


def _codes(entries: Iterable[Any] | None) -> Iterator[str]:
    for entry in entries if isinstance(entries, list) else []:
        if isinstance(entry, dict) and (code := plain(entry.get("code"), 80)):
            yield code
