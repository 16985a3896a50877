# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of a plate, in figures that an artist is told and a sidecar keeps."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from .camera import CameraKind


@dataclass(frozen=True, slots=True, kw_only=True)
class PlateReport:
    """invented_percent: per frame, the share of the hole that no other frame shows; 0 where there is no hole.

    overall_invented_percent: of all hole pixels of the shot. segments: parts of the shot that share no camera.
    """

    camera: CameraKind
    segments: int
    invented_percent: tuple[float, ...]
    overall_invented_percent: float

    def save(self, path: Path) -> None:
        """Write as JSON."""
        path.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> PlateReport:
        """Read what `save` wrote."""
        data = json.loads(path.read_text(encoding="utf-8"))
        percents = tuple(data.pop("invented_percent"))
        return cls(camera=CameraKind(data.pop("camera")), invented_percent=percents, **data)
