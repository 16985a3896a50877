# SPDX-License-Identifier: GPL-3.0-or-later
"""A mirror of packages on this machine alone: it counts what it gives, and stalls or breaks off where it is told to."""

from __future__ import annotations

import random
import sys
import threading
import zipfile
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

_STALL_S = 300.0
"""Longer than any test needs to do what it does meanwhile."""


class Mirror:
    """Wheels in a folder, served to pip.

    given: names of wheels that were asked for, in order. go_on: once this file is there, nothing stalls.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.given: list[str] = []
        self.stalls_at = ""
        self.go_on = folder / ".go_on"
        self.breaks_at = ""
        self.is_let_go = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def settings(self) -> dict[str, str]:
        """Give pip's own settings by which it asks this mirror and nobody else, and waits for it."""
        address = f"http://127.0.0.1:{self._server.server_port}/"
        patience = {"PIP_RETRIES": "0", "PIP_DEFAULT_TIMEOUT": f"{_STALL_S:.0f}"}
        return {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": address, "NO_PROXY": "127.0.0.1", **patience}

    def add(self, name: str, size_bytes: int) -> Path:
        """Make a wheel of about that size with a module of its name."""
        wheel = self.folder / f"{name}-1-py3-none-any.whl"
        with zipfile.ZipFile(wheel, "w") as archive:
            archive.writestr(f"{name}.py", f"NAME = {name!r}\n")
            archive.writestr(f"{name}.bin", random.Random(name).randbytes(size_bytes))
            archive.writestr(f"{name}-1.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n")
            archive.writestr(
                f"{name}-1.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
            )
            archive.writestr(f"{name}-1.dist-info/RECORD", "")
        return wheel

    def lock(self, path: Path, python: str = f"{sys.version_info.major}.{sys.version_info.minor}") -> Path:
        """Write the locked list of all wheels for a Python, as `tools lock` does."""
        wheels = sorted(self.folder.glob("*.whl"))
        size = sum(wheel.stat().st_size for wheel in wheels)
        lines = [f"# Python {python}: {size} bytes to fetch, {self._unpacked_bytes(wheels)} unpacked."]
        for wheel in wheels:
            digest = sha256(wheel.read_bytes()).hexdigest()
            lines += [f"{wheel.name.split('-')[0]}==1 \\", f"    --hash=sha256:{digest}"]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    def _unpacked_bytes(self, wheels: list[Path]) -> int:
        size = 0
        for wheel in wheels:
            with zipfile.ZipFile(wheel) as archive:
                size += sum(member.file_size for member in archive.infolist())
        return size

    def close(self) -> None:
        """Stop serving."""
        self.is_let_go.set()
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        mirror = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                name = self.path.strip("/")
                if name:
                    mirror.given.append(name.split("-")[0])
                    self._send("application/octet-stream", (mirror.folder / name).read_bytes(), name.split("-")[0])
                else:
                    links = "".join(f'<a href="{wheel.name}">{wheel.name}</a>' for wheel in mirror.folder.iterdir())
                    self._send("text/html", f"<!DOCTYPE html><html><body>{links}</body></html>".encode(), "")

            def _send(self, kind: str, body: bytes, name: str) -> None:
                self.send_response(200)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                some = len(body) * 3 // 4  # of 4 MB three: pip holds back less than one, so two or more can be seen
                self.wfile.write(body[:some])
                self.wfile.flush()
                if name and name == mirror.breaks_at:
                    return
                if name and name == mirror.stalls_at and not mirror.go_on.exists():
                    mirror.is_let_go.wait(_STALL_S)
                self.wfile.write(body[some:])

            def log_message(self, *_: object) -> None:
                pass

        return Handler
