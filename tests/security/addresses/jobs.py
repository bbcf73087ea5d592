"""Jobs and files: their owner's; staff with the word see all of them, originals included, and fewer stop them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .address import Address, owners

if TYPE_CHECKING:
    from jobs.models import Artifact

    from .house import House


def job(house: House) -> list[object]:
    return [house.check.job_id]


def _file(artifact: Artifact) -> list[object]:
    return [artifact.pk, artifact.public_name]


def display(house: House) -> list[object]:
    return _file(house.check.display)


def face(house: House) -> list[object]:
    return _file(house.check.faces.first().crop)


def gradcam(house: House) -> list[object]:
    return _file(house.check.faces.first().gradcam)


def original(house: House) -> list[object]:
    return _file(house.check.original)


ADDRESSES: Final = (
    Address("jobs:state", "get", owners(200, staff=200), of=job, visitors=True),
    Address(
        "jobs:cancel", "post", owners(200).but(administrator=200), of=job, visitors=True, accept="application/json"
    ),
    Address(
        "jobs:finish", "post", owners(200).but(administrator=200), of=job, visitors=True, accept="application/json"
    ),
    Address("jobs:artifact", "get", owners(200, staff=200), of=display, visitors=True),
    Address("jobs:artifact", "get", owners(200, staff=200), of=face, visitors=True),
    Address("jobs:artifact", "get", owners(200, staff=200), of=gradcam, visitors=True),
    Address("jobs:artifact", "get", owners(404, staff=200), of=original, visitors=True),
)
