# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures of the real interface at work, for `docs/`: run inside a Blender that has a window.

    blender --python tools/interface.py -- CLIP_FOLDER CHARACTER PICTURES_FOLDER

Understudy must be installed. The display is photographed by ImageMagick's `import`: Blender's own screenshot is black
where there is no graphics card.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import addon_utils
import bpy

do: Any = bpy.ops
"""Blender's operators, those of this extension among them, which no stub knows."""
EXTENSION = "bl_ext.user_default.understudy"
_STEP_S = 0.25
_SETTLE_STEPS = 8
_LONGEST_STEPS = 2400
_FRAME = 40
_RANGE_HEIGHT, _PREVIEW_HEIGHT = 160, 612
"""Of the panel Shot down to its range of one's own, and down to what Preview Frame shows; in pixels."""
_JOBS_HEIGHT, _CORRECTIONS_HEIGHT = 560, 200
"""Of the panels Jobs and Corrections."""
_TABS_WIDTH = 28


def main() -> None:
    """Begin the story; Blender goes on by its timer."""
    clip, character, pictures = map(Path, sys.argv[sys.argv.index("--") + 1 :])
    pictures.mkdir(parents=True, exist_ok=True)
    steps = story(clip, character, pictures)

    def step() -> float | None:
        try:
            return _STEP_S if next(steps, "end") is None else None
        except BaseException:
            do.wm.quit_blender()
            raise

    bpy.app.timers.register(step, first_interval=1.0)


def story(clip: Path, character: Path, pictures: Path) -> Iterator[None]:
    """Do what an artist does, and take a picture wherever there is something to see."""
    addon_utils.enable(EXTENSION, default_set=True)
    work = Path(tempfile.mkdtemp(prefix="understudy-pictures-"))
    do.wm.save_as_mainfile(filepath=str(work / "shot.blend"))
    shutil.copytree(clip, work / "clip")
    bpy.context.preferences.view.show_splash = False
    open_sequencer()
    yield from settle()
    settings = add_strip(work / "clip").understudy
    settings.first.character = bpy.data.images.load(str(character))
    show_tab()
    yield from settle()
    photograph(pictures / "shot.png")
    settings.extent, settings.own_first, settings.own_last = "own", 20, 60
    yield from settle()
    photograph(pictures / "range.png", sidebar_top(_RANGE_HEIGHT))
    settings.extent = "strip"
    settings.engine = "wan"
    yield from settle()
    photograph(pictures / "wan.png")
    settings.engine = "draft"
    yield from settle()
    with_sequencer(lambda: do.understudy.find_performers("INVOKE_DEFAULT"))
    yield from until(lambda: not answers().is_asking)
    yield from settle()
    photograph(pictures / "performers.png")
    press_escape()
    yield from settle()
    with_sequencer(lambda: do.understudy.preview_frame())
    yield from until(lambda: not answers().is_asking)
    yield from settle()
    photograph(pictures / "preview.png", sidebar_top(_PREVIEW_HEIGHT))
    with_sequencer(lambda: do.understudy.start_job())
    yield from until(lambda: (newest().stage == "generate" and newest().done > 2) or is_over())
    photograph(pictures / "running.png")
    with alone("job_list"):
        yield from settle()
        photograph(pictures / "jobs.png", sidebar_top(_JOBS_HEIGHT))
    yield from until(is_over)
    show_tab()
    yield from settle()
    photograph(pictures / "done.png")
    with_sequencer(lambda: do.understudy.move_joints("INVOKE_DEFAULT"))
    yield from settle()
    yield from drag_elbow()
    photograph(pictures / "joints.png")
    subprocess.run(["xdotool", "mouseup", "1"], check=True)
    yield from settle()
    press_escape()
    with alone("corrections"):
        yield from settle()
        photograph(pictures / "corrections.png", sidebar_top(_CORRECTIONS_HEIGHT))
    shutil.rmtree(work, ignore_errors=True)
    do.wm.quit_blender()


def open_sequencer() -> None:
    """Give the window a sequencer with preview, and nothing else."""
    screen = window().screen
    area = max(screen.areas, key=lambda area: area.width * area.height)
    area.ui_type = "SEQUENCE_EDITOR"
    space: Any = area.spaces.active
    space.view_type = "SEQUENCER_PREVIEW"
    space.show_region_ui = True
    with bpy.context.temp_override(window=window(), area=area):
        do.screen.screen_full_area()


def add_strip(clip: Path) -> Any:
    """Lay the clip into the scene as an artist would find it."""
    scene: Any = bpy.context.scene
    scene.render.fps, scene.render.resolution_x, scene.render.resolution_y = 24, 640, 360
    scene.view_settings.view_transform = "Standard"
    workspace: Any = window().workspace
    if hasattr(workspace, "sequencer_scene"):
        workspace.sequencer_scene = scene
    editor: Any = scene.sequence_editor_create()
    strips = editor.strips if hasattr(editor, "strips") else editor.sequences
    files = sorted(path for path in clip.iterdir() if path.suffix == ".png")
    strip = strips.new_image(name="kitchen_talk", filepath=str(files[0]), channel=1, frame_start=1)
    for path in files[1:]:
        strip.elements.append(path.name)
    do.file.make_paths_relative()
    editor.active_strip = strip
    strip.select = True
    scene.frame_end, scene.frame_current = len(files), _FRAME
    return scene


