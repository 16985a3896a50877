# SPDX-License-Identifier: GPL-3.0-or-later
"""The Wan engine: Wan 2.2 Animate-14B in torch."""
