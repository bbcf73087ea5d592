"""Every kind of work in every kind of file: marked, signed as the table says, verified; and what does not verify."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import c2pa
import numpy as np
import pytest
from PIL import Image

from ml.provenance import invisible_mark, visible_mark
from ml.provenance.authority import Authority
from ml.provenance.plan import CONSENT_LABEL, TABLE, ConsentStatement, Ingredient, ManifestPlan, Work
from ml.provenance.sealing import Clip, Sealed, Still, seal
from ml.provenance.signing import sign
from ml.provenance.verification import InvalidSeal, verify

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

MARK = "0123456789ab"
CONSENT = ConsentStatement("3f0c", "source", "myself", "1")
STILLS = ("image/jpeg", "image/png", "image/webp")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("data") / "authority")


@pytest.fixture(scope="module")
def target(astronaut_jpeg: bytes) -> Ingredient:
    return Ingredient("target", astronaut_jpeg, "image/jpeg")


def plan_of(work: Work, target: Ingredient, **changes: Any) -> ManifestPlan:
    source = Ingredient("source", target.data, "image/jpeg")
    parts = (target, source) if TABLE[work].edits else (source,)
    whole: dict[str, Any] = {"kind": work.value, "job": "job-1", "mark": MARK, "site": "Unmask", "terms": "1"}
    whole |= {"consents": (CONSENT,), "ingredients": parts, "weights": {"swap": "0" * 64}}
    return ManifestPlan(work, **{**whole, **changes})


def manifest_of(made: Sealed, authority: Authority | None = None) -> tuple[dict[str, Any], str]:
    trust = {"trust": {"trust_anchors": authority.certificate.decode()}} if authority else {}
    settings = {**trust, "verify": {"verify_trust": True, "remote_manifest_fetch": False}}
    with c2pa.Reader(made.content_type, io.BytesIO(made.data), context=c2pa.Context.from_dict(settings)) as reader:
        store = json.loads(reader.json())
    return store["manifests"][store["active_manifest"]], store["validation_state"]


def small(astronaut: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.ascontiguousarray(astronaut[:256, 100:400])


@pytest.mark.parametrize("work", Work)
def test_the_manifest_of_each_kind_of_work(
    work: Work, authority: Authority, target: Ingredient, astronaut: NDArray[np.uint8]
) -> None:
    made = seal(Still(astronaut), plan_of(work, target), authority)
    manifest, state = manifest_of(made, authority)
    assert state == "Trusted"
    assert manifest_of(made)[1] == "Valid"  # whole, but nobody else vouches for this site
    row = TABLE[work]
    said = {each["label"]: each["data"] for each in manifest["assertions"]}
    actions = said["c2pa.actions.v2"]["actions"]
    assert [a["action"] for a in actions if a["action"] in {"c2pa.created", "c2pa.opened"}] == [actions[0]["action"]]
    types = [action["digitalSourceType"] for action in actions if "digitalSourceType" in action]
    assert types == [f"http://cv.iptc.org/newscodes/digitalsourcetype/{row.source_type}"]
    assert ("c2pa.addedText" in {a["action"] for a in actions}) is row.band
    relations = {part["title"]: part["relationship"] for part in manifest["ingredients"]}
    assert relations == ({"target": "parentOf"} if row.edits else {}) | {"source": "inputTo"}
    assert "thumbnail" not in json.dumps(manifest)
    assert said[CONSENT_LABEL]["consents"] == [{"record": "3f0c", "role": "source", "relation": "myself", "terms": "1"}]
    assert manifest["signature_info"]["alg"] == "Es256"
    assert "time" not in manifest["signature_info"]
    assert types[0].encode() in made.data  # XMP, for readers that know no manifest
    assert b"DigitalSourceType" in made.data
    with Image.open(io.BytesIO(made.data)) as image:
        shown = np.asarray(image.convert("RGB"))
    assert made.mark_holds
    assert invisible_mark.read(shown, cropped=False) == MARK
    band = visible_mark.band(512, 512, "Unmask")
    error = np.abs(shown[-band.shape[0] :].astype(int) - band).mean()
    assert bool(error < 8) is row.band


@pytest.mark.parametrize("content_type", STILLS)
def test_each_file_type_and_any_flipped_byte(
    content_type: str, authority: Authority, target: Ingredient, astronaut: NDArray[np.uint8]
) -> None:
    made = seal(Still(small(astronaut), content_type), plan_of(Work.SWAP, target), authority)
    assert verify(made.data, content_type, authority.directory).consents == ("3f0c",)
    assert (made.width, made.height) == (300, 256)
    size = len(made.data)
    # Among the pixels, wherever the format keeps them; a manifest has padding that stands for nothing.
    within = (0.05, 0.5) if content_type == "image/webp" else (0.6, 0.95)
    for at in np.linspace(within[0] * size, within[1] * size, 15).astype(int):
        broken = bytearray(made.data)
        broken[at] ^= 0x5A
        with pytest.raises(InvalidSeal):
            verify(bytes(broken), content_type, authority.directory)
    for foreign in ("image/gif", "text/html", *(other for other in STILLS if other != content_type)):
        with pytest.raises(InvalidSeal):
            verify(made.data, foreign, authority.directory)


def test_a_clip_has_the_band_on_every_frame_and_plays(
    authority: Authority, target: Ingredient, astronaut: NDArray[np.uint8]
) -> None:
    import av

    told: list[int] = []
    frames = (np.roll(astronaut[:511, :509], 2 * step, axis=1) for step in range(12))
    clip = Clip(frames, Fraction(25), count=12)
    made = seal(clip, plan_of(Work.ANIMATION, target), authority, lambda stage, done, total: told.append(done))
    assert told == list(range(1, 13))
    assert verify(made.data, "video/mp4", authority.directory).work is Work.ANIMATION
    assert manifest_of(made, authority)[1] == "Trusted"
    assert b"DigitalSourceType" in made.data
    with av.open(io.BytesIO(made.data)) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        shown = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert len(shown) == 12
    assert (shown[0].shape[1], shown[0].shape[0]) == (made.width, made.height) == (510, 512)
    band = visible_mark.band(510, 512, "Unmask")
    for frame in shown:
        bottom = frame[-band.shape[0] :].astype(int)
        assert np.abs(bottom - band).mean() < 12
    assert made.mark_holds
    broken = bytearray(made.data)
    broken[len(broken) // 2] ^= 1
    with pytest.raises(InvalidSeal):
        verify(bytes(broken), "video/mp4", authority.directory)


def test_empty_and_uneven_clips_are_refused(
    authority: Authority, target: Ingredient, astronaut: NDArray[np.uint8]
) -> None:
    plan = plan_of(Work.ANIMATION, target)
    with pytest.raises(ValueError, match="without a frame"):
        seal(Clip([], Fraction(25)), plan, authority)
    with pytest.raises(ValueError, match="one size"):
        seal(Clip([astronaut, astronaut[:256]], Fraction(25)), plan, authority)


def test_a_plan_without_consent_cannot_be_made(target: Ingredient) -> None:
    for work in (Work.SWAP, Work.ANIMATION):
        with pytest.raises(ValueError, match="consent"):
            plan_of(work, target, consents=())
        with pytest.raises(ValueError, match="consent"):
            replace(plan_of(work, target), consents=())
    plan_of(Work.PORTRAIT, target, consents=())
    for parts in ((), (target, target)):
        with pytest.raises(ValueError, match="edits one target"):
            plan_of(Work.SWAP, target, ingredients=parts)
    with pytest.raises(ValueError, match="no target"):
        plan_of(Work.PORTRAIT, target, ingredients=(target,))
    with pytest.raises(ValueError, match="12 hex digits"):
        plan_of(Work.SWAP, target, mark="short")


def test_what_the_table_forbids_is_found_even_when_it_is_signed(
    authority: Authority, target: Ingredient, astronaut_jpeg: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A manifest signed by the site's own key, by a program that leaves something out."""
    honest = ManifestPlan.definition

    def without(part: str) -> Any:
        def definition(plan: ManifestPlan, title: str, content_type: str) -> dict[str, Any]:
            told = honest(plan, title, content_type)
            actions, consents, _job = (each["data"] for each in told["assertions"])
            if part == "consents":
                consents["consents"] = []
            elif part == "source type":
                actions["actions"][1]["digitalSourceType"] = "http://cv.iptc.org/newscodes/digitalsourcetype/humanEdits"
            elif part == "job":
                del told["assertions"][2]
            else:
                actions["actions"] = [each for each in actions["actions"] if each["action"] != part]
            return told

        return definition

    plan = plan_of(Work.SWAP, target)
    assert verify(sign(astronaut_jpeg, "image/jpeg", plan, authority), "image/jpeg", authority.directory).job == "job-1"
    for part in ("consents", "source type", "job", "c2pa.addedText", "c2pa.edited"):
        monkeypatch.setattr(ManifestPlan, "definition", without(part))
        with pytest.raises(InvalidSeal):
            verify(sign(astronaut_jpeg, "image/jpeg", plan, authority), "image/jpeg", authority.directory)


