# SPDX-License-Identifier: GPL-3.0-or-later
"""Nothing of the artist's leaves the machine: mediapipe would report its use, and is given no way out."""

from __future__ import annotations

import os

_NO_WAY_OUT = "nowhere://"
_PROXIES = ("https_proxy", "http_proxy", "all_proxy")
_EXCEPTIONS = "no_proxy"


def keep_offline() -> None:
    """Lead this process's curl to a proxy that can't exist. Call it before mediapipe's library is loaded.

    mediapipe's wheels after 0.10.21 tell play.googleapis.com of every task that is created, by a curl of their own, and
    have no switch for it (google-ai-edge/mediapipe, issue 6291). That curl obeys the usual variables; a proxy of a kind
    that it does not know makes it give up before it opens a connection or asks for a name
    (`test_mediapipe_reaches_nobody`).
    """
    for name in _PROXIES:
        os.environ[name] = os.environ[name.upper()] = _NO_WAY_OUT
    for name in (_EXCEPTIONS, _EXCEPTIONS.upper()):
        os.environ.pop(name, None)
