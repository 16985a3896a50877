# SPDX-License-Identifier: GPL-3.0-or-later
"""mediapipe's report of its use does not leave the process. A listener in the proxy's place hears whether it tries."""

import contextlib
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from backend.performer.networks import networks_folder

ROOT = Path(__file__).resolve().parents[2]
_LINGER_S, _PATIENCE_S = 2.0, 60.0
"""How long the process stays after its task is made, for the report goes out beside it; and how long at most it is
waited for where one is to come.
"""
_LOOK_EVERY_S = 0.1

_CREATE_A_TASK = """
import sys, time
from backend.performer import networks
if sys.argv[1] == "as it comes":
    networks.keep_offline = lambda: None
vision = networks.mediapipe().tasks.vision
base = networks.mediapipe().tasks.BaseOptions(model_asset_buffer=networks.network_bytes(networks.Network.FACE))
vision.FaceLandmarker.create_from_options(vision.FaceLandmarkerOptions(base_options=base)).close()
time.sleep(float(sys.argv[2]))
"""


def heard_by_a_proxy(how: str, linger_s: float) -> bytes:
    """Create a task in a process of its own; return the first words that reach the machine's proxy before it ends."""
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        address = f"http://127.0.0.1:{proxy.getsockname()[1]}"
        environment = {**os.environ, "https_proxy": address, "HTTPS_PROXY": address, "no_proxy": "", "NO_PROXY": ""}
        command = [sys.executable, "-c", _CREATE_A_TASK, how, str(linger_s)]
        with subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL) as process:
            proxy.settimeout(_LOOK_EVERY_S)
            while True:
                is_over = process.poll() is not None
                with contextlib.suppress(TimeoutError):
                    connection, _ = proxy.accept()
                    with connection:
                        heard = connection.recv(1000)
                    process.kill()
                    return heard
                if is_over:
                    assert process.returncode == 0
                    return b""


@pytest.mark.skipif(not networks_folder().is_dir(), reason="the networks are not packed")
@pytest.mark.skipif(sys.platform != "linux", reason="how mediapipe reaches the network was looked at on Linux only")
@pytest.mark.parametrize(
    ("how", "linger_s", "words"),
    [("as it comes", _PATIENCE_S, b"CONNECT play.googleapis.com"), ("kept offline", _LINGER_S, b"")],
)
def test_mediapipe_reaches_nobody(how: str, linger_s: float, words: bytes) -> None:
    heard = heard_by_a_proxy(how, linger_s)
    assert heard.startswith(words) and bool(heard) == bool(words)