def show_tab() -> None:
    """Turn to Understudy's tab, and show all of the strip and the picture."""
    for region in sequencer().regions:
        if region.type == "UI":
            sidebar: Any = region
            sidebar.active_panel_category = "Understudy"
    for kind, operator in (("WINDOW", "view_all"), ("PREVIEW", "view_all_preview")):
        region = next(region for region in sequencer().regions if region.type == kind)
        with bpy.context.temp_override(window=window(), area=sequencer(), region=region):
            getattr(do.sequencer, operator)()


@contextmanager
def alone(file: str) -> Iterator[None]:
    """Take Understudy's panels away and show that of one file, open: a script can neither scroll nor open a panel."""
    panels = import_module(f"{EXTENSION}.panels")
    every = [cls for each in panels._FILES for cls in each.classes if issubclass(cls, bpy.types.Panel)]
    [kept] = [cls for cls in import_module(f"{EXTENSION}.panels.{file}").classes if cls in every]
    shown = type("UNDERSTUDY_PT_shown", (kept,), {"bl_idname": "UNDERSTUDY_PT_shown", "bl_options": set()})
    for cls in every:
        bpy.utils.unregister_class(cls)
    bpy.utils.register_class(shown)
    try:
        yield
    finally:
        bpy.utils.unregister_class(shown)
        for cls in every:
            bpy.utils.register_class(cls)


def with_sequencer(act: Callable[[], object]) -> None:
    """Do something as if the mouse were over the sequencer's preview."""
    region = next(region for region in sequencer().regions if region.type == "PREVIEW")
    with bpy.context.temp_override(window=window(), area=sequencer(), region=region):
        act()


def press_escape() -> None:
    """Press Esc over the preview, as a person would: nothing else ends what waits for a click."""
    region = next(region for region in sequencer().regions if region.type == "PREVIEW")
    x, y = region.x + region.width // 2, window().height - region.y - region.height // 2
    subprocess.run(["xdotool", "mousemove", str(x), str(y), "key", "Escape"], check=True)


def drag_elbow() -> Iterator[None]:
    """Take hold of the left elbow with the mouse and pull it away; the button stays down."""
    region: Any = next(region for region in sequencer().regions if region.type == "PREVIEW")
    view = import_module(f"{EXTENSION}.session.jobs").active_view(bpy.context)
    figure = import_module(f"{EXTENSION}.session.joints").figure_of(view, 0)
    on_region = import_module(f"{EXTENSION}.operators.overlay").on_region
    x, y = on_region(region, figure.placement, figure.places()["left_elbow"])
    x, y = round(region.x + x), round(window().height - region.y - y)
    for words in (("mousemove", x, y), ("mousedown", 1), ("mousemove", x + 20, y - 10), ("mousemove", x + 40, y - 20)):
        subprocess.run(["xdotool", *map(str, words)], check=True)
        yield from (None for _ in range(_SETTLE_STEPS))


def settle() -> Iterator[None]:
    """Let Blender draw."""
    sequencer().tag_redraw()
    yield from (None for _ in range(_SETTLE_STEPS))


def until(is_so: Callable[[], bool]) -> Iterator[None]:
    """Wait until something is so. Raises TimeoutError."""
    for _ in range(_LONGEST_STEPS):
        if is_so():
            return
        yield
    raise TimeoutError


def answers() -> Any:
    """Give what the worker answered."""
    return import_module(f"{EXTENSION}.session.questions").answers


def newest() -> Any:
    """Give the job that was started last."""
    return import_module(f"{EXTENSION}.session.jobs").queue.views[-1]


def is_over() -> bool:
    """Whether that job has ended, well or not."""
    return newest().state not in ("waiting", "running")


def window() -> bpy.types.Window:
    """Give the window."""
    return bpy.context.window_manager.windows[0]


def sequencer() -> bpy.types.Area:
    """Give the sequencer's area."""
    return next(area for area in window().screen.areas if area.type == "SEQUENCE_EDITOR")


def sidebar_top(height: int) -> str:
    """Say where the upper part of the sidebar is on the display, without its tabs, as ImageMagick cuts a picture."""
    region: Any = next(region for region in sequencer().regions if region.type == "UI")
    return f"{region.width - _TABS_WIDTH}x{height}+{region.x}+{window().height - region.y - region.height}"


def photograph(path: Path, cut: str = "") -> None:
    """Take a picture of the whole display, or of what is cut out of it."""
    grab = shutil.which("magick") or "import"
    words = [grab, *(["import"] if grab.endswith("magick") else []), "-window", "root"]
    words += ["-crop", cut, "+repage"] if cut else []
    subprocess.run([*words, str(path)], check=True)


if __name__ == "__main__":
    main()
