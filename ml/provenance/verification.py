"""Reading a seal back: whether a file's manifest holds, was signed by this very site, and says what it must.

Asked after signing, and once more by the process that publishes. It loads c2pa and no model library.
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import c2pa

from ml.provenance.authority import CA
from ml.provenance.plan import CONSENT_LABEL, JOB_LABEL, SOURCE_TYPES, TABLE, Work

if TYPE_CHECKING:
    from pathlib import Path

BEGINNINGS: Final = frozenset({"c2pa.created", "c2pa.opened"})
LARGEST_JSON: Final = 4 * 1024 * 1024


class InvalidSeal(ValueError):
    """The file may not be published; the message says why, for the log."""


@dataclass(frozen=True, slots=True)
class Seal:
    """What a manifest that holds says. `consents`: numbers of records; `source_type`: IPTC's URI."""

    job: str
    kind: str
    work: Work
    mark: str
    consents: tuple[str, ...]
    source_type: str

    @property
    def has_mark(self) -> bool:
        return len(self.mark) == 12


@lru_cache(maxsize=4)
def _context(anchor: str) -> c2pa.Context:
    return c2pa.Context.from_dict(
        {
            "trust": {"trust_anchors": anchor},
            "verify": {"verify_trust": True, "remote_manifest_fetch": False, "ocsp_fetch": False},
            "core": {"allowed_network_hosts": [], "decode_identity_assertions": False},
        }
    )


def verify(data: bytes, content_type: str, authority: Path) -> Seal:
    """The seal of a file, if it holds: signature, every hash, this site's own certificate as the only anchor, and the
    statements of the table in ml.provenance.plan. authority: the directory of the site's authority; only its
    certificate is read.

    Raises:
        InvalidSeal: anything is missing or wrong; nothing else is raised for any content.
    """
    if not _begins_as(data, content_type):  # c2pa looks at the bytes alone, whatever it is told that they are
        raise InvalidSeal(f"the bytes are not {content_type}")
    try:
        anchor = (authority / CA).read_text(encoding="ascii")
    except (OSError, ValueError) as error:
        raise InvalidSeal(f"this site has no authority yet: {error}") from error
    try:
        with c2pa.Reader(content_type, io.BytesIO(data), context=_context(anchor)) as reader:
            text = reader.json()
    except c2pa.C2paError as error:
        raise InvalidSeal(f"no manifest can be read: {error}") from error
    if len(text) > LARGEST_JSON:
        raise InvalidSeal("the manifest is too large")
    try:
        store = json.loads(text)
        if store.get("validation_state") != "Trusted":
            raise InvalidSeal(f"the manifest is {store.get('validation_state')}, not trusted: {_failures(store)}")
        return _seal(store["manifests"][store["active_manifest"]])
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        if isinstance(error, InvalidSeal):
            raise
        raise InvalidSeal(f"the manifest is not built as ours are: {error!r}") from error


def _begins_as(data: bytes, content_type: str) -> bool:
    match content_type:
        case "image/jpeg":
            return data.startswith(b"\xff\xd8\xff")
        case "image/png":
            return data.startswith(b"\x89PNG\r\n\x1a\n")
        case "image/webp":
            return data[:4] == b"RIFF" and data[8:12] == b"WEBP"
        case "video/mp4":
            return data[4:8] == b"ftyp"
        case _:
            return False


def _failures(store: dict[str, Any]) -> str:
    active = (store.get("validation_results") or {}).get("activeManifest") or {}
    return ", ".join(str(failure.get("code")) for failure in active.get("failure", []))


def _seal(manifest: dict[str, Any]) -> Seal:
    said = {each["label"]: each["data"] for each in manifest["assertions"]}
    job = said[JOB_LABEL]
    work = Work(job["work"])
    consents = tuple(str(each["record"]) for each in said[CONSENT_LABEL]["consents"])
    row = TABLE[work]
    if row.needs_consent and not consents:
        raise InvalidSeal("it shows a person and names no record of consent")
    actions = [action for label, data in said.items() if label.startswith("c2pa.actions") for action in data["actions"]]
    begun = [index for index, action in enumerate(actions) if action["action"] in BEGINNINGS]
    if begun != [0] or (actions[0]["action"] == "c2pa.opened") is not row.edits:
        raise InvalidSeal("it must begin with the one action of its kind that creates or opens")
    types = {action["digitalSourceType"] for action in actions if "digitalSourceType" in action}
    if types != {SOURCE_TYPES + row.source_type}:
        raise InvalidSeal(f"the digital source type is {sorted(types)}")
    if row.action not in {action["action"] for action in actions}:
        raise InvalidSeal(f"the action {row.action} is missing")
    if row.band and "c2pa.addedText" not in {action["action"] for action in actions}:
        raise InvalidSeal("it does not say that a visible band was added")
    if any("thumbnail" in part for part in (manifest, *manifest.get("ingredients", []))):
        raise InvalidSeal("it carries a thumbnail")
    return Seal(
        job=str(job["job"]),
        kind=str(job["kind"]),
        work=work,
        mark=str(job["mark"]),
        consents=consents,
        source_type=SOURCE_TYPES + row.source_type,
    )
