# SPDX-License-Identifier: GPL-3.0-or-later
"""Where all panels are: a tab of the sequencer's sidebar."""

from __future__ import annotations

from bpy.types import Panel


class InSequencer(Panel):
    """What every panel is; itself none."""

    bl_space_type = "SEQUENCE_EDITOR"
    bl_region_type = "UI"
    bl_category = "Understudy"
