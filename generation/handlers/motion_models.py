"""Which network moves a portrait: the shipped one, or one that whoever runs this site has imported."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from jobs.errors import PersonError

if TYPE_CHECKING:
    from generation.exchange import GenerationRequest
    from ml.animate.model import MotionModel

logger = logging.getLogger(__name__)


def file_of(request: GenerationRequest) -> Path | None:
    """The file of the imported network that is wanted, never one outside the operator's folder; None for the shipped
    one. Raises PersonError where it is gone."""
    name = Path(str(request.options.get("network") or "")).name
    if not name:
        return None
    path = None if request.networks is None else request.networks / name
    if path is None or not path.is_file():
        raise PersonError("settings", "This network is not here any more. Choose another one and begin again.")
    return path


def ready(network: Path | None) -> MotionModel:
    """The model in that file, or the shipped one; kept warm. Raises PersonError for a file that holds none."""
    from ml.animate.model import model_of
    from ml.importers import CheckpointError

    try:
        return model_of(network)
    except CheckpointError as error:
        logger.error("an imported motion model cannot be read: %s", error)
        raise PersonError("settings", "This network cannot be read. Choose another one and begin again.") from error
