# SPDX-License-Identifier: GPL-3.0-or-later
"""A strip as a clip: rendered by Blender, for no other decoder gives the pixels that the artist sees."""

from __future__ import annotations

import logging
import shutil
import subprocess
import tempfile
from collections import deque
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from ..contract.errors import UnderstudyError
from ..contract.job import Rendering, Shot
from ..contract.layout import FRAME_LINE, REFUSED_LINE
from .ahead import ahead
from .clipinfo import ClipInfo, check_range
from .colour import to_depth
from .images import Pixels, read_picture, rgb_of

log = logging.getLogger(__name__)

_AHEAD_FRAMES = 2
_LAST_LINES = 5


class BlenderMissingError(UnderstudyError):
    """The program that renders a strip's frames can't be started."""

    hint = "Start the job from the Blender that is installed on this machine, or copy the job's stages here with it."

    def __init__(self, program: str) -> None:
        super().__init__(f"The strip's frames have to be rendered by {program}, which can't be started here.")
        self.program = program


class StripNotRenderedError(UnderstudyError):
    """Blender gave fewer frames of a strip than were asked for. said: Blender's own last words."""

    hint = "Render the strip in Blender to see what is wrong with it, or read the job's log."

    def __init__(self, strip: str, said: str) -> None:
        super().__init__(f"The strip {strip} could not be rendered: {said}")
        self.strip, self.said = strip, said


class StripClip:
    """A strip as a clip; see `Clip`. scratch: a folder in which pictures lie until they are read."""

    def __init__(self, shot: Shot, scratch: Path) -> None:
        self._shot, self._scratch = shot, scratch
        self.info = _describe(shot.rendering, Fraction(shot.fps))

    def frames(self, first: int, last: int, depth_bits: int) -> Iterator[Pixels]:
        """Yield frames first..last (inclusive) as RGB of that depth, while Blender renders on.

        Raises FrameRangeError, BlenderMissingError, StripNotRenderedError.
        """
        check_range(self.info, first, last)
        return ahead(self._rendered(f"{first}-{last}", last - first + 1, depth_bits), _AHEAD_FRAMES)

    def frame(self, index: int, depth_bits: int) -> Pixels:
        """Render one frame as RGB of that depth."""
        return next(self.picked((index,), depth_bits))

    def picked(self, indices: tuple[int, ...], depth_bits: int) -> Iterator[Pixels]:
        """Render some frames, and only those, as RGB of that depth."""
        check_range(self.info, indices[0], indices[-1])
        return ahead(self._rendered(",".join(map(str, indices)), len(indices), depth_bits), _AHEAD_FRAMES)

    def _rendered(self, frames: str, count: int, depth_bits: int) -> Iterator[Pixels]:
        folder = Path(tempfile.mkdtemp(prefix="strip-", dir=self._scratch))
        try:
            yield from self._rendered_into(folder, frames, count, depth_bits)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _rendered_into(self, folder: Path, frames: str, count: int, depth_bits: int) -> Iterator[Pixels]:
        done = 0
        with _Blender(self._shot.rendering.command, folder, frames, depth_bits) as blender:
            for path in blender.pictures():
                yield to_depth(rgb_of(read_picture(path)), depth_bits)
                path.unlink()
                done += 1
        if done != count:
            raise StripNotRenderedError(self._shot.source, blender.last_words)


class _Blender:
    """Blender, rendering. It ends itself when its stdin does, so that it never outlives the worker."""

    def __init__(self, command: tuple[str, ...], folder: Path, frames: str, depth_bits: int) -> None:
        words = [*command, "--into", str(folder), "--frames", frames, "--depth", str(depth_bits)]
        try:
            self._process = subprocess.Popen(
                words,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                errors="replace",
            )
        except OSError as error:
            raise BlenderMissingError(command[0]) from error
        self._lines: deque[str] = deque(maxlen=_LAST_LINES)
        self._refusal = ""

    @property
    def last_words(self) -> str:
        """What Blender said against it, or what it said last."""
        return self._refusal or "\n".join(self._lines) or "Blender said nothing."

    def pictures(self) -> Iterator[Path]:
        """Yield every picture that stands, in order."""
        assert self._process.stdout
        for line in self._process.stdout:
            kind, _, rest = line.strip().partition(" ")
            if kind == FRAME_LINE:
                yield Path(rest.partition(" ")[2])
            elif kind == REFUSED_LINE:
                self._refusal = rest
            elif line.strip():
                log.debug("Blender: %s", line.strip())
                self._lines.append(line.strip())
        self._process.wait()

    def __enter__(self) -> _Blender:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()


def _describe(rendering: Rendering, fps: Fraction) -> ClipInfo:
    return ClipInfo(
        width_px=rendering.width_px,
        height_px=rendering.height_px,
        fps=fps,
        frame_count=rendering.frame_count,
        numbers=tuple(range(rendering.scene_first, rendering.scene_first + rendering.frame_count)),
    )
