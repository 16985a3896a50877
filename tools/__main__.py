# SPDX-License-Identifier: GPL-3.0-or-later
"""`python3.11 -m tools COMMAND`: set up what a command needs, then run it. Without a command, list them.

This file is also read by older Pythons, to say so: what is newer stands in `commands.py`.
"""

from __future__ import annotations

import sys

if __name__ == "__main__":
    if sys.version_info < (3, 11):  # noqa: UP036
        sys.exit("This needs Python 3.11 or newer. Start it with one: python3.11 -m tools")

    from .commands import main

    sys.exit(main(sys.argv[1:]))
