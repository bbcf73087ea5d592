"""What a manifest says about each kind of work, as one table (C2PA 2.1 actions, IPTC digital source types)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

SOURCE_TYPES: Final = "http://cv.iptc.org/newscodes/digitalsourcetype/"
CONSENT_LABEL: Final = "org.unmask.consent"
JOB_LABEL: Final = "org.unmask.job"
PARENT: Final = "target"


class Work(StrEnum):
    SWAP = "swap"
    ANIMATION = "animation"
    PORTRAIT = "portrait"
    RESTORATION = "restoration"  # face restoration, GAN upscaling: pixels are invented
    ENHANCEMENT = "enhancement"  # denoise, JPEG clean-up, PSNR upscaling: pixels are computed from those there


@dataclass(frozen=True, slots=True)
class Row:
    """`edits`: the target is the parent and the first action opens it; else the first action creates."""

    edits: bool
    action: str
    source_type: str
    band: bool  # a visible band is burned in, and the manifest says so
    needs_consent: bool


_COMPOSITE: Final = "compositeWithTrainedAlgorithmicMedia"
_TRAINED: Final = "trainedAlgorithmicMedia"

TABLE: Final[dict[Work, Row]] = {
    Work.SWAP: Row(True, "c2pa.edited", _COMPOSITE, band=True, needs_consent=True),
    Work.ANIMATION: Row(False, "c2pa.created", _TRAINED, band=True, needs_consent=True),
    Work.PORTRAIT: Row(False, "c2pa.created", _TRAINED, band=True, needs_consent=False),
    Work.RESTORATION: Row(True, "c2pa.edited", _COMPOSITE, band=False, needs_consent=False),
    Work.ENHANCEMENT: Row(True, "c2pa.enhanced", "algorithmicallyEnhanced", band=False, needs_consent=False),
}


@dataclass(frozen=True, slots=True)
class ConsentStatement:
    """A record's number, its role, the relation and the version of the words. No name, no address."""

    id: str
    role: str
    relation: str
    version: str


@dataclass(frozen=True, slots=True)
class Ingredient:
    """A file that went in, as it was given: the manifest holds its hash, never its looks. The one with the role
    "target" is the parent of an edit. known_as: the SHA-256 of that file where `data` is a copy without its manifest.
    """

    role: str
    data: bytes
    content_type: str
    known_as: str = ""

    @property
    def sha256(self) -> str:
        return self.known_as or hashlib.sha256(self.data).hexdigest()

    @property
    def is_parent(self) -> bool:
        return self.role == PARENT


@dataclass(frozen=True, slots=True)
class ManifestPlan:
    """Everything that the manifest of one output says. Raises ValueError for work that needs consent and states none.

    work: the row of the table. kind: the job kind's name. job: the job's id. mark: what the invisible mark carries, 12
    hex digits. site: the name on the band. ingredients: an edit has one with the role "target", its parent.
    """

    work: Work
    kind: str
    job: str
    mark: str
    site: str
    terms: str = ""
    consents: tuple[ConsentStatement, ...] = ()
    ingredients: tuple[Ingredient, ...] = ()
    weights: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.row.needs_consent and not self.consents:
            raise ValueError(f"{self.work} shows a person: it cannot be sealed without a record of consent")
        if not self.job or len(self.mark) != 12 or int(self.mark, 16) < 0:
            raise ValueError("a manifest names its job, and the mark of 12 hex digits")
        parents = sum(part.role == PARENT for part in self.ingredients)
        if self.row.edits and parents != 1:
            raise ValueError(f"{self.work} edits one target; {parents} were given")
        if not self.row.edits and parents:
            raise ValueError(f"{self.work} creates; it has no target")

    @property
    def row(self) -> Row:
        return TABLE[self.work]

    @property
    def source_type(self) -> str:
        return SOURCE_TYPES + self.row.source_type

    def definition(self, title: str, content_type: str) -> dict[str, Any]:
        """The manifest as c2pa's builder takes it, without the parent, whose bytes the builder reads."""
        consents = [{"record": c.id, "role": c.role, "relation": c.relation, "terms": c.version} for c in self.consents]
        job = {
            "job": self.job,
            "kind": self.kind,
            "work": self.work.value,
            "mark": self.mark,
            "terms": self.terms,
            "weights": self.weights,
            "inputs": {part.role: part.sha256 for part in self.ingredients},
        }
        return {
            "claim_generator_info": [{"name": self.site, "version": "1"}],
            "title": title,
            "format": content_type,
            # Named, never embedded: a face that went in must not be published again by its own manifest or thumbnail.
            "ingredients": [
                {
                    "title": part.role,
                    "format": part.content_type,
                    "relationship": "inputTo",
                    "instance_id": f"sha256:{part.sha256}",
                    "label": part.role,
                }
                for part in self.ingredients
                if part.role != PARENT
            ],
            "assertions": [
                {"label": "c2pa.actions.v2", "data": {"actions": self._actions()}},
                {"label": CONSENT_LABEL, "data": {"consents": consents}},
                {"label": JOB_LABEL, "data": job},
            ],
        }

    def _actions(self) -> list[dict[str, Any]]:
        row = self.row
        made: dict[str, Any] = {
            "action": row.action,
            "digitalSourceType": self.source_type,
            "softwareAgent": {"name": self.site},
        }
        inputs = [part.role for part in self.ingredients if part.role != PARENT]
        if inputs:
            made["parameters"] = {"ingredientIds": inputs}
        actions: list[dict[str, Any]] = []
        if row.edits:
            actions.append({"action": "c2pa.opened", "parameters": {"ingredientIds": [PARENT]}})
        actions.append(made)
        if row.band:
            actions.append({"action": "c2pa.addedText", "description": f"AI-generated · {self.site}"})
        if row.edits:
            actions.append({"action": "c2pa.transcoded"})
        return actions
