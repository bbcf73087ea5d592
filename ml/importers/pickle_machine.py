"""A pickle reader that can build tensors and plain containers, and nothing else.

``pickle.Unpickler`` calls what the file names: a checkpoint from the internet is a program. Here the opcodes are
walked with ``pickletools.genops``, which only parses, and this module gives a meaning to the few that PyTorch writes.
A class or function is looked up in a table of five names and never imported; whatever else a file names is refused by
that name.
"""

from __future__ import annotations

import pickletools
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from ml.importers.tensor_reference import STORAGE_KINDS, StorageReference, TensorReference

if TYPE_CHECKING:
    from collections.abc import Callable

Kind = TypeVar("Kind")

MAX_OPCODES = 5_000_000
MAX_DIMENSIONS = 8

_REBUILD_TENSOR = ("torch._utils", "_rebuild_tensor")
_REBUILD_TENSOR_V2 = ("torch._utils", "_rebuild_tensor_v2")
_REBUILD_PARAMETER = ("torch._utils", "_rebuild_parameter")
_ORDERED_DICT = ("collections", "OrderedDict")
_SIZE = ("torch", "Size")
_CALLABLE = {_REBUILD_TENSOR, _REBUILD_TENSOR_V2, _REBUILD_PARAMETER, _ORDERED_DICT, _SIZE}


class PickleRefusedError(ValueError):
    """The pickle is damaged, or asks for something that a checkpoint has no need of."""


@dataclass(frozen=True, slots=True)
class _Name:
    module: str
    name: str


class _Mark:
    pass


_MARK = _Mark()


def load(stream: Any) -> Any:
    """Read one pickle from ``stream`` (anything with ``read`` and ``readline``), up to and with its STOP.

    Returns dicts, lists, tuples, numbers, strings, bytes, None and ``TensorReference``. Raises PickleRefusedError.
    """
    machine = _Machine()
    try:
        for count, (opcode, argument, _position) in enumerate(pickletools.genops(stream)):
            if count > MAX_OPCODES:
                raise PickleRefusedError(f"its pickle has more than {MAX_OPCODES:,} instructions")
            if opcode.name == "STOP":
                return machine.result()
            machine.step(opcode.name, argument)
    except PickleRefusedError:
        raise
    except (ValueError, TypeError, IndexError, KeyError, OverflowError, struct.error) as error:
        raise PickleRefusedError(f"its pickle is damaged ({error})") from error
    raise PickleRefusedError("its pickle ends too early")


class _Machine:
    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}

    def result(self) -> Any:
        if len(self.stack) != 1 or isinstance(self.stack[0], (_Mark, _Name)):
            raise PickleRefusedError("its pickle does not end in one value")
        return self.stack[0]

    def step(self, opcode: str, argument: Any) -> None:
        if opcode in _PUSH_ARGUMENT:
            self.stack.append(argument)
        elif opcode in _PUSH_NEW:
            self.stack.append(_PUSH_NEW[opcode]())
        elif opcode in ("BINPUT", "LONG_BINPUT", "PUT"):
            self.memo[int(argument)] = self.stack[-1]
        elif opcode == "MEMOIZE":
            self.memo[len(self.memo)] = self.stack[-1]
        elif opcode in ("BINGET", "LONG_BINGET", "GET"):
            self.stack.append(self.memo[int(argument)])
        elif opcode in _HANDLERS:
            _HANDLERS[opcode](self, argument)
        elif opcode not in ("PROTO", "FRAME"):
            raise PickleRefusedError(f"its pickle uses the instruction {opcode}, which no checkpoint needs")

    def pop(self) -> Any:
        value = self.stack.pop()
        if isinstance(value, _Mark):
            raise PickleRefusedError("its pickle is damaged (a mark where a value belongs)")
        return value

    def pop_to_mark(self) -> list[Any]:
        for index in range(len(self.stack) - 1, -1, -1):
            if self.stack[index] is _MARK:
                values = self.stack[index + 1 :]
                del self.stack[index:]
                return values
        raise PickleRefusedError("its pickle is damaged (a mark is missing)")

    def tuple_of(self, count: int) -> None:
        values = [self.pop() for _ in range(count)]
        self.stack.append(tuple(reversed(values)))

    def tuple_to_mark(self, _argument: Any) -> None:
        self.stack.append(tuple(self.pop_to_mark()))

    def append(self, _argument: Any) -> None:
        value = self.pop()
        _expect(self.stack[-1], list).append(value)

    def appends(self, _argument: Any) -> None:
        values = self.pop_to_mark()
        _expect(self.stack[-1], list).extend(values)

    def set_item(self, _argument: Any) -> None:
        value, key = self.pop(), self.pop()
        _put(self.stack[-1], key, value)

    def set_items(self, _argument: Any) -> None:
        values = self.pop_to_mark()
        if len(values) % 2:
            raise PickleRefusedError("its pickle is damaged (a key without a value)")
        for key, value in zip(values[::2], values[1::2], strict=True):
            _put(self.stack[-1], key, value)

    def global_name(self, argument: Any) -> None:
        module, _, name = str(argument).partition(" ")
        self.stack.append(_named(module, name))

    def stack_global(self, _argument: Any) -> None:
        name, module = self.pop(), self.pop()
        self.stack.append(_named(str(module), str(name)))

    def reduce(self, _argument: Any) -> None:
        arguments, function = self.pop(), self.pop()
        if not isinstance(function, _Name) or (function.module, function.name) not in _CALLABLE:
            raise PickleRefusedError(f"its pickle wants to call {_describe(function)}, which is not allowed")
        self.stack.append(_call(function, _expect(arguments, tuple)))

    def build(self, _argument: Any) -> None:
        # PyTorch hangs `_metadata` (module versions) on its OrderedDict this way: of no use here, so it is dropped.
        state = self.pop()
        if not isinstance(self.stack[-1], dict) or not isinstance(state, dict):
            raise PickleRefusedError(f"its pickle sets the inside of {_describe(self.stack[-1])}, which is not allowed")

    def persistent(self, _argument: Any) -> None:
        self.stack.append(_storage(self.pop()))


