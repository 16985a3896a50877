# SPDX-License-Identifier: GPL-3.0-or-later
"""The Video Sequencer, read and written: a strip as a shot, its rendering, results as strips, the comp set-up."""
