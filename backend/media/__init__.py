# SPDX-License-Identifier: GPL-3.0-or-later
"""Frames in, sequences out, colour."""
