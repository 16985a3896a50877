# SPDX-License-Identifier: GPL-3.0-or-later
"""The worker's command line: one subcommand a function, thin over the pipeline."""
