# SPDX-License-Identifier: GPL-3.0-or-later
"""What all tests share: Blender's side by its package's name, and patience with property tests.

Property tests are about results: on a busy machine a slow example is no fault.
"""

import sys

from hypothesis import HealthCheck, settings

from tools.as_package import package_folder

sys.path.insert(0, str(package_folder()))
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")
