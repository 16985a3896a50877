# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import errno
import json
import multiprocessing
import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from backend.contract.disk import DiskFullError, FolderReadOnlyError
from backend.contract.errors import StoppedError, UnderstudyError
from backend.contract.job import Casting, Delivery, Job, Mode, Pass, Shot
from backend.contract.watch import Unwatched
from backend.media import images
from backend.media.deliver import DeliveredVersion, Layers, Making, deliver, read_sidecar_job
from backend.media.images import Pixels, read_picture
from backend.media.sequence import Sequence, SequenceWriter

from ..painted import painted, painted_number

SIZE = (32, 24)


def job_of(name: str = "shot", *, depth_bits: int = 8, passes: tuple[Pass, ...] = tuple(Pass)) -> Job:
    return Job(
        id=f"job-{name}",
        mode=Mode.REPLACE,
        shot=Shot(source="clip.mp4"),
        cast=(Casting(character="hero.png"),),
        delivery=Delivery(folder="..", name="shot", depth_bits=depth_bits, passes=passes),
    )


def write_sequence(folder: Path, pictures: list[np.ndarray]) -> Sequence:
    with SequenceWriter(folder) as writer:
        for index, picture in enumerate(pictures):
            writer.write(index, picture)
    return Sequence(folder, len(pictures))


def layers_of(folder: Path, count: int, bits: int = 8) -> Layers:
    """A plate that differs from the painted source in a hole, and a soft character that hangs over the hole's edge."""
    random = np.random.default_rng(7)
    scale = 1 if bits == 8 else 257
    source = [painted(n, *SIZE).astype(f"uint{bits}") * scale for n in range(count)]
    hole = np.zeros(SIZE[::-1], np.uint8)
    hole[6:11, 10:20] = 255  # between the middles of the painted blocks
    plates = [np.where(hole[..., None] > 0, 255 * scale - picture, picture) for picture in source]
    characters = []
    for _ in range(count):
        rgba = np.zeros((*SIZE[::-1], 4), f"uint{bits}")
        rgba[5:10, 8:16] = random.integers(0, 255 * scale, (5, 8, 4))
        characters.append(np.where(rgba[..., 3:] > 0, rgba, rgba.dtype.type(0)))
    grey = [np.full(SIZE[::-1], n % 256, np.uint8) for n in range(count)]
    return Layers(
        source=write_sequence(folder / "source", source),
        plate=write_sequence(folder / "plate", plates),
        characters=(write_sequence(folder / "character", characters),),
        hole=write_sequence(folder / "hole", [hole] * count),
        plate_confidence=write_sequence(folder / "confidence", grey),
        performer_mattes=(write_sequence(folder / "matte", grey),),
        control=lambda plate, index: plate,
    )


def making_of(count: int, fps: str = "24") -> Making:
    return Making(source_numbers=tuple(range(count)), fps=fps, program="1.2.3", remarks=("It was rounded.",))


@pytest.fixture(scope="module")
def layers(tmp_path_factory: pytest.TempPathFactory) -> Layers:
    return layers_of(tmp_path_factory.mktemp("layers"), 5)


