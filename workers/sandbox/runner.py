"""Runs a text of Python as a notebook runs a cell: its value is that of its last expression, if it ends with one."""

import ast
import linecache
import sys
import types
from collections import deque
from typing import Any

from workers.sandbox.explained import explain

NAME = "<code>"
MOST_FRAMES = 1_000


def run(source: str) -> Any:
    """In a `__main__` of its own. Whatever the code raises, SyntaxError included, is shown with its own lines alone."""
    lines = source.splitlines(keepends=True)
    linecache.cache[NAME] = (len(source), None, lines, NAME)
    try:
        return _run(source)
    except BaseException as error:
        explain(error)
        _keep_own_lines(error)
        raise


def _run(source: str) -> Any:
    module = types.ModuleType("__main__")
    sys.modules["__main__"] = module
    sys.argv = [NAME]
    tree = ast.parse(source, NAME)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, NAME, "exec", dont_inherit=True), module.__dict__)  # noqa: S102  what the sandbox is for
    if not isinstance(last, ast.Expr):
        return None
    expression = ast.Expression(last.value)
    return eval(compile(expression, NAME, "eval", dont_inherit=True), module.__dict__)  # noqa: S307


def _keep_own_lines(error: BaseException) -> None:
    """In it and in those that led to it: what libraries did below says less than the line that called them."""
    seen: set[int] = set()
    following: list[BaseException | None] = [error]
    while following:
        each = following.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        # Not through the object, whose class may have other ideas.
        BaseException.with_traceback(each, _own_lines(each))
        following += [_of(each, "__cause__"), _of(each, "__context__")]


def _own_lines(error: BaseException) -> types.TracebackType | None:
    first: list[types.TracebackType] = []
    last: deque[types.TracebackType] = deque(maxlen=MOST_FRAMES)  # of millions, when the code has raised its limit
    frame = _of(error, "__traceback__")
    while frame is not None:
        if frame.tb_frame.f_code.co_filename == NAME:
            (first if len(first) < MOST_FRAMES else last).append(frame)
        frame = frame.tb_next
    own = None
    for frame in reversed([*first, *last]):
        own = types.TracebackType(own, frame.tb_frame, frame.tb_lasti, frame.tb_lineno)
    return own


def _of(error: BaseException, attribute: str) -> Any:
    return BaseException.__dict__[attribute].__get__(error)
