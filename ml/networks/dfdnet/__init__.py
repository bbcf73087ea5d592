"""DFDNet, blind face restoration with dictionaries of facial components (Li et al., ECCV 2020), in Keras."""

from ml.networks.dfdnet.dfdnet import DFDNet
from ml.networks.dfdnet.dfdnet_config import DFDNET_512, PARTS, DFDNetConfig

__all__ = ["DFDNET_512", "PARTS", "DFDNet", "DFDNetConfig"]
