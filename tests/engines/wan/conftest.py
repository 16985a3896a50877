# SPDX-License-Identifier: GPL-3.0-or-later
"""The Wan engine's tests need torch: `python3.11 -m tools test` runs them in an environment of their own."""

from importlib.util import find_spec

collect_ignore_glob = [] if find_spec("torch") else ["test_*.py"]
