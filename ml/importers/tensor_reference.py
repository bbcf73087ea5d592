"""Where a checkpoint keeps the numbers of a tensor."""

from __future__ import annotations

from dataclasses import dataclass

STORAGE_KINDS = {
    "DoubleStorage": "float64",
    "FloatStorage": "float32",
    "HalfStorage": "float16",
    "BFloat16Storage": "bfloat16",
    "LongStorage": "int64",
    "IntStorage": "int32",
    "ShortStorage": "int16",
    "CharStorage": "int8",
    "ByteStorage": "uint8",
    "BoolStorage": "bool",
}
ITEM_BYTES = {
    "float64": 8,
    "float32": 4,
    "float16": 2,
    "bfloat16": 2,
    "int64": 8,
    "int32": 4,
    "int16": 2,
    "int8": 1,
    "uint8": 1,
    "bool": 1,
}


@dataclass(frozen=True, slots=True)
class StorageReference:
    """A flat run of numbers kept outside of the pickle: its key, element type, and length in elements.

    ``first`` is where a view begins inside the storage called ``key`` (legacy files only), else 0.
    """

    key: str
    dtype: str
    length: int
    first: int = 0


@dataclass(frozen=True, slots=True)
class TensorReference:
    """A tensor: a window of a storage. ``offset`` and ``stride`` count elements."""

    storage: StorageReference
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]
