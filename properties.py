# SPDX-License-Identifier: GPL-3.0-or-later
"""What an artist sets: saved in the .blend with the scene; and what is only for this window, forgotten with it."""

from __future__ import annotations

import bpy
from bpy.props import (
    BoolProperty,
    CollectionProperty,
    EnumProperty,
    FloatProperty,
    FloatVectorProperty,
    IntProperty,
    IntVectorProperty,
    PointerProperty,
    StringProperty,
)
from bpy.types import Context, PropertyGroup, Scene, WindowManager

from .backend.contract.job import Combine, Mode, Pass, Pick, Shadow
from .backend.contract.joints import Joint
from .sequencer.compat import BLEND_RELATIVE
from .sequencer.extent import Extent

_MODES = (
    (Mode.REPLACE, "Replace", "The character takes the performer's place in the strip"),
    (Mode.ANIMATE, "Animate", "The character moves before its own picture's background, driven by the strip"),
)
_PICKS = (
    (Pick.LARGEST, "Largest", "Whoever is largest in the picture"),
    (Pick.ID, "Number", "The one with this number; Find Performers shows the numbers"),
    (Pick.BOX, "Box", "Whoever is in the box that you dragged with Find Performers"),
    (Pick.POINT, "Point", "Whoever is at the point that a command line named"),
)
_SHADOWS = (
    (Shadow.KEEP, "Keep", "The performer's cast shadow stays in the plate, and the character inherits it"),
    (Shadow.REMOVE, "Remove", "The performer's cast shadow is painted out of the plate"),
)
_PIXELS = (
    ("auto", "Automatic", "The strip's own pixels for movies and images, the canvas for all others"),
    ("raw", "Strip", "The media's own pixels; the results get the strip's transform, crop and fades"),
    ("canvas", "Canvas", "What the canvas shows of the strip, with transform, crop, fades and modifiers"),
)
_EXTENTS = (
    (Extent.STRIP, "Strip", "All frames that the strip shows"),
    (Extent.PREVIEW, "Preview Range", "Those of the strip's frames that are in the scene's preview range"),
    (Extent.OWN, "Frames", "Those of the strip's frames that are in a range of your own"),
)
_PASSES = {
    Pass.CHARACTER: "The character alone, straight alpha",
    Pass.MATTE: "The character's coverage",
    Pass.PERFORMER_MATTE: "The old actor's coverage",
    Pass.CHANGE_MATTE: "Where the comp may differ from the source",
    Pass.PLATE: "The shot without its performer",
    Pass.PLATE_CONFIDENCE: "Where the plate was seen, and where it is invented",
    Pass.COMP: "The character over the plate",
    Pass.CONTROL: "The tracked skeleton over the plate",
}
_PASS_ITEMS = tuple(
    (name, name.replace("_", " ").title(), text, 1 << at) for at, (name, text) in enumerate(_PASSES.items())
)
_PLACINGS = (
    ("comp", "Comp", "The finished comp lies visible over the clip, all layers muted below it"),
    ("layers", "Layers", "The character by its matte over the clean plate: edges are blended by the sequencer"),
)
_MATTES = (
    ("none", "None", "There is none"),
    ("strip", "Strip", "What another strip shows on the same frames, rendered by Blender"),
    ("mask", "Mask", "A Mask datablock, drawn in the clip or image editor over the shot, by the scene's frames"),
)
_COMBINES = (
    (Combine.REPLACE, "Replace", "It stands instead of the computed matte"),
    (Combine.ADD, "Add", "What it covers belongs to the performer, too"),
    (Combine.SUBTRACT, "Subtract", "What it covers does not belong to the performer"),
)
_ENGINES = (
    ("draft", "Draft", "On the processor, nothing to download: for casting, scale, timing and mattes"),
    ("wan", "Wan", "Wan 2.2 Animate on the graphics card: for the picture. Wants its environment and weights"),
)
_AREAS = (
    (str(832 * 480), "480p", "About 832 x 480 pixels are generated, in the shot's aspect"),
    (str(1280 * 720), "720p", "About 1280 x 720 pixels are generated, in the shot's aspect"),
)
_SOLVERS = (
    ("unipc", "UniPC", "The solver of the official command line"),
    ("dpmpp", "DPM++", "The solver of the official programming interface"),
)
_WINDOWS = (
    ("fitted", "Fitted", "As few and as equal windows as go: hardly a frame too many is generated"),
    ("official", "Official", "Windows of 77 frames, as the official system cuts a shot"),
)
_OVERLAPS = (
    ("1", "1 Frame", "A window goes on from the last frame of the one before"),
    ("5", "5 Frames", "A window goes on from the last five frames: steadier motion, a little more to generate"),
)
_TYPED = (0, -1)
"""No frames: nobody was found with a number that is typed in."""
JOINT_ITEMS = tuple((joint.value, joint.replace("_", " ").title(), "") for joint in Joint)


