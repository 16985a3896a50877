# SPDX-License-Identifier: GPL-3.0-or-later
"""The developer's and the newcomer's front door: `python3.11 -m tools`. Standard library only, no bpy."""
