# SPDX-License-Identifier: GPL-3.0-or-later
"""Stages, their store on disk, and the run of a job."""
