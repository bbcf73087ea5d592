"""Face swap by one encoder that all faces share and a decoder for each person.

``build_swap_network`` makes any member of the family from a ``SwapConfig``: faceswap's "original" (``ORIGINAL_64``),
DeepFaceLab's DF and LIAE (``DF_128``, ``LIAE_128``), and the small DF that Unmask trains (``SWAP_96``).
"""

from ml.networks.swap.df import DFSwap
from ml.networks.swap.liae import LIAESwap
from ml.networks.swap.swap_config import DF_128, LIAE_128, ORIGINAL_64, SWAP_96, Family, SwapConfig
from ml.networks.swap.swap_network import Painted, SwapNetwork, build_swap_network

__all__ = [
    "DF_128",
    "LIAE_128",
    "ORIGINAL_64",
    "SWAP_96",
    "DFSwap",
    "Family",
    "LIAESwap",
    "Painted",
    "SwapConfig",
    "SwapNetwork",
    "build_swap_network",
]
