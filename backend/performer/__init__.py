# SPDX-License-Identifier: GPL-3.0-or-later
"""Find the people of a shot, track the chosen ones, matte them."""