def delivered_bytes(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.mark.parametrize("length", [1, 2, 5, 23, 77, 78, 164])
def test_every_frame_that_goes_in_comes_out_under_its_own_number(length: int, tmp_path: Path) -> None:
    layers = layers_of(tmp_path / "layers", length)
    version = deliver(layers, job_of(passes=(Pass.CHANGE_MATTE, Pass.COMP)), tmp_path, making_of(length), Unwatched())
    assert version.frame_count == length == len(list((version.folder / "comp").iterdir()))
    for index, path in enumerate(version.files("comp")):
        assert path.name == f"shot_v001_comp.{1001 + index}.png"
        assert painted_number(read_picture(path)) == index


@pytest.mark.parametrize("bits", [8, 16])
def test_the_comp_is_the_source_to_the_bit_where_the_change_matte_is_nothing(bits: int, tmp_path: Path) -> None:
    layers = layers_of(tmp_path / "layers", 2, bits)
    version = deliver(layers, job_of(depth_bits=bits), tmp_path, making_of(2), Unwatched())
    for index in range(2):
        comp, change = (read_picture(version.files(name)[index]) for name in ("comp", "change_matte"))
        assert layers.source
        source = layers.source[index]
        assert comp.dtype == change.dtype == source.dtype
        assert 0 < (change == 0).mean() < 1
        np.testing.assert_array_equal(comp[change == 0], source[change == 0])


@pytest.mark.parametrize("bits", [8, 16])
def test_every_pass_has_its_channels_and_the_delivered_depth(bits: int, layers: Layers, tmp_path: Path) -> None:
    version = deliver(layers, job_of(depth_bits=bits), tmp_path, making_of(5), Unwatched())
    assert set(version.passes) == set(Pass)
    channels = {"character": (4,), "plate": (3,), "comp": (3,), "control": (3,)}
    for name in version.passes:
        picture = read_picture(version.files(name)[0])
        assert (picture.dtype.itemsize * 8, picture.shape[2:]) == (bits, channels.get(name, ()))


def test_a_plate_that_strays_outside_its_hole_is_not_delivered(layers: Layers, tmp_path: Path) -> None:
    stray = write_sequence(tmp_path / "stray", [layers.plate[i] ^ 1 for i in range(5)])
    wrong = Layers(plate=stray, source=layers.source, hole=layers.hole, characters=layers.characters)
    with pytest.raises(ValueError, match="differs from the source"):
        deliver(wrong, job_of(), tmp_path / "out", making_of(5), Unwatched())
    assert list((tmp_path / "out").iterdir()) == []


def test_sequences_of_two_lengths_are_not_delivered(layers: Layers, tmp_path: Path) -> None:
    short = Layers(plate=layers.plate, characters=(Sequence(layers.characters[0].folder, 4),))
    with pytest.raises(ValueError, match="frames"):
        deliver(short, job_of(), tmp_path, making_of(5), Unwatched())


def test_frames_that_are_not_all_told_where_they_come_from_are_not_delivered(layers: Layers, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="5 frames for 4"):
        deliver(layers, job_of(), tmp_path, making_of(4), Unwatched())
    assert list(tmp_path.iterdir()) == []


def test_a_pass_without_layers_is_left_out_and_not_claimed(layers: Layers, tmp_path: Path) -> None:
    bare = Layers(plate=layers.plate, characters=layers.characters)
    version = deliver(bare, job_of(), tmp_path, making_of(5), Unwatched())
    assert set(version.passes) == {"character", "matte", "change_matte", "plate", "comp"}
    assert {path.name for path in version.folder.iterdir() if path.is_dir()} == set(version.passes)


def test_versions_go_up_and_nothing_delivered_is_touched(layers: Layers, tmp_path: Path) -> None:
    (tmp_path / "shot_v007").mkdir()
    first = deliver(layers, job_of("a"), tmp_path, making_of(5), Unwatched())
    before = delivered_bytes(first.folder)
    second = deliver(layers, job_of("b"), tmp_path, making_of(5), Unwatched())
    assert (first.version, second.version) == (8, 9)
    assert delivered_bytes(first.folder) == before


def test_a_job_delivers_once(layers: Layers, tmp_path: Path) -> None:
    first = deliver(layers, job_of(), tmp_path, making_of(5), Unwatched())
    assert deliver(layers, job_of(), tmp_path, making_of(5), Unwatched()) == first


def _deliver_as(name: str, layers: Layers, folder: Path) -> int:
    return deliver(layers, job_of(name), folder, making_of(5), Unwatched()).version


def test_jobs_at_the_same_time_take_a_version_each(layers: Layers, tmp_path: Path) -> None:
    plain = Layers(source=layers.source, plate=layers.plate, characters=layers.characters, hole=layers.hole)
    names = [str(number) for number in range(6)]
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        versions = pool.starmap(_deliver_as, [(name, plain, tmp_path) for name in names])
    assert sorted(versions) == list(range(1, 7))
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"shot_v{n:03d}" for n in range(1, 7)]


@dataclass
class DiesAt(Unwatched):
    """Ends at a frame as SIGKILL would: nothing after it runs."""

    frame: int

    def frames_done(self, done_frames: int, total_frames: int) -> None:
        if done_frames == self.frame:
            os._exit(9)


def _deliver_and_die(frame: int, layers: Layers, folder: Path) -> None:
    deliver(layers, job_of(), folder, making_of(5), DiesAt(frame))


@pytest.mark.parametrize("frame", [1, 3, 5])
def test_a_delivery_that_was_killed_is_made_again_to_equal_bytes(frame: int, layers: Layers, tmp_path: Path) -> None:
    plain = Layers(source=layers.source, plate=layers.plate, characters=layers.characters, hole=layers.hole)
    child = multiprocessing.get_context("spawn").Process(target=_deliver_and_die, args=(frame, plain, tmp_path / "a"))
    child.start()
    child.join()
    assert child.exitcode == 9
    assert not list((tmp_path / "a").glob("shot_v*"))
    resumed = deliver(plain, job_of(), tmp_path / "a", making_of(5), Unwatched())
    undisturbed = deliver(plain, job_of(), tmp_path / "b", making_of(5), Unwatched())
    assert resumed.version == 1
    assert delivered_bytes(resumed.folder) == delivered_bytes(undisturbed.folder)
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["shot_v001"]


class Stops(Unwatched):
    def frames_done(self, done_frames: int, total_frames: int) -> None:
        raise StoppedError


def test_a_stopped_delivery_leaves_nothing(layers: Layers, tmp_path: Path) -> None:
    with pytest.raises(StoppedError):
        deliver(layers, job_of(), tmp_path, making_of(5), Stops())
    assert list(tmp_path.iterdir()) == []


