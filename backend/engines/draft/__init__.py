# SPDX-License-Identifier: GPL-3.0-or-later
"""The draft engine: a mesh puppet on the CPU."""
