# SPDX-License-Identifier: GPL-3.0-or-later
"""Draw the character in the performer's place; one folder an engine."""