@dataclass
class FailingDisk:
    """Lets some pictures through, then answers as the system does."""

    code: int
    lets_through: int
    write: Callable[..., None] = field(default=images.write_picture)

    def __call__(self, path: Path, image: np.ndarray) -> None:
        self.lets_through -= 1
        if self.lets_through < 0:
            raise OSError(self.code, os.strerror(self.code))
        self.write(path, image)


@pytest.mark.parametrize(
    ("code", "error"),
    [(errno.ENOSPC, DiskFullError), (errno.EROFS, FolderReadOnlyError), (errno.EACCES, FolderReadOnlyError)],
)
def test_a_disk_that_fails_midway_is_told_in_words_and_left_clean(
    code: int, error: type[UnderstudyError], layers: Layers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.media.sequence.write_picture", FailingDisk(code, 9))
    with pytest.raises(error) as caught:
        deliver(layers, job_of(), tmp_path, making_of(5), Unwatched())
    assert caught.value.hint
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("fps", ["24000/1001", "24", "25", "30000/1001", "30", "50"])
def test_the_sidecar_gives_back_the_job_and_the_rate(fps: str, layers: Layers, tmp_path: Path) -> None:
    version = deliver(layers, job_of(), tmp_path, making_of(5, fps), Unwatched())
    assert read_sidecar_job(version.sidecar) == job_of()
    data = json.loads(version.sidecar.read_text("utf-8"))
    assert Fraction(data["fps"]) == Fraction(fps)
    assert data["frames"] == [{"file": 1001 + n, "source": n} for n in range(5)]
    assert data["remarks"] == ["It was rounded."]


def test_several_performers_have_a_matte_each_and_one_of_all(layers: Layers, tmp_path: Path) -> None:
    mattes = [[np.full(SIZE[::-1], value, np.uint8)] * 5 for value in (90, 40)]
    both = tuple(write_sequence(tmp_path / str(n), pictures) for n, pictures in enumerate(mattes))
    two = Layers(plate=layers.plate, characters=layers.characters * 2, performer_mattes=both)
    version: DeliveredVersion = deliver(two, job_of(), tmp_path / "out", making_of(5), Unwatched())
    values = {name: int(read_picture(version.files(name)[0])[0, 0]) for name in version.passes if "performer" in name}
    assert values == {"performer_matte": 90, "performer_matte_1": 90, "performer_matte_2": 40}


def test_the_last_character_is_in_front(tmp_path: Path) -> None:
    codes = [(200, 0, 0, 255), (0, 0, 200, 255)]
    cut_outs = [np.full((*SIZE[::-1], 4), code, np.uint8) for code in codes]
    rear, front = (write_sequence(tmp_path / str(n), [picture]) for n, picture in enumerate(cut_outs))
    plate = write_sequence(tmp_path / "plate", [painted(0, *SIZE)])
    both = Layers(plate=plate, characters=(rear, front))
    version = deliver(both, job_of(passes=(Pass.COMP,)), tmp_path / "out", making_of(1), Unwatched())
    assert (read_picture(version.files("comp")[0]) == codes[1][:3]).all()


def test_control_is_drawn_for_its_own_frame_over_its_own_plate(layers: Layers, tmp_path: Path) -> None:
    def draw(plate: Pixels, index: int) -> Pixels:
        drawn = plate.copy()
        drawn[:, index] = 0
        return drawn

    drawn = Layers(plate=layers.plate, characters=layers.characters, control=draw)
    version = deliver(drawn, job_of(passes=(Pass.CONTROL,)), tmp_path, making_of(5), Unwatched())
    for index, path in enumerate(version.files("control")):
        np.testing.assert_array_equal(read_picture(path), draw(layers.plate[index], index))


def test_files_and_sidecar_bear_the_numbers_that_were_asked_for(tmp_path: Path) -> None:
    layers = layers_of(tmp_path / "layers", 2)
    (tmp_path / "shot_v003").mkdir()
    job = job_of(depth_bits=16, passes=(Pass.COMP,))
    job = replace(job, delivery=replace(job.delivery, first_number=7))
    making = replace(making_of(2), source_numbers=(40, 41), notices=(("hair", "Look."),), weights={"a.pth": "ff"})
    version = deliver(layers, job, tmp_path, making, Unwatched())
    assert [path.name for path in version.files("comp")] == ["shot_v004_comp.0007.png", "shot_v004_comp.0008.png"]
    assert {path.name for path in (version.folder / "comp").iterdir()} == {path.name for path in version.files("comp")}
    data = json.loads(version.sidecar.read_text("utf-8"))
    assert data["frames"] == [{"file": 7, "source": 40}, {"file": 8, "source": 41}]
    assert (data["version"], data["depth_bits"], data["weights"]) == (4, 16, {"a.pth": "ff"})
    assert data["notices"] == [{"code": "hair", "text": "Look."}]
