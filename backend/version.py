# SPDX-License-Identifier: GPL-3.0-or-later
"""The program's version; `blender_manifest.toml` and `pyproject.toml` say the same, and a test holds them to it."""

VERSION = "0.1.0"
