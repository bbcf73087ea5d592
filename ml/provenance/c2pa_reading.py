"""Reading and validating a C2PA manifest. A file is only read: nothing is fetched, whatever it asks for."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import urlsplit

import c2pa

from ml.provenance.actions import RELATIONSHIPS, action_words
from ml.provenance.manifest import AiStatement, Ingredient, Manifest, ManifestState, Step
from ml.provenance.plain_text import plain
from ml.provenance.source_type import SourceType, source_type
from ml.provenance.validation import (
    PROBLEMS,
    TRUSTED,
    Problem,
    checks,
    codes,
    problem_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_STORE_BYTES = 8 * 1024 * 1024
"""The largest manifest store that is handed to the library; one with a dozen thumbnails has about one megabyte."""
MAX_JSON_CHARS = 16 * 1024 * 1024
MAX_ANCESTORS = 64
STEPS_KEPT = 60
INGREDIENTS_KEPT = 30

# Each of these is a way in which reading a file could make a connection, and each is shut on its own.
_OFFLINE = {
    "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False},
    "core": {"allowed_network_hosts": [], "decode_identity_assertions": False},
}
_VALID = "The signature holds, and the file is as it was signed."


def read_manifest(stream: BinaryIO, media_type: str, anchors: str = "") -> Manifest | None:
    """The manifest of a file, or None where it has none.

    media_type: of the file's own content, such as "image/jpeg". anchors: PEM certificates of the authorities to trust;
    "" for none, and then `trusted` is None. Raises nothing for any content.
    """
    try:
        with _reader(stream, media_type, anchors) as reader:
            text = reader.json()
    except c2pa.C2paError.ManifestNotFound:
        return None
    except c2pa.C2paError as error:
        return _unread(str(error))
    if len(text) > MAX_JSON_CHARS:
        return unreadable(Problem.TOO_LARGE)
    try:
        return _manifest(json.loads(text), bool(anchors))
    except (ValueError, RecursionError, _Malformed):
        return unreadable(Problem.DAMAGED)


def unreadable(problem: Problem, remote_host: str = "") -> Manifest:
    """A manifest that is, or was, there but cannot be read."""
    return Manifest(ManifestState.UNREADABLE, problem, PROBLEMS[problem], remote_host=remote_host)


def _reader(stream: BinaryIO, media_type: str, anchors: str) -> Any:
    return c2pa.Reader(media_type, stream, context=_context(anchors))


@lru_cache(maxsize=4)
def _context(anchors: str) -> c2pa.Context:
    settings: dict[str, Any] = {**_OFFLINE}
    if anchors:
        settings["trust"] = {"trust_anchors": anchors}
    return c2pa.Context.from_dict(settings)


def _unread(message: str) -> Manifest:
    if message.startswith("Remote"):
        named = re.search(r"https?://[^\s\"'<>]{1,2000}", message)
        return unreadable(Problem.REMOTE, _host(named[0]) if named else "")
    return unreadable(Problem.DAMAGED)


def _host(url: str) -> str:
    try:
        return plain(urlsplit(url).hostname or "", 80)
    except ValueError:
        return ""


class _Malformed(Exception):
    """The library's answer is not built as it says that it is."""


def _manifest(store: Any, anchored: bool) -> Manifest:
    manifests, label = _dict(store.get("manifests")), store.get("active_manifest")
    active = manifests.get(label) if isinstance(label, str) else None
    if not isinstance(active, dict):
        raise _Malformed
    results = store.get("validation_results")
    problem = problem_of(results)
    # A picture that was opened, cropped and signed again is still what its parent says that it is; what was placed into
    # it, or given to a program, is not.
    line = list(_line(manifests, active))
    signature = _dict(active.get("signature_info"))
    ingredients = [_ingredient(each, manifests) for each in _dicts(active.get("ingredients"))]
    # The line is taken from the end: the oldest comes first in a history.
    history = [step for manifest in reversed(line) for step in _steps(manifest)]
    return Manifest(
        state=ManifestState.VALID if problem is None else ManifestState.BROKEN,
        problem=problem,
        sentence=_VALID if problem is None else PROBLEMS[problem],
        trusted=TRUSTED in codes(results, "success") if anchored else None,
        trust_list=anchored,
        issuer=plain(signature.get("issuer")),
        common_name=plain(signature.get("common_name")),
        generator=_generator(active),
        signed_at=plain(signature.get("time"), 40),
        algorithm=plain(signature.get("alg"), 20),
        format=plain(active.get("format"), 40),
        title=plain(active.get("title")),
        checks=checks(results),
        ai=tuple(_statements(line))[:STEPS_KEPT],
        # The first and the last of a long history: how it began, and what was done to it in the end.
        history=tuple(history if len(history) <= STEPS_KEPT else history[:20] + history[20 - STEPS_KEPT :]),
        ingredients=tuple(ingredients[:INGREDIENTS_KEPT]),
        left_out=max(0, len(history) - STEPS_KEPT) + max(0, len(ingredients) - INGREDIENTS_KEPT),
    )


