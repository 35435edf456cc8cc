"""What a fresh machine needs before anything of ours can run: standard library only, except where the .venv exists."""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 this file is what an older Python still reads
    found = ".".join(str(number) for number in sys.version_info[:3])
    sys.stderr.write("error: Millrace needs Python 3.11 or newer (this is " + found + ")\n")
    sys.exit(2)
