# SPDX-License-Identifier: GPL-3.0-or-later
"""What the artist asks for, as a job in a folder: read from the active strip and the scene's settings."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import bpy
from bpy.types import Context, Image, Scene

from ..backend.contract import layout
from ..backend.contract.errors import FileMissingError, UnderstudyError
from ..backend.contract.job import (
    Casting,
    Delivery,
    Fit,
    Job,
    Mode,
    Pass,
    PerformerChoice,
    Shadow,
    Shot,
)
from ..backend.contract.jobfolder import job_folder, make_folder, new_job_id, write_job
from ..preferences import PACKAGE, models_folder_or_none
from ..properties import UNDERSTUDY_PG_casting, UNDERSTUDY_PG_settings, castings_of, settings_of
from ..sequencer.compat import content_start
from ..sequencer.extent import Extent, frames_within
from ..sequencer.place import PlaceAs
from ..sequencer.shot import Pixels, StripMissingError, StripShot, default_pixels, read_shot, rendering_of, save_copy
from ..sequencer.take import source_id
from .corrections import read_corrections
from .engine import engine_settings
from .focus import active_strip_or_none, scene_of
from .performer import choice_of, mark_of
from .placing import Placing, keep_placing

if TYPE_CHECKING:
    from bpy.types import Strip

BLEND = "shot.blend"
"""In a job's folder: the copy of the .blend from which its strips are rendered."""
_NEEDED = {PlaceAs.COMP: (Pass.COMP,), PlaceAs.LAYERS: (Pass.CHARACTER, Pass.PLATE)}
"""Passes without which results can't be placed so: delivered whether or not they are chosen."""
_CHARACTER = "character_{}.png"


class NoCharacterError(UnderstudyError):
    """No picture was chosen for a performer."""

    hint = "Choose a picture in the Character panel."

    def __init__(self) -> None:
        super().__init__("There is no character yet.")


class CharacterNotSavedError(UnderstudyError):
    """A packed or painted picture could not be written beside the job."""

    hint = "Save the picture as a file and choose that."

    def __init__(self, name: str, said: str) -> None:
        super().__init__(f"The picture {name} could not be written: {said}")
        self.name = name


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A job that stands in its folder, and may be started. characters: names of the pictures, as they are cast."""

    folder: Path
    job: Job
    placing: Placing
    characters: tuple[str, ...]

    @property
    def frames(self) -> range:
        """Give the scene frames that go in."""
        return range(self.placing.scene_first, self.placing.scene_first + self.job.shot.rendering.frame_count)

    @property
    def shown(self) -> tuple[str, range]:
        """Give the shot's mark and the frames that go in, counted from where the strip's content starts."""
        first, rendering = self.placing.content_first, self.job.shot.rendering
        mark = mark_of(self.placing.source_id, rendering.width_px, rendering.height_px)
        return mark, range(first, first + len(self.frames))

    def is_at_playhead(self, context: Context) -> bool:
        """Tell whether the scene shows one of the frames that go in."""
        return scene_of(context).frame_current in self.frames

    def frame_at_playhead(self, context: Context) -> int:
        """Tell which frame of the shot the scene shows now; its first or last if the playhead is outside."""
        return min(max(scene_of(context).frame_current, self.frames[0]), self.frames[-1]) - self.frames[0]


def take_order(context: Context, kind: str = layout.JOBS, *, needs_character: bool = True) -> Order:
    """Write the job that replaces the active strip's performers. kind: see `job_folder`.

    The only thing here that may take a moment is saving a copy of the .blend. Raises an UnderstudyError for the first
    thing that will not do.
    """
    scene, strip = scene_of(context), active_strip_or_none(context)
    settings, shot = settings_of(scene), shot_of(context)
    assert strip is not None, "shot_of has refused it"
    castings = castings_of(settings) if needs_character else []
    source, shown = source_id(strip), frames_within(scene, strip, Extent.STRIP)
    for casting in castings:
        _check_character(casting)
    choices = [choice_of(casting, shot, source) for casting in castings]
    corrections = [read_corrections(scene, casting, shot, source, shown, Mode(settings.mode)) for casting in castings]
    deliveries = delivery_folder(settings)
    job_id = new_job_id()
    folder = job_folder(deliveries, job_id, kind)
    make_folder(folder)
    blend = save_copy(folder / BLEND)
    cast = [
        _casting(casting, choice, folder / _CHARACTER.format(number))
        for number, (casting, choice) in enumerate(zip(castings, choices, strict=True), start=1)
    ]
    job = Job(
        id=job_id,
        mode=Mode(settings.mode),
        shot=_shot(shot, blend),
        cast=tuple(each.laid_on(casting, blend) for each, casting in zip(corrections, cast, strict=True)),
        delivery=_delivery(settings, shot, os.path.relpath(deliveries, folder)),
        shadow=Shadow(settings.shadow),
        engine=settings.engine,
        settings=engine_settings(settings, models_folder_or_none(context)),
        seed=settings.seed,
    )
    placing = Placing(
        blend=bpy.data.filepath,
        scene=scene.name,
        strip=shot.strip,
        source_id=source,
        source_start=content_start(strip),
        scene_first=shot.first,
        pixels=shot.pixels,
        how=PlaceAs(settings.placing),
        extent=Extent(settings.extent),
    )
    write_job(folder, job)
    keep_placing(folder, placing)
    characters = tuple(casting.character.name for casting in castings)
    return Order(folder=folder, job=job, placing=placing, characters=characters)


def shot_of(context: Context) -> StripShot:
    """Read the active strip, or what is chosen of it, as a shot. Raises what `frames_of` and `read_shot` raise."""
    scene, strip = scene_of(context), active_strip_or_none(context)
    wish = settings_of(scene).pixels
    if strip is None:
        raise StripMissingError
    frames = frames_of(scene, strip)
    pixels = default_pixels(strip) if wish == "auto" else Pixels(wish)
    return read_shot(scene, strip, pixels, frames[0], frames[-1])


def frames_of(scene: Scene, strip: Strip) -> range:
    """Say which scene frames of a strip go in. Raises what `frames_within` raises."""
    settings = settings_of(scene)
    own = range(settings.own_first, settings.own_last + 1)
    return frames_within(scene, strip, Extent(settings.extent), own)


def delivery_folder(settings: UNDERSTUDY_PG_settings) -> Path:
    """Say where versions go: the artist's folder, or the user's own while a .blend that it hangs on is not saved."""
    if is_homeless(settings):
        return Path(bpy.utils.extension_path_user(PACKAGE, path="deliveries", create=True))
    return Path(bpy.path.abspath(settings.folder)).absolute()


def is_homeless(settings: UNDERSTUDY_PG_settings) -> bool:
    """Whether the artist's folder hangs on a .blend that was never saved, or there is none."""
    return not settings.folder or (settings.folder.startswith("//") and not bpy.data.filepath)