def test_another_authority_of_the_same_name_is_not_this_one(
    authority: Authority, target: Ingredient, astronaut_jpeg: bytes, tmp_path: Path
) -> None:
    impostor = Authority(tmp_path / "authority", authority.organisation)
    forged = sign(astronaut_jpeg, "image/jpeg", plan_of(Work.SWAP, target), impostor)
    assert verify(forged, "image/jpeg", impostor.directory)
    with pytest.raises(InvalidSeal, match="not trusted"):
        verify(forged, "image/jpeg", authority.directory)
    with pytest.raises(InvalidSeal):
        verify(forged, "image/jpeg", tmp_path / "nowhere")


def test_a_source_is_named_and_never_embedded(
    authority: Authority, target: Ingredient, astronaut: NDArray[np.uint8]
) -> None:
    """A face that came with a manifest of its own: nothing of that manifest goes along."""
    earlier = seal(Still(small(astronaut)), plan_of(Work.PORTRAIT, target, consents=()), authority)
    source = Ingredient("source", earlier.data, "image/jpeg")
    made = seal(Still(small(astronaut)), plan_of(Work.SWAP, target, ingredients=(target, source)), authority)
    with c2pa.Reader("image/jpeg", io.BytesIO(made.data)) as reader:
        store = json.loads(reader.json())
    assert len(store["manifests"]) == 1
    assert source.sha256 in json.dumps(store)


def test_too_small_for_a_band(authority: Authority, target: Ingredient) -> None:
    with pytest.raises(visible_mark.TooSmall):
        seal(Still(np.zeros((60, 400, 3), np.uint8)), plan_of(Work.SWAP, target), authority)
