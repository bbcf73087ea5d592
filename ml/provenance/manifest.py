"""What a C2PA manifest says, as plain facts."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ml.provenance.source_type import SourceType
    from ml.provenance.validation import Problem, ValidationCheck


class ManifestState(StrEnum):
    VALID = "valid"
    """The signature holds, and the file is as it was signed."""
    BROKEN = "broken"
    """The manifest was read, and something about it does not hold; `Manifest.problem` says what."""
    UNREADABLE = "unreadable"
    """There is, or was, a manifest, but not one that can be read here."""


@dataclass(frozen=True, slots=True)
class Step:
    """One action of the edit history. `when` is as the signer wrote it; "" where a part was not given."""

    action: str
    words: str
    when: str
    software: str
    source_type: SourceType | None
    description: str = ""


@dataclass(frozen=True, slots=True)
class Ingredient:
    """Something that the file was made from. `state` is None where it came without a manifest of its own."""

    title: str
    relationship: str
    words: str
    state: ManifestState | None
    sentence: str
    says_generated: bool


@dataclass(frozen=True, slots=True)
class AiStatement:
    """Where the manifest names a digital source type that AI made; `where` is an action or an assertion."""

    where: str
    source_type: SourceType


@dataclass(frozen=True, slots=True)
class Manifest:
    """The manifest that speaks for the file (the active one), with the history of those before it.

    `trusted` is None where nobody could be asked: the manifest could not be read, or no trust list is installed.
    `issuer` and `common_name` are those of the certificate: with `trusted` not True, anybody can have written them.
    `signed_at` is a time stamp authority's, ISO 8601; "" where there is none.
    """

    state: ManifestState
    problem: Problem | None
    sentence: str
    trusted: bool | None = None
    trust_list: bool = False
    issuer: str = ""
    common_name: str = ""
    generator: str = ""
    signed_at: str = ""
    algorithm: str = ""
    format: str = ""
    title: str = ""
    checks: tuple[ValidationCheck, ...] = ()
    ai: tuple[AiStatement, ...] = ()
    history: tuple[Step, ...] = ()
    ingredients: tuple[Ingredient, ...] = ()
    left_out: int = 0
    """How many steps and ingredients there were beyond those that are kept here."""
    remote_host: str = ""

    @property
    def says_generated(self) -> bool:
        """Whether it holds and says that AI made the file or a part of it."""
        return self.state is ManifestState.VALID and any(each.source_type.says_generated for each in self.ai)

    @property
    def signer(self) -> str:
        """Who the certificate says signed it; "" where it says nothing."""
        if self.issuer and self.common_name and self.issuer != self.common_name:
            return f"{self.common_name} ({self.issuer})"
        return self.issuer or self.common_name
