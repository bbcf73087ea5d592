"""Finding faces and cutting them out: one code path for training, evaluation and serving."""

from ml.faces.crops import FACE_SHARE, INPUT_SIZE, Square, cut, face_square
from ml.faces.face import Face
from ml.faces.finder import FaceFinder

__all__ = ["FACE_SHARE", "INPUT_SIZE", "Face", "FaceFinder", "Square", "cut", "face_square"]