class UNDERSTUDY_PG_matte(PropertyGroup):
    """A matte of the artist's: where it comes from."""

    source: EnumProperty(items=_MATTES, name="From", description="What Blender renders it from")  # type: ignore[valid-type]
    strip: StringProperty(name="Strip", description="Its white, over the frames of the shot, is coverage")  # type: ignore[valid-type]
    mask: PointerProperty(type=bpy.types.Mask, name="Mask", description="Its inside is coverage")  # type: ignore[valid-type]


class UNDERSTUDY_PG_joint(PropertyGroup):
    """A joint that was put right in one frame."""

    shot: StringProperty(description="The strip's own mark: keys are meant for the shot that they were made on")  # type: ignore[valid-type]
    joint: EnumProperty(items=JOINT_ITEMS, name="Joint", description="Which of the performer's joints")  # type: ignore[valid-type]
    frame: IntProperty(name="Frame", description="In which it is keyed, counted from where the strip's content starts")  # type: ignore[valid-type]
    place: FloatVectorProperty(name="Place", description="In pixels of the shot, from its upper left corner", size=2)  # type: ignore[valid-type]
    before: IntProperty(  # type: ignore[valid-type]
        name="Before", description="So many frames earlier the joint begins to leave its track", min=0
    )
    after: IntProperty(  # type: ignore[valid-type]
        name="After", description="So many frames later the joint is back on its track", min=0
    )


def _take_as_typed(casting: UNDERSTUDY_PG_casting, _: Context) -> None:
    casting.numbered_in = _TYPED


class UNDERSTUDY_PG_casting(PropertyGroup):
    """One performer and the character who takes the part."""

    character: PointerProperty(  # type: ignore[valid-type]
        type=bpy.types.Image,
        name="Character",
        description="One picture of who comes in; its alpha is used if it has one",
    )
    pick: EnumProperty(items=_PICKS, name="Performer", description="Who of the people in the shot is replaced")  # type: ignore[valid-type]
    id: IntProperty(  # type: ignore[valid-type]
        name="Number",
        description="The performer's number, as Find Performers shows it over the frames that go in",
        min=1,
        default=1,
        update=_take_as_typed,
    )
    numbered_in: IntVectorProperty(  # type: ignore[valid-type]
        name="Numbered in",
        description="First and last of the frames among which the number was given, counted as that of the box",
        size=2,
        default=_TYPED,
    )
    picked_on: StringProperty(  # type: ignore[valid-type]
        name="Picked on",
        description="Mark of the strip and size of its pictures, which the number or box is of",
    )
    box: FloatVectorProperty(name="Box", description="Round the performer, in pixels of the shot", size=4)  # type: ignore[valid-type]
    box_frame: IntProperty(name="Frame of the Box", description="Counted from where the strip's content starts")  # type: ignore[valid-type]
    scale: FloatProperty(  # type: ignore[valid-type]
        name="Scale", description="Times the size that fits the performer", default=1.0, min=0.1, max=4.0
    )
    offset: FloatVectorProperty(  # type: ignore[valid-type]
        name="Offset",
        description="Right and down, in parts of the performer's height",
        size=2,
        soft_min=-1,
        soft_max=1,
        subtype="XYZ",
    )
    ground_offset: FloatProperty(  # type: ignore[valid-type]
        name="Ground",
        description="How far the feet are lowered, in parts of the performer's height",
        soft_min=-1,
        soft_max=1,
    )
    head_size: FloatProperty(  # type: ignore[valid-type]
        name="Head Size", description="Times the character's own head", default=1.0, min=0.3, max=3.0
    )
    mirror: BoolProperty(name="Mirror", description="Flip the character's picture")  # type: ignore[valid-type]
    matte: PointerProperty(type=UNDERSTUDY_PG_matte, name="Matte", description="Of the performer, by your own hand")  # type: ignore[valid-type]
    combine: EnumProperty(items=_COMBINES, name="Combine", description="What your matte does to the computed one")  # type: ignore[valid-type]
    garbage: PointerProperty(  # type: ignore[valid-type]
        type=UNDERSTUDY_PG_matte, name="Garbage Matte", description="What it leaves black is never performer"
    )
    joints: CollectionProperty(type=UNDERSTUDY_PG_joint, name="Joints", description="Joints that were put right")  # type: ignore[valid-type]


