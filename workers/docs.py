"""A handler's docstring, parted: the text for the page, and what it says of each parameter."""

from collections.abc import Collection

from docstring_parser import ParseError, parse
from docstring_parser.common import Docstring, DocstringRaises, DocstringReturns


def parted(doc: str, names: Collection[str]) -> tuple[str, dict[str, str]]:
    """The text without its section on parameters, and the parameters' descriptions by name.

    Reads the Google, NumPy and Sphinx styles. A text that describes none of `names` stays as it is.
    """
    try:
        read = parse(doc)
    except ParseError:
        return doc, {}
    told = {each.arg_name: " ".join((each.description or "").split()) for each in read.params}
    descriptions = {name: text for name, text in told.items() if name in names and text}
    return (_rest(read), descriptions) if descriptions else (doc, {})


def _rest(read: Docstring) -> str:
    returned = [f"Returns: {each.description}" for each in read.many_returns if each.description]
    raised = [_raised(each) for each in read.raises]
    examples = [f"Example:\n{each.description or each.snippet}" for each in read.examples]
    parts = [read.short_description, read.long_description, *returned, *raised, *examples]
    return "\n\n".join(part for part in parts if part)


def _raised(each: DocstringRaises | DocstringReturns) -> str:
    return f"Raises `{each.type_name}`: {each.description or ''}".rstrip(": ")
