# SPDX-License-Identifier: GPL-3.0-or-later
"""Property tests are about results: on a busy machine a slow example is no fault."""

from hypothesis import HealthCheck, settings

settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")
