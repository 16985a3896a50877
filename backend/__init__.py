# SPDX-License-Identifier: GPL-3.0-or-later
"""The worker: makes the replaced shot from a job. It never imports Blender."""
