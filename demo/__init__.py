# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo shot that the program makes for itself: a rendered performer with known truth, and a rendered character."""
