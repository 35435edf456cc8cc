"""PUBLIC. The three descriptors that every process should have, also where who started it has closed them (`2>&-`)."""

import os
import sys


def open_closed() -> None:
    """To nowhere: else the next file or connection would stand where output goes."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free, which is this one
            os.set_inheritable(number, True)
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, "w" if number else "r", closefd=False))  # noqa: SIM115 for good
