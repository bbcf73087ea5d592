"""Signing a finished file: the last thing that happens to it before it is verified."""

from __future__ import annotations

import io
from functools import cache
from typing import TYPE_CHECKING, Final

import c2pa

if TYPE_CHECKING:
    from ml.provenance.authority import Authority
    from ml.provenance.plan import ManifestPlan

MEDIA_TYPES: Final = ("image/jpeg", "image/png", "image/webp", "video/mp4")


@cache
def _context() -> c2pa.Context:
    # Every action is written by the plan, no thumbnail republishes a face, and nothing is fetched or sent.
    off = {"enabled": False}
    return c2pa.Context.from_dict(
        {
            "builder": {
                "thumbnail": off,
                "actions": {"auto_opened_action": off, "auto_created_action": off, "auto_placed_action": off},
            },
            "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False, "verify_after_sign": False},
            "core": {"allowed_network_hosts": []},
        }
    )


def sign(data: bytes, content_type: str, plan: ManifestPlan, authority: Authority, title: str = "result") -> bytes:
    """`data` with a manifest as the plan says, signed with ES256 by the authority's leaf, without a time stamp.

    content_type: one of MEDIA_TYPES. Raises ValueError for another one and c2pa.C2paError for a file that is not of it.
    """
    if content_type not in MEDIA_TYPES:
        raise ValueError(f"{content_type} is not signed here")
    leaf = authority.leaf()
    intent = c2pa.C2paBuilderIntent
    with c2pa.Builder(plan.definition(title, content_type), context=_context()) as builder:
        builder.set_intent(intent.EDIT if plan.row.edits else intent.CREATE, _intended(plan))
        for part in plan.ingredients:
            if part.is_parent:
                about = {"title": part.role, "relationship": "parentOf", "label": part.role}
                builder.add_ingredient(about, part.content_type, io.BytesIO(part.data))
        # No time-stamp authority: that would be a call to the outside for each picture.
        info = c2pa.C2paSignerInfo(c2pa.C2paSigningAlg.ES256, leaf.chain, leaf.key, None)
        signed = io.BytesIO()
        with c2pa.Signer.from_info(info) as signer:
            builder.sign(signer, content_type, io.BytesIO(data), signed)
    return signed.getvalue()


def _intended(plan: ManifestPlan) -> c2pa.C2paDigitalSourceType:
    types = c2pa.C2paDigitalSourceType
    return {
        "compositeWithTrainedAlgorithmicMedia": types.COMPOSITE_WITH_TRAINED_ALGORITHMIC_MEDIA,
        "trainedAlgorithmicMedia": types.TRAINED_ALGORITHMIC_MEDIA,
        "algorithmicallyEnhanced": types.ALGORITHMICALLY_ENHANCED,
    }[plan.row.source_type]
