# SPDX-License-Identifier: GPL-3.0-or-later
"""The extension comes to Blender and goes, and leaves nothing. In between its draft engine runs.

It runs from the installed zip alone, in Blender's own Python with Blender's own numpy, without a network.
"""

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.media.images import read_picture
from tests.blender.blenders import CLOSE, Blender
from tests.rendered import character_picture, rendered_performer, write_cut

LEFTOVERS = Path(__file__).parent / "inside" / "leftovers.py"
FRAMES = 4


class Extension:
    """The zip as a Blender has installed it: its own folder, and the one that its wheels were unpacked into."""

    def __init__(self, blender: Blender) -> None:
        self._blender = blender
        extensions = blender.user_folder / "extensions"
        self.folder = extensions / "user_default" / "understudy"
        [self.packages] = extensions.glob(".local/**/site-packages")

    @property
    def unpacked(self) -> list[Path]:
        """What Blender has unpacked of its wheels: they come and go with the extension's switch."""
        return list(self.packages.iterdir())

    def worker(self, *words: str | Path) -> list[dict[str, Any]]:
        """Run the worker with these two folders and no other; return what it said."""
        variables = {"PYTHONPATH": f"{self.folder}:{self.packages}"}
        said = self._blender.run("-m", "backend", *words, "--json", variables=variables)
        return [json.loads(line) for line in said.splitlines()]


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """The rendered performer, a few frames of it."""
    return write_cut(tmp_path / "clip", FRAMES)


def pictures(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.png"))[:FRAMES]


def untidy_zip(folder: Path, code: str) -> Path:
    with zipfile.ZipFile(folder / "untidy.zip", "w") as archive:
        archive.writestr("blender_manifest.toml", _MANIFEST)
        archive.writestr("__init__.py", code)
    return folder / "untidy.zip"


@pytest.mark.parametrize("blender", ["4.5"], indirect=True)
def test_an_extension_that_keeps_blender_from_closing_is_found(blender: Blender, tmp_path: Path) -> None:
    package = untidy_zip(tmp_path, _UNTIDY.replace("daemon=True", "daemon=False"))
    with pytest.raises(AssertionError, match="would not close before the end of: rope"):
        blender.install(package, "untidy")


@pytest.mark.parametrize("blender", ["4.5"], indirect=True)
def test_what_an_extension_leaves_behind_is_found(blender: Blender, tmp_path: Path) -> None:
    blender.install(untidy_zip(tmp_path, _UNTIDY), "untidy")
    with pytest.raises(AssertionError) as found:
        blender.run(LEFTOVERS, "bl_ext.user_default.untidy")
    left = {"UNTIDY_OT_mess", "Scene.untidy", "Sequencer/untidy.mess", "rope"}
    left |= {f"untidy.{name}" for name in ("draw", "mess", "seen", "tick", "last_words")}
    assert {name for name in left if name not in str(found.value)} == set()


def test_the_doctor_finds_all_that_the_draft_engine_needs(installed: Blender) -> None:
    [answer] = Extension(installed).worker("doctor")
    findings = {finding["what"]: finding for finding in answer["findings"]}
    assert all(findings[what]["is_well"] for what in ("numpy", "cv2", "mediapipe", "safetensors", "draft engine"))
    assert "user_default" in findings["tracker networks"]["detail"]
    assert not findings["av"]["is_well"] and "Blender" in findings["av"]["detail"]


# Python 3.11 and 3.13, the oldest numpy and the newest.
@pytest.mark.parametrize("installed", ["4.2", "5.2"], indirect=True)
def test_a_performer_is_replaced_and_the_rest_of_the_plate_kept(installed: Blender, clip: Path, tmp_path: Path) -> None:
    words = ("replace", clip, character_picture(), "--name", "small", "--output", tmp_path)
    assert Extension(installed).worker(*words)[-1]["kind"] == "job_done"
    comps, changes = (sorted((tmp_path / "small_v001" / name).iterdir()) for name in ("comp", "change_matte"))
    layers = zip(pictures(clip), comps, changes, pictures(rendered_performer().matte()), strict=True)
    for frame, comp, change, matte in (map(read_picture, paths) for paths in layers):
        kept, stood = change == 0, matte == 255
        assert np.array_equal(comp[kept], frame[kept])
        assert (kept & stood).sum() < 0.05 * stood.sum()


# From here on what the tests above share is switched off and taken away.
def test_switched_on_and_off_twice_it_leaves_nothing_behind(installed: Blender) -> None:
    installed.run(LEFTOVERS, "bl_ext.user_default.understudy")
    assert not Extension(installed).unpacked


def test_taken_out_it_is_gone_with_its_wheels(installed: Blender) -> None:
    extension = Extension(installed)
    installed.run("-c", _UNINSTALL)
    assert not extension.folder.exists()
    assert not extension.unpacked


_UNINSTALL = f"""
import bpy, addon_utils
addon_utils.enable("bl_ext.user_default.understudy")
names = [repo.module for repo in bpy.context.preferences.extensions.repos]
bpy.ops.extensions.package_uninstall(repo_index=names.index("user_default"), pkg_id="understudy")
{CLOSE}"""

_MANIFEST = """
schema_version = "1.0.0"
id = "untidy"
version = "1.0.0"
name = "Untidy"
tagline = "Leaves things behind"
maintainer = "A test"
type = "add-on"
license = ["SPDX:GPL-3.0-or-later"]
blender_version_min = "4.2.0"
"""
_UNTIDY = """
import atexit, threading, bpy

class UNTIDY_OT_mess(bpy.types.Operator):
    bl_idname, bl_label = "untidy.mess", "Mess"

def seen(*_): pass
def draw(self, context): pass
def tick(): return 1.0
def last_words(): pass

def register():
    bpy.utils.register_class(UNTIDY_OT_mess)
    bpy.types.Scene.untidy = bpy.props.IntProperty()
    bpy.app.handlers.load_post.append(seen)
    bpy.app.timers.register(tick, persistent=True)
    atexit.register(last_words)
    bpy.types.SEQUENCER_MT_strip.append(draw)
    keymap = bpy.context.window_manager.keyconfigs.addon.keymaps.new(name="Sequencer")
    keymap.keymap_items.new("untidy.mess", "A", "PRESS")
    threading.Thread(target=threading.Event().wait, daemon=True, name="rope").start()

def unregister(): pass
"""
