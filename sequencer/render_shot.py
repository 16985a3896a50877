# SPDX-License-Identifier: GPL-3.0-or-later
"""The script that a Blender in the background runs: it loads the extension around it; `rendering.py` does the rest.

It runs outside of any package. The extension's folder may be called anything, so the package is made from its path.
"""

import os
import sys
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

_PACKAGE = "understudy_in_background"


def _load_package() -> None:
    root = Path(__file__).resolve().parents[1]
    spec = spec_from_file_location(_PACKAGE, root / "__init__.py", submodule_search_locations=[str(root)])
    assert spec is not None
    assert spec.loader is not None
    sys.modules[_PACKAGE] = module_from_spec(spec)
    spec.loader.exec_module(sys.modules[_PACKAGE])


if __name__ == "__main__":
    _load_package()
    code = import_module(f"{_PACKAGE}.sequencer.rendering").main(sys.argv[sys.argv.index("--") + 1 :])
    sys.stdout.flush()
    os._exit(code)  # Blender's own end now and then crashes or never comes; all that was asked for stands
