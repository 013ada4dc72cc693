"""What a function's code refers to: read from its bytecode, so that comments do not count."""

import dis
import functools
import inspect
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType
from typing import Final

_NOTHING: Final = object()
_NAMES: Final = {"LOAD_GLOBAL", "LOAD_NAME", "LOAD_DEREF", "LOAD_CLASSDEREF"}
_ATTRIBUTES: Final = {"LOAD_ATTR", "LOAD_METHOD"}
_PADDING: Final = {"EXTENDED_ARG", "CACHE"}


def references(start: object) -> Iterator[object]:
    """Yield what `start`, a function or class, refers to, and what the project's own code in turn.

    A name counts wherever it stands in the code, whether or not that branch is ever reached. The
    trap: what a function is given (an argument, an attribute of one) is not known here.
    """
    seen: set[CodeType] = set()
    pending = [start]
    while pending:
        for function in _functions_of(pending.pop()):
            if function.__code__ in seen or not _is_the_projects(function.__code__.co_filename):
                continue
            seen.add(function.__code__)
            for referred in _referred(function):
                yield referred
                pending.append(referred)


def _functions_of(thing: object) -> Iterator[FunctionType]:
    """Yield the functions that run, or may run, where `thing` is called."""
    while isinstance(thing, functools.partial):
        thing = thing.func
    if isinstance(thing, staticmethod | classmethod | MethodType):
        thing = thing.__func__
    if isinstance(thing, FunctionType):
        unwrapped = inspect.unwrap(thing)
        yield from {thing, unwrapped} if isinstance(unwrapped, FunctionType) else {thing}
    elif isinstance(thing, type):
        # Which methods of its instances are called is not known: all of them may be.
        if not hasattr(thing, "__table__"):
            yield from (member for member in vars(thing).values() if inspect.isfunction(member))
    elif not isinstance(thing, ModuleType | BuiltinFunctionType):
        call = inspect.getattr_static(type(thing), "__call__", None)
        if isinstance(call, FunctionType):
            yield call


@functools.cache
def _is_the_projects(file: str) -> bool:
    """Return whether a file is neither installed nor Python's own."""
    path = Path(file)
    if {"site-packages", "dist-packages"} & set(path.parts) or not path.is_absolute():
        return False
    return not path.is_relative_to(sysconfig.get_path("stdlib"))


@functools.cache  # many routes call the same functions
def _referred(function: FunctionType) -> tuple[object, ...]:
    names = {**function.__globals__, **_closure(function)}
    return tuple(
        referred for code in _nested(function.__code__) for referred in _referred_by(code, names)
    )


def _closure(function: FunctionType) -> Mapping[str, object]:
    found = {}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            found[name] = cell.cell_contents
        except ValueError:  # still empty
            continue
    return found


def _nested(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _nested(constant)


def _referred_by(code: CodeType, names: Mapping[str, object]) -> Iterator[object]:
    """Follow each chain of a name and its attributes, such as `crud.items.read`."""
    current: object = _NOTHING
    module: object = _NOTHING
    for instruction in dis.get_instructions(code):
        if instruction.opname in _PADDING:
            continue
        if instruction.opname in _NAMES:
            current = names.get(instruction.argval, _NOTHING)
        elif instruction.opname in _ATTRIBUTES and current is not _NOTHING:
            current = _attribute(current, instruction.argval)
        elif instruction.opname == "IMPORT_NAME":
            module = sys.modules.get(instruction.argval, _NOTHING)
            current = _NOTHING
        elif instruction.opname == "IMPORT_FROM" and module is not _NOTHING:
            current = _attribute(module, instruction.argval)
        else:
            current = _NOTHING
        if current is not _NOTHING:
            yield current


def _attribute(holder: object, name: str) -> object:
    """Look an attribute up without running a property."""
    if isinstance(holder, ModuleType):  # it has none, and may import a name when it is first used
        return getattr(holder, name, _NOTHING)
    return inspect.getattr_static(holder, name, _NOTHING)
