"""First Order Motion Model for Image Animation (Siarohin et al., NeurIPS 2019), in Keras.

``FirstOrderMotion`` is the whole of it; ``MotionConfig`` sizes it (``VOX_256`` is the authors' network for faces).
"""

from ml.networks.fomm.first_order_motion import FirstOrderMotion, Generated
from ml.networks.fomm.keypoints import Keypoints, normalise
from ml.networks.fomm.motion_config import SHIPPED_128, SLIM_128, SLIMMER_128, VOX_256, MotionConfig

__all__ = [
    "SHIPPED_128",
    "SLIMMER_128",
    "SLIM_128",
    "VOX_256",
    "FirstOrderMotion",
    "Generated",
    "Keypoints",
    "MotionConfig",
    "normalise",
]
