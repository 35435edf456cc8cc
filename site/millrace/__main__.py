"""`python -m millrace`: the same as the program `millrace`."""

import sys

from millrace.program import main

sys.exit(main())
