# SPDX-License-Identifier: GPL-3.0-or-later
"""The Python environment of an engine that needs more than Blender has: made from a locked list, and looked at."""
