"""The safeguards that need pixels, for every generating handler: take in with `opened`, hand back with `sealed`.

Nothing else makes a SealedOutput, and `generation.publishing` keeps nothing but those.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generation.exchange import SealedOutput
from generation.refusals import Reason, Refused
from jobs.errors import PersonError

POSTER_SIDE: Final = 512
POSTER_SHORT_SIDE: Final = 64  # less than that holds no readable band

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from generation.exchange import GenerationRequest
    from ml.faces import Face
    from ml.provenance.plan import Work
    from ml.provenance.sealing import Clip, Still

    Report = Callable[[str, int, int], None]


def opened(request: GenerationRequest, role: str) -> NDArray[np.uint8]:
    """The pixels of one input picture, uint8 (H, W, 3) RGB. Raises Refused for a picture that was taken down, whatever
    its bytes are now, and PersonError for a file that cannot be read."""
    from ml.errors import MediaError
    from ml.media import decode

    try:
        pixels = decode(request.files[role]).pixels
    except MediaError as error:
        raise PersonError(error.code, error.message) from error
    check_looks(request, pixels)
    return pixels


def check_looks(request: GenerationRequest, pixels: NDArray[np.uint8]) -> str:
    """The perceptual hash of a picture or frame. Raises Refused where it is one that was taken down."""
    from ml.provenance.perceptual_hash import SAME_PICTURE, distance, perceptual_hash

    seen = perceptual_hash(pixels)
    if seen and any(distance(seen, blocked) <= SAME_PICTURE for blocked in request.safeguards.blocked_hashes):
        raise Refused(Reason.BLOCKED_PICTURE, job=request.safeguards.job)
    return seen


def check_people(request: GenerationRequest, role: str, pixels: NDArray[np.uint8], faces: Sequence[Face]) -> None:
    """Raises Refused where more people are shown than consent was stated for, and for a face on the block list."""
    consented = sum(fact.people for fact in request.safeguards.consents if fact.role == role)
    if len(faces) > consented:
        raise Refused(Reason.MORE_PEOPLE, job=request.safeguards.job, role=role, shown=len(faces), consented=consented)
    if not request.safeguards.blocked_faces:
        return
    from ml.provenance import face_descriptor

    blocked = face_descriptor.of_method(request.safeguards.blocked_faces)
    for face in faces:
        if face_descriptor.nearest(face_descriptor.describe(pixels, face), blocked) <= face_descriptor.THRESHOLD:
            raise Refused(Reason.BLOCKED_FACE, job=request.safeguards.job, role=role)


def sealed(
    request: GenerationRequest,
    work: Work,
    media: Still | Clip,
    *,
    role: str = "result",
    weights: dict[str, str] | None = None,
    report: Report | None = None,
) -> SealedOutput:
    """Mark, sign and verify what was made. Raises PersonError where that cannot be done: then there is no output."""
    from ml.provenance.authority import Authority
    from ml.provenance.plan import ConsentStatement, Ingredient, ManifestPlan
    from ml.provenance.sealing import seal
    from ml.provenance.visible_mark import TooSmall

    facts = request.safeguards
    plan = ManifestPlan(
        work=work,
        kind=facts.kind,
        job=facts.job,
        mark=facts.mark,
        site=facts.site,
        terms=facts.terms,
        consents=tuple(ConsentStatement(each.id, each.role, each.relation, each.version) for each in facts.consents),
        ingredients=tuple(
            Ingredient(part, path.read_bytes(), _content_type(path.suffix)) for part, path in request.files.items()
        ),
        weights=weights or {},
    )
    try:
        made = seal(media, plan, Authority(facts.authority, facts.site), report)
    except TooSmall as error:
        raise PersonError("too_small", "The picture is too small to carry the mark that says what it is.") from error
    return SealedOutput(
        data=made.data,
        content_type=made.content_type,
        suffix=made.suffix,
        width=made.width,
        height=made.height,
        perceptual_hash=made.perceptual_hash,
        role=role,
    )


def poster(
    request: GenerationRequest,
    work: Work,
    pixels: NDArray[np.uint8],
    *,
    weights: dict[str, str] | None = None,
    of_clip: bool = False,
) -> SealedOutput | None:
    """A small picture of the result for lists, sealed like it: hand it back among the outputs, after the main one.
    `pixels`: the result, or where it is `of_clip` a frame of it, without its marks. None for a picture that is small
    already, and for one so narrow that no band could be read."""
    import numpy as np
    from PIL import Image

    from ml.provenance.sealing import Still

    height, width = pixels.shape[:2]
    share = min(1.0, POSTER_SIDE / max(height, width))
    if (share >= 1 and not of_clip) or min(height, width) * share < POSTER_SHORT_SIDE:
        return None
    size = (round(width * share), round(height * share))
    small = np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS), dtype=np.uint8)
    return sealed(request, work, Still(small), role="poster", weights=weights)


def _content_type(suffix: str) -> str:
    known = {".png": "image/png", ".webp": "image/webp", ".mp4": "video/mp4", ".mov": "video/quicktime"}
    return known.get(suffix.lower(), "image/jpeg")
