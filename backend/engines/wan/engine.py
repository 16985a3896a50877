# SPDX-License-Identifier: GPL-3.0-or-later
"""The Wan engine: Wan 2.2 Animate-14B, from tracks, mattes and plate to straight RGBA frames."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar, cast

import cv2
import numpy as np
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor

from ...contract.job import Fit, Mode
from ...contract.watch import Watch
from ...media.colour import to_depth
from ...media.images import Pixels, write_picture
from ...media.sequence import Sequence, SequenceWriter
from ...performer.tracks import Tracks
from ..base import Ability, Finding, Inputs, Plan, ShotSize
from .budget import Work, seconds_of
from .character import background_of, framed_tracks, picture_of, prepare_character, words_of
from .colours import follow_colours
from .conditioning import WindowFrames, signed
from .driving import Driving, Size, generated_size
from .examination import examine
from .generate import Character, Drawing, Models, Recipe, describe, noises
from .loading import Networks, numbers_text
from .preview import Preview, fit_preview
from .reference import letterboxed, target_size
from .settings import WanSettings, Windows
from .silhouette import Matte, StopOnly, silhouettes
from .vae import GROUP_FRAMES
from .windows import Window, WindowPlan, fitted_plan, official_plan

_CARRIED = "carried.safetensors"
_FRAMES_WRITTEN_BYTES = 3
"""A pixel of a frame on disk, RGBA as PNG, of noisy footage."""
_PREVIEW_FRAMES = 5
"""So many frames of what drives a window teach its preview colours: one latent frame, and one of four."""


@dataclass(frozen=True, slots=True)
class _Scene:
    """What is at hand for one performer."""

    driving: Driving
    size: Size
    plan: WindowPlan
    character: Character
    models: Models


class WanEngine:
    """Generates the character with a video diffusion model. Each window goes on from the one before it."""

    name: ClassVar[str] = "wan"
    version: ClassVar[int] = 1
    abilities: ClassVar[frozenset[Ability]] = frozenset(Ability)

    def __init__(self, settings: WanSettings) -> None:
        self._settings = settings
        self._opened: tuple[Mode, Networks] | None = None
        self._described: tuple[tuple[Path, Work], tuple[Character, Models]] | None = None

    def plan(self, size: ShotSize, mode: Mode) -> Plan:
        """Cut the shot into windows, and count what they take.

        Raises what is wrong with the models folder, BudgetTooSmallError, VideoTooLargeError.
        """
        settings, networks = self._settings, self._networks(mode)
        windows, size_px = self._windows(size.frame_count), target_size(size.width_px, size.height_px, settings.area_px)
        work, dtype, device = self._work(windows, Size(*size_px)), networks.dtype, networks.device
        seconds = seconds_of(work, networks.transformer_config, networks.vae_config, dtype, device)
        shares = networks.shares(work)
        shares.require()
        spans = (windows.delivered(window) for window in windows.windows)
        is_scaled = mode is Mode.REPLACE and size_px != (size.width_px, size.height_px)
        return Plan(
            windows=tuple((span.start, span.stop - 1) for span in spans),
            is_chained=True,
            seconds=seconds,
            peak_memory_bytes=shares.peak_bytes,
            disk_bytes=size.frame_count * size.width_px * size.height_px * _FRAMES_WRITTEN_BYTES,
            remarks=(
                f"Generated at {size_px[0]} x {size_px[1]} in {len(work.windows)} windows of {settings.steps} steps, "
                f"{windows.generated_frames} frames for {size.frame_count}, on {device} in "
                f"{numbers_text(settings, dtype)}.",
                *(["The character is brought from there to the shot's size; the plate is not."] if is_scaled else []),
            ),
        )

    def examine(self) -> tuple[Finding, ...]:
        """Tell of device, files, and what a window would take."""
        return tuple(examine(self._settings))

    def files(self, mode: Mode) -> tuple[Path, ...]:
        """Name the weights. Raises what is wrong with the models folder."""
        return self._networks(mode).files

    def prepare(self, picture: Path, mirror: bool, into: Path, watch: Watch) -> None:
        """Keep the picture and the pose in it. Raises PictureUnreadableError."""
        prepare_character(picture, mirror, into, watch)

    def describe(self, character: Path) -> tuple[str, ...]:
        """Word what was found in the picture."""
        return words_of(character)

    def background(self, picture: Path, mirror: bool, character: Path) -> Pixels:  # noqa: ARG002
        """Give the picture itself: the model draws the background anew from it, and covers all of it."""
        return background_of(character)

    def driving_tracks(self, inputs: Inputs) -> Tracks:
        """Give the performer's tracks; in animate mode as the whole frame fits into the picture's."""
        if inputs.mode is Mode.REPLACE:
            return inputs.tracks
        return framed_tracks(inputs.tracks, inputs.frames[0].shape[:2], inputs.plate[0].shape[:2])

    def foresee(self, inputs: Inputs, watch: Watch) -> None:
        """Notice what of the fit and the LoRAs has no effect."""
        if inputs.fit.head_size != Fit().head_size:
            watch.notice("head_size_unused", "Head size has no effect with the Wan engine: the model shapes the head.")
        for remark in self._networks(inputs.mode).remarks():
            watch.notice("lora_keys_unmatched", remark)

    def generate(self, inputs: Inputs, first: int, last: int, into: Path, watch: Watch) -> None:
        """Generate one window, and leave in the folder what the next one goes on from."""
        scene = self._scene(inputs)
        window = next(each for each in scene.plan.windows if scene.plan.delivered(each).start == first)
        shown = scene.plan.source_frames(window)
        driven = scene.driving.window(shown)
        listener = Listener(watch, _preview(scene, driven), shown)
        drawing = Drawing(scene.models, scene.character, self._recipe(inputs.seed), listener)
        noise = islice(noises(scene.plan, scene.size.width_px, scene.size.height_px, inputs.seed), window.index, None)
        before = load_file(inputs.before / _CARRIED)["frames"] if inputs.before else None
        frames = drawing.window(window, driven, before, next(noise))
        save_file({"frames": frames[:, -self._settings.overlap :].contiguous()}, into / _CARRIED)
        colours = follow_colours(frames, driven, inputs.before, into, watch)
        if self._settings.correct_drift:
            frames = colours.corrected(frames)
        drawn = frames[:, window.carried_frames :][:, : last - first + 1]
        self._deliver(inputs, scene, drawn, first, into, watch)

    def _windows(self, frame_count: int) -> WindowPlan:
        plan = fitted_plan if self._settings.windows is Windows.FITTED else official_plan
        return plan(frame_count, self._settings.overlap, self._settings.longest_window)

    def _work(self, windows: WindowPlan, size: Size) -> Work:
        return Work(
            windows=tuple(window.length_frames for window in windows.windows),
            width_px=size.width_px,
            height_px=size.height_px,
            steps=self._settings.steps,
            ways=2 if self._settings.guidance > 1 else 1,
        )

    def _recipe(self, seed: int) -> Recipe:
        settings = self._settings
        return Recipe(
            solver=settings.solver, steps=settings.steps, shift=settings.shift, guidance=settings.guidance, seed=seed
        )

    def _networks(self, mode: Mode) -> Networks:
        """Open the models folder once for all windows of a job."""
        if self._opened is None or self._opened[0] is not mode:
            self._opened, self._described = (mode, Networks(self._settings, mode)), None
        return self._opened[1]

    def _scene(self, inputs: Inputs) -> _Scene:
        size, networks = generated_size(inputs, self._settings.area_px), self._networks(inputs.mode)
        plan = self._windows(len(inputs.frames))
        described = self._character(inputs, networks, self._work(plan, size))
        driving = Driving(inputs, size, self._settings, networks.transformer_config.face.picture_size_px)
        return _Scene(driving=driving, size=size, plan=plan, character=described[0], models=described[1])

    def _character(self, inputs: Inputs, networks: Networks, work: Work) -> tuple[Character, Models]:
        """Describe a character once for all its windows; text and image networks go before the transformer comes."""
        wanted = inputs.character, work
        if self._described is None or self._described[0] != wanted:
            recipe, self._described = self._recipe(inputs.seed), None
            picture = letterboxed(picture_of(inputs.character), work.width_px, work.height_px)
            text, *opposite = networks.texts(with_negative=recipe.guidance > 1)
            look, models = networks.look(picture), networks.models(work)
            described = describe(models, picture, look, text, opposite[0] if opposite else None, recipe)
            self._described = wanted, (described, models)
        return self._described[1]

    def _deliver(self, inputs: Inputs, scene: _Scene, drawn: Tensor, first: int, into: Path, watch: Watch) -> None:
        """Bring generated frames `3 n h w` to the shot's size and write them with their coverage."""
        count, plate = drawn.shape[1], inputs.plate[first]
        pictures = (_picture(drawn[:, index], plate) for index in range(count))
        if inputs.mode is Mode.ANIMATE:
            top = np.iinfo(plate.dtype).max
            covered = ((picture, np.full(plate.shape[:2], top, plate.dtype)) for picture in pictures)
            _write(covered, count, first, into, watch)
            return
        regions = scene.driving.regions(list(range(first, first + count)))
        with TemporaryDirectory(dir=into) as folder:
            whole = _kept(pictures, count, Path(folder) / "frames")
            mattes = silhouettes(whole, _enlarged(regions, plate.shape[:2]), Path(folder), StopOnly(watch))
            covered = ((whole[index], matte) for index, matte in enumerate(_told(mattes, watch)))
            _write(covered, count, first, into, watch)


