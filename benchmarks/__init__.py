# SPDX-License-Identifier: GPL-3.0-or-later
"""What is measured, and against whom. Prints tables, asserts nothing: `python -m benchmarks --help`."""
