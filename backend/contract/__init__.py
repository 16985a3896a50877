# SPDX-License-Identifier: GPL-3.0-or-later
"""What the extension and the worker say to each other: jobs, events, errors. Standard library only."""