def _preview(scene: _Scene, driven: WindowFrames) -> Preview:
    """Take the tiny VAE, or else fit the map from latents to colours to what drives this window, with the character."""
    if scene.models.tiny_vae is not None:
        return scene.models.tiny_vae
    clip = signed((driven.pose if driven.plate is None else driven.plate.frames)[:_PREVIEW_FRAMES])
    latents = scene.character.latents.cpu()
    pairs = ((scene.models.encode(clip).cpu(), clip), (latents, scene.models.vae.decode(latents, scene.models.strips)))
    return fit_preview(pairs)


class Listener:
    """Passes a window's progress on to the job. shown: the shot's frame for each frame of the window."""

    def __init__(self, watch: Watch, preview: Preview, shown: list[int]) -> None:
        self._watch, self._preview, self._shown = watch, preview, shown

    def check_stop(self) -> None:
        """Stop when the job does."""
        self._watch.check_stop()

    def stepped(self, window: Window, step: int, steps: int, latents: Tensor) -> None:  # noqa: ARG002
        """Show the middle latent frame as the last pixel frame that it stands for."""
        self._watch.steps_done(step, steps)
        middle = latents.shape[1] // 2
        to_the_middle, frame = latents[:, : middle + 1], self._shown[GROUP_FRAMES * middle]
        self._watch.show(frame, lambda path: write_picture(path, _bytes(self._preview.last_frame(to_the_middle))))