_PUSH_ARGUMENT = {
    *("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"),
    *("STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"),
    *("BINBYTES", "SHORT_BINBYTES", "BINBYTES8"),
}
_PUSH_NEW: dict[str, Callable[[], Any]] = {
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
    "EMPTY_DICT": dict,
    "EMPTY_LIST": list,
    "EMPTY_TUPLE": tuple,
    "EMPTY_SET": list,
    "MARK": lambda: _MARK,
}
_HANDLERS: dict[str, Callable[[_Machine, Any], None]] = {
    "TUPLE": _Machine.tuple_to_mark,
    "TUPLE1": lambda machine, _: machine.tuple_of(1),
    "TUPLE2": lambda machine, _: machine.tuple_of(2),
    "TUPLE3": lambda machine, _: machine.tuple_of(3),
    "APPEND": _Machine.append,
    "APPENDS": _Machine.appends,
    "ADDITEMS": _Machine.appends,
    "SETITEM": _Machine.set_item,
    "SETITEMS": _Machine.set_items,
    "GLOBAL": _Machine.global_name,
    "STACK_GLOBAL": _Machine.stack_global,
    "REDUCE": _Machine.reduce,
    "BUILD": _Machine.build,
    "BINPERSID": _Machine.persistent,
}


def _named(module: str, name: str) -> _Name:
    storage = module in ("torch", "torch.cuda") and name in STORAGE_KINDS
    if not storage and (module, name) not in _CALLABLE:
        raise PickleRefusedError(f"it names {module}.{name}, which a checkpoint has no need of; nothing was run")
    return _Name(module, name)


def _call(function: _Name, arguments: tuple[Any, ...]) -> Any:
    called = (function.module, function.name)
    if called == _ORDERED_DICT:
        built: dict[Any, Any] = {}
        for pair in _expect(arguments[0], list) if arguments else []:
            key, value = pair
            _put(built, key, value)
        return built
    if called == _SIZE:
        return _numbers(arguments[0])
    if called == _REBUILD_PARAMETER:
        return _expect(arguments[0], TensorReference)
    storage, offset, shape, stride = arguments[:4]
    return _tensor(_expect(storage, StorageReference), offset, _numbers(shape), _numbers(stride))


def _tensor(storage: StorageReference, offset: Any, shape: tuple[int, ...], stride: tuple[int, ...]) -> TensorReference:
    if len(shape) != len(stride) or len(shape) > MAX_DIMENSIONS:
        raise PickleRefusedError(f"it has a tensor of shape {shape} with strides {stride}")
    start = _count(offset)
    elements = 1
    last = start
    for length, step in zip(shape, stride, strict=True):
        elements *= length
        last += max(length - 1, 0) * step
    # A window may repeat nothing: a few bytes must not become gigabytes by a stride of zero.
    if elements > storage.length or (elements and last >= storage.length):
        raise PickleRefusedError(
            f"it has a tensor of shape {shape}, strides {stride} at {start}, "
            f"which reaches outside of its storage of {storage.length:,} elements"
        )
    return TensorReference(storage, start, shape, stride)


def _storage(identity: Any) -> StorageReference:
    parts = _expect(identity, tuple)
    if len(parts) not in (5, 6) or parts[0] != "storage" or not isinstance(parts[1], _Name):
        raise PickleRefusedError("it refers to something outside that is not a storage of numbers")
    if parts[1].name not in STORAGE_KINDS:
        raise PickleRefusedError(f"it has a storage of the kind {_describe(parts[1])}")
    key, length, view = _expect(parts[2], str), _count(parts[4]), parts[5] if len(parts) == 6 else None
    dtype = STORAGE_KINDS[parts[1].name]
    if view is None:
        return StorageReference(key, dtype, length)
    _view_key, first, view_length = _expect(view, tuple)
    if _count(first) + _count(view_length) > length:
        raise PickleRefusedError("it has a view that reaches outside of its storage")
    return StorageReference(key, dtype, view_length, first)


def _put(target: Any, key: Any, value: Any) -> None:
    if not isinstance(key, (str, int, float, bytes, type(None))):
        raise PickleRefusedError(f"it has a dictionary with the key {_describe(key)}")
    _expect(target, dict)[key] = value


def _expect(value: Any, kind: type[Kind]) -> Kind:
    if not isinstance(value, kind):
        raise PickleRefusedError(f"its pickle is damaged ({_describe(value)} where a {kind.__name__} belongs)")
    return value


def _count(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**48:
        raise PickleRefusedError(f"it has a size or place that is not a sensible number ({str(value)[:40]})")
    return value


def _numbers(value: Any) -> tuple[int, ...]:
    if not isinstance(value, (tuple, list)):
        raise PickleRefusedError(f"it has {_describe(value)} where a shape belongs")
    return tuple(_count(item) for item in value)


def _describe(value: Any) -> str:
    return f"{value.module}.{value.name}" if isinstance(value, _Name) else f"a {type(value).__name__}"
