"""One rule taken out of the product: an exact line of its Lua or Python replaced, where it is used and nowhere else."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any, Protocol, cast

from redis.commands.core import Script

from cache_stock import scripts

if TYPE_CHECKING:
    from redis import Redis


class SetAttribute(Protocol):
    """pytest's monkeypatch.setattr."""

    def __call__(self, target: object, name: str, value: object, /) -> None: ...


@dataclass(frozen=True, slots=True)
class LuaLine:
    """A line of lua/<command>.lua, and what stands in its place."""

    command: str
    line: str
    instead: str = ""

    def take_out(self, setattr_: SetAttribute) -> None:
        """Load the command without its line. The line has to be there, once."""
        name = self.command.upper()
        source = cast("Script", getattr(scripts, name)).script
        text = source.decode() if isinstance(source, bytes) else str(source)
        setattr_(scripts, name, Script(cast("Redis", None), replace_once(text, self.line, self.instead).encode()))


@dataclass(frozen=True, slots=True)
class PythonLine:
    """A line of a function of the product, and what stands in its place."""

    module: ModuleType
    function: str
    line: str
    instead: str

    def take_out(self, setattr_: SetAttribute) -> None:
        """Compile the function without its line."""
        before = cast("FunctionType", getattr(self.module, self.function))
        source = replace_once(inspect.getsource(before), self.line, self.instead)
        scope: dict[str, Any] = dict(before.__globals__)
        exec(compile(source, f"<{self.function} without a rule>", "exec"), scope)
        setattr_(self.module, self.function, cast("Callable[..., Any]", scope[self.function]))


def replace_once(text: str, line: str, instead: str) -> str:
    """The text with that line replaced; it must be there exactly once."""
    assert text.count(line) == 1, f"{text.count(line)} times, not once: {line!r}"
    return text.replace(line, instead)


def lua_source(command: str) -> str:
    """The command's file, without the shared part."""
    return (files("cache_stock") / "lua" / f"{command}.lua").read_text()
