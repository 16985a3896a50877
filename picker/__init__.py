# SPDX-License-Identifier: GPL-3.0-or-later
"""Who stands where on the sequencer's canvas: geometry for boxes that are drawn and clicked. No bpy."""