def _bytes(frame: Tensor) -> NDArray[np.uint8]:
    """Turn `3 h w` of -1..1 into an 8-bit picture."""
    return np.asarray(((frame + 1) * 127.5).round().clamp(0, 255).byte().movedim(0, -1).cpu().numpy(), np.uint8)


def _picture(frame: Tensor, like: Pixels) -> Pixels:
    """Bring a frame `3 h w` of -1..1 to the size and depth of a picture."""
    top = np.iinfo(like.dtype).max
    colours: NDArray[np.floating] = (frame.movedim(0, -1).cpu().numpy() + 1) / 2
    size = like.shape[1], like.shape[0]
    if colours.shape[:2] != like.shape[:2]:
        shrinks = colours.shape[0] > like.shape[0]
        how = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
        colours = np.asarray(cv2.resize(colours, size, interpolation=how), np.float32)
    return cast(Pixels, (np.clip(colours, 0, 1) * top + 0.5).astype(like.dtype))


def _enlarged(regions: NDArray[np.uint8], shape: tuple[int, ...]) -> NDArray[np.uint8]:
    size = shape[1], shape[0]
    return np.stack([np.asarray(cv2.resize(region, size, interpolation=cv2.INTER_NEAREST)) for region in regions])


def _kept(pictures: Iterator[Pixels], count: int, folder: Path) -> Sequence:
    with SequenceWriter(folder) as writer:
        for index, picture in enumerate(pictures):
            writer.write(index, picture)
    return Sequence(folder, count)


def _told(mattes: Iterator[tuple[Matte, bool]], watch: Watch) -> Iterator[Matte]:
    """Pass mattes on, and tell how many were not found."""
    missed = 0
    for matte, was_found in mattes:
        missed += not was_found
        yield matte
    if missed:
        watch.notice(
            "generated_matte_unfound",
            f"In {missed} generated frames of a window nobody was found: the softened region that the model was given "
            "is the matte there. Look at these edges, or give a matte of your own.",
        )


def _write(covered: Iterable[tuple[Pixels, Pixels]], count: int, first: int, into: Path, watch: Watch) -> None:
    """Write straight RGBA of the pictures' depth, colour 0 where nothing is covered."""
    with SequenceWriter(into) as writer:
        for index, (picture, matte) in enumerate(covered):
            alpha = to_depth(matte, 8 * picture.dtype.itemsize)[..., None]
            writer.write(first + index, cast(Pixels, np.concatenate([picture * (alpha > 0), alpha], axis=2)))
            watch.frames_done(index + 1, count)