def work_folder(scene: Scene) -> Path:
    """Say where a scene's jobs are kept."""
    return delivery_folder(settings_of(scene)) / layout.WORK


def _shot(shot: StripShot, blend: Path) -> Shot:
    return Shot(source=shot.strip, fps=shot.fps, rendering=rendering_of(shot, blend))


def _casting(casting: UNDERSTUDY_PG_casting, choice: PerformerChoice, copy: Path) -> Casting:
    fit = Fit(
        scale=casting.scale,
        offset_x=casting.offset[0],
        offset_y=casting.offset[1],
        ground_offset=casting.ground_offset,
        mirror=casting.mirror,
        head_size=casting.head_size,
    )
    picture = _picture(casting.character, copy)
    return Casting(character=str(picture), performer=choice, fit=fit)


def _check_character(casting: UNDERSTUDY_PG_casting) -> None:
    """Refuse what is missing before anything is written. Raises NoCharacterError, FileMissingError."""
    if casting.character is None:
        raise NoCharacterError
    path = _file_or_none(casting.character)
    if path is not None and not path.is_file():
        raise FileMissingError(path, "character picture")


def _picture(image: Image, copy: Path) -> Path:
    """Name the picture's file; one that is packed, painted or generated is written beside the job first.

    Raises CharacterNotSavedError.
    """
    path = _file_or_none(image)
    if path is not None:
        return path
    try:
        image.save(filepath=str(copy), save_copy=True)
    except RuntimeError as error:
        raise CharacterNotSavedError(image.name, str(error).strip()) from error
    return copy


def _file_or_none(image: Image) -> Path | None:
    """Name the file that shows the picture as it is."""
    if image.source != "FILE" or image.is_dirty or image.packed_file is not None:
        return None
    return Path(bpy.path.abspath(image.filepath, library=image.library))


def delivery_name(settings: UNDERSTUDY_PG_settings, strip: str) -> str:
    """Give the name of a shot's files: the one that was given, or the strip's, without what files can't bear."""
    return bpy.path.clean_name(settings.name or Path(strip).stem)


def _delivery(settings: UNDERSTUDY_PG_settings, shot: StripShot, folder: str) -> Delivery:
    return Delivery(
        folder=folder,
        name=delivery_name(settings, shot.strip),
        passes=tuple(name for name in Pass if name in settings.passes or name in _NEEDED[PlaceAs(settings.placing)]),
        depth_bits=int(settings.depth),
        first_number=settings.first_number,
    )
