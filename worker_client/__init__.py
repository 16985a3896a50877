# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts, hears and stops the worker. Knows neither bpy nor torch, and never waits."""