def _line(manifests: dict[str, Any], active: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The manifest, its parent's, and so on, as far as each holds."""
    seen: set[int] = set()
    manifest = active
    while id(manifest) not in seen and len(seen) < MAX_ANCESTORS:
        seen.add(id(manifest))
        yield manifest
        parents = [each for each in _dicts(manifest.get("ingredients")) if each.get("relationship") == "parentOf"]
        if not parents or problem_of(parents[0].get("validation_results")) is not None:
            return
        parent = manifests.get(str(parents[0].get("active_manifest")))
        if not isinstance(parent, dict):
            return
        manifest = parent


def _steps(manifest: dict[str, Any]) -> Iterator[Step]:
    for action in _actions(manifest):
        code = plain(action.get("action"), 80)
        if code:
            yield Step(
                action=code,
                words=action_words(code),
                when=plain(action.get("when"), 40),
                software=_software(action.get("softwareAgent")) or _generator(manifest),
                source_type=source_type(action.get("digitalSourceType")),
                description=plain(action.get("description")),
            )


def _actions(manifest: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for assertion in _dicts(manifest.get("assertions")):
        if str(assertion.get("label")).startswith("c2pa.actions"):
            yield from _dicts(_dict(assertion.get("data")).get("actions"))


def _statements(line: list[dict[str, Any]]) -> Iterator[AiStatement]:
    """Where AI is named, in the actions and in what the signers stated themselves; each once."""
    seen: set[tuple[str, str]] = set()
    for where, kind in (found for manifest in line for found in _source_types(manifest)):
        if kind.says_generated and (where, kind.code) not in seen:
            seen.add((where, kind.code))
            yield AiStatement(where, kind)


def _source_types(manifest: dict[str, Any]) -> Iterator[tuple[str, SourceType]]:
    for action in _actions(manifest):
        if (kind := source_type(action.get("digitalSourceType"))) is not None:
            yield plain(action.get("action"), 80), kind
    for assertion in _dicts(manifest.get("assertions")):
        # What a claim of version 2 has only gathered, its signer does not answer for.
        if not (assertion.get("created") or manifest.get("claim_version") == 1):
            continue
        for key, value in _dict(assertion.get("data")).items():
            if re.split(r"[:/#]", str(key))[-1].lower() != "digitalsourcetype":
                continue
            for each in value if isinstance(value, list) else [value]:
                if (kind := source_type(each)) is not None:
                    yield plain(assertion.get("label"), 80), kind


def _ingredient(entry: dict[str, Any], manifests: dict[str, Any]) -> Ingredient:
    relationship = plain(entry.get("relationship"), 40)
    own = manifests.get(str(entry.get("active_manifest")))
    state, words, generated = None, "It came without a manifest of its own.", False
    if isinstance(own, dict):
        problem = problem_of(entry.get("validation_results"))
        state = ManifestState.VALID if problem is None else ManifestState.BROKEN
        words = "Its own manifest held when it was used." if problem is None else PROBLEMS[problem]
        generated = problem is None and any(kind.says_generated for _, kind in _source_types(own))
    return Ingredient(
        title=plain(entry.get("title")),
        relationship=relationship,
        words=RELATIONSHIPS.get(relationship, relationship),
        state=state,
        sentence=words,
        says_generated=generated,
    )


def _generator(manifest: dict[str, Any]) -> str:
    for info in _dicts(manifest.get("claim_generator_info")):
        if name := _software(info):
            return name
    return plain(manifest.get("claim_generator"))


def _software(agent: Any) -> str:
    if isinstance(agent, dict):
        return " ".join(part for part in (plain(agent.get("name"), 80), plain(agent.get("version"), 30)) if part)
    return plain(agent)


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