class UNDERSTUDY_PG_lora(PropertyGroup):
    """A LoRA that acts on the model."""

    path: StringProperty(name="File", description="A LoRA of Wan 2.1 I2V or of Wan Animate", subtype="FILE_PATH")  # type: ignore[valid-type]
    strength: FloatProperty(name="Strength", description="1 is as it was trained", default=1.0, soft_min=0, soft_max=2)  # type: ignore[valid-type]


class UNDERSTUDY_PG_wan(PropertyGroup):
    """What can be set of the Wan engine. Names and values are the worker's own, but for the folder of models."""

    area_px: EnumProperty(items=_AREAS, name="Size", description="Of the generated picture")  # type: ignore[valid-type]
    steps: IntProperty(name="Steps", description="Distillation LoRAs take 4 to 8", default=20, min=1, max=100)  # type: ignore[valid-type]
    solver: EnumProperty(items=_SOLVERS, name="Solver", description="How noise becomes a picture")  # type: ignore[valid-type]
    shift: FloatProperty(  # type: ignore[valid-type]
        name="Shift", description="More of the steps go to coarse structure", default=5.0, min=0.1, max=100.0
    )
    guidance: FloatProperty(  # type: ignore[valid-type]
        name="Guidance",
        description="Above 1 the performer's expression is followed more strongly, at twice the time",
        default=1.0,
        min=1.0,
        max=20.0,
    )
    windows: EnumProperty(items=_WINDOWS, name="Windows", description="How the shot is cut")  # type: ignore[valid-type]
    overlap: EnumProperty(items=_OVERLAPS, name="Overlap", description="Frames that windows share")  # type: ignore[valid-type]
    relight: FloatProperty(  # type: ignore[valid-type]
        name="Relighting", description="Strength of the relighting LoRA, in replace mode", default=1.0, min=0.0, max=2.0
    )
    cells: IntProperty(  # type: ignore[valid-type]
        name="Region Cells",
        description="Of how many cells across and down the region is made that is drawn anew; 1 is the performer's box",
        default=1,
        min=1,
        max=64,
    )
    correct_drift: BoolProperty(  # type: ignore[valid-type]
        name="Correct Colours", description="Bring each window's colours back to the plate's; what was done is recorded"
    )
    loras: CollectionProperty(type=UNDERSTUDY_PG_lora, name="LoRAs", description="All that act on the model")  # type: ignore[valid-type]


