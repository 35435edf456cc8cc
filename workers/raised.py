"""What a handler raised, as data that is safe to send, store and show."""

import traceback
from types import TracebackType

from workers.messages import ErrorInfo

MESSAGE_BYTES = 4096
TRACEBACK_BYTES = 16_384
LEFT_OUT = "\n... {} bytes left out ...\n"


def describe(error: BaseException, *, hidden_file: str) -> ErrorInfo:
    """The frames of `hidden_file`, which called the handler, are left out at the top of the traceback."""
    return ErrorInfo(
        type=_type_of(error),
        message=clean(_text_of(error), MESSAGE_BYTES),
        traceback=clean(_traceback_of(error, hidden_file), TRACEBACK_BYTES),
    )


def clean(text: str, at_most_bytes: int) -> str:
    """Storable everywhere: no NUL, no lone surrogate; when too long, its beginning and its end."""
    data = str.encode(text, errors="backslashreplace").replace(b"\0", b"\\x00")
    if len(data) > at_most_bytes:
        note = LEFT_OUT.format(len(data) - at_most_bytes).encode()
        head, tail = at_most_bytes // 4, at_most_bytes - at_most_bytes // 4 - len(note)
        data = data[:head] + note + data[-tail:]
    return data.decode(errors="ignore")


def _type_of(error: BaseException) -> str:
    """Never empty: an event without it is refused."""
    try:
        name = clean(type(error).__qualname__, 200)
    except BaseException:  # noqa: BLE001  a metaclass may do anything there
        name = ""
    return name or "Exception"


def _text_of(error: BaseException) -> str:
    try:
        return str(error)
    except BaseException as second:  # noqa: BLE001  a handler's exception may do anything in its __str__
        return f"(its text could not be made: {type(second).__name__})"


def _traceback_of(error: BaseException, hidden_file: str) -> str:
    try:
        shown = _without(error.__traceback__, hidden_file)
        lines = traceback.TracebackException(type(error), error, shown, compact=True).format()
        return "".join(lines)
    except BaseException as second:  # noqa: BLE001  the same
        return f"(its traceback could not be made: {type(second).__name__})"


def _without(frames: TracebackType | None, hidden_file: str) -> TracebackType | None:
    while frames is not None and frames.tb_frame.f_code.co_filename == hidden_file:
        frames = frames.tb_next
    return frames