class UNDERSTUDY_PG_settings(PropertyGroup):
    """The artist's wishes for the next job, one set a scene."""

    mode: EnumProperty(items=_MODES, name="Mode", description="What the character does in the result")  # type: ignore[valid-type]
    first: PointerProperty(type=UNDERSTUDY_PG_casting, name="Performer", description="Who is replaced, and by whom")  # type: ignore[valid-type]
    others: CollectionProperty(  # type: ignore[valid-type]
        type=UNDERSTUDY_PG_casting, name="Further Performers", description="Each with a character of its own"
    )
    engine: EnumProperty(items=_ENGINES, name="Engine", description="Which engine draws the character")  # type: ignore[valid-type]
    wan: PointerProperty(type=UNDERSTUDY_PG_wan, name="Wan", description="Settings of the Wan engine")  # type: ignore[valid-type]
    seed: IntProperty(name="Seed", description="For engines that draw by chance: the same seed, the same picture")  # type: ignore[valid-type]
    pixels: EnumProperty(items=_PIXELS, name="Pixels", description="Which pixels of the strip go in")  # type: ignore[valid-type]
    extent: EnumProperty(items=_EXTENTS, name="Range", description="Which frames of the strip go in")  # type: ignore[valid-type]
    own_first: IntProperty(name="First", description="First frame of your own range, in the scene", default=1)  # type: ignore[valid-type]
    own_last: IntProperty(name="Last", description="Last frame of your own range, in the scene", default=250)  # type: ignore[valid-type]
    shadow: EnumProperty(items=_SHADOWS, name="Shadow", description="What becomes of the performer's cast shadow")  # type: ignore[valid-type]
    folder: StringProperty(  # type: ignore[valid-type]
        name="Folder",
        description="Where versions are delivered and jobs are kept",
        subtype="DIR_PATH",
        default="//understudy/",
        options={"OUTPUT_PATH", *BLEND_RELATIVE},  # it need not exist
    )
    name: StringProperty(name="Shot", description="Name of the shot and of its files; the strip's name if empty")  # type: ignore[valid-type]
    passes: EnumProperty(  # type: ignore[valid-type]
        items=_PASS_ITEMS,
        name="Passes",
        description="Which layers are delivered; what Place as needs is delivered anyway",
        options={"ENUM_FLAG"},
        default=set(_PASSES),
    )
    depth: EnumProperty(  # type: ignore[valid-type]
        items=(("8", "8 bit", "What the sequencer works in"), ("16", "16 bit", "For the compositor")),
        name="Depth",
        description="Bits a channel of the delivered PNG files",
    )
    first_number: IntProperty(name="First Number", description="Of the first delivered file", default=1001, min=0)  # type: ignore[valid-type]
    placing: EnumProperty(items=_PLACINGS, name="Place as", description="How results lie in the sequencer")  # type: ignore[valid-type]


class UNDERSTUDY_PG_job(PropertyGroup):
    """A row of the list of jobs; all else is in the job's folder. Its name is the job's id."""


class UNDERSTUDY_PG_window(PropertyGroup):
    """What is shown until Blender closes."""

    jobs: CollectionProperty(type=UNDERSTUDY_PG_job, name="Jobs", description="Of this .blend, and others at work")  # type: ignore[valid-type]
    active_job: IntProperty(name="Job", description="The job that is shown below")  # type: ignore[valid-type]


def castings_of(settings: UNDERSTUDY_PG_settings) -> list[UNDERSTUDY_PG_casting]:
    """List all performers that are cast, in the order in which the panel shows them."""
    return [settings.first, *settings.others]


def settings_of(scene: Scene) -> UNDERSTUDY_PG_settings:
    """Give a scene's settings."""
    found: UNDERSTUDY_PG_settings = scene.understudy  # type: ignore[attr-defined]
    return found


def window_of(manager: WindowManager) -> UNDERSTUDY_PG_window:
    """Give what is shown until Blender closes."""
    found: UNDERSTUDY_PG_window = manager.understudy  # type: ignore[attr-defined]
    return found


classes = (
    UNDERSTUDY_PG_matte,
    UNDERSTUDY_PG_joint,
    UNDERSTUDY_PG_casting,
    UNDERSTUDY_PG_lora,
    UNDERSTUDY_PG_wan,
    UNDERSTUDY_PG_settings,
    UNDERSTUDY_PG_job,
    UNDERSTUDY_PG_window,
)


def register() -> None:
    """Give scenes and windows their settings."""
    for cls in classes:
        bpy.utils.register_class(cls)
    bpy.types.Scene.understudy = PointerProperty(type=UNDERSTUDY_PG_settings)  # type: ignore[attr-defined, func-returns-value]
    bpy.types.WindowManager.understudy = PointerProperty(type=UNDERSTUDY_PG_window)  # type: ignore[attr-defined, func-returns-value]


def unregister() -> None:
    """Take them away."""
    del bpy.types.WindowManager.understudy  # type: ignore[attr-defined]
    del bpy.types.Scene.understudy  # type: ignore[attr-defined]
    for cls in reversed(classes):
        bpy.utils.unregister_class(cls)
