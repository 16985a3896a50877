# SPDX-License-Identifier: GPL-3.0-or-later
"""The head of a figure: skull, eyes that blink, a mouth that opens, ears and hair.

Local axes: origin between the ears at the height of the eyes, x to the figure's left, -y to the front, z up; metres for
a grown-up, scaled by the build.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .anatomy import Skeleton
from .dress import Colour, Wardrobe, hexed, skin, waves
from .figure import Part
from .sculpt import melt
from .solid import Points, Solid, ellipsoid, join, sheet, tube

_VOXEL = 0.0035
_EYE = np.array([0.0315, -0.0765, 0.0])
_EYE_RADIUS = 0.0128
_LIPS_Z = -0.070
_LIPS_HALF = 0.025
_JAW_DROP = np.array([0.0, 0.004, -0.017])

_SKULL = (
    ((0, 0.014, 0.030), (0.0755, 0.092, 0.084)),
    ((0, -0.022, -0.030), (0.0655, 0.072, 0.082)),
    ((0, -0.034, -0.066), (0.052, 0.056, 0.044)),
    ((0, -0.073, -0.096), (0.021, 0.018, 0.017)),
    ((0.036, -0.060, -0.036), (0.027, 0.025, 0.027)),
    ((-0.036, -0.060, -0.036), (0.027, 0.025, 0.027)),
    ((0, -0.066, 0.022), (0.050, 0.024, 0.018)),
    ((0, -0.074, -0.070), (0.031, 0.023, 0.024)),
)
_NOSE = (
    ((0, -0.086, 0.004), 0.0085),
    ((0, -0.098, -0.020), 0.0100),
    ((0, -0.110, -0.038), 0.0125),
    ((0, -0.104, -0.046), 0.0100),
)


@dataclass(frozen=True, slots=True)
class Landmark:
    """A point of the face in local axes, with how far an open mouth takes it along."""

    at: tuple[float, float, float]
    opens: float = 0.0


LANDMARKS = {
    "nose": Landmark((0, -0.122, -0.040)),
    "eye_inner": Landmark((0.018, -0.083, -0.001)),
    "eye": Landmark((0.0315, -0.088, 0.0)),
    "eye_outer": Landmark((0.046, -0.078, 0.001)),
    "ear": Landmark((0.071, 0.000, -0.010)),
    "mouth": Landmark((0.0245, -0.088, -0.070)),
    "chin": Landmark((0, -0.088, -0.110), 1.0),
}
"""Those of the left side; the right side mirrors x."""


@dataclass(frozen=True, slots=True)
class Head:
    """Where the head's local axes lie on the resting figure."""

    origin: Points
    scale: float

    def place(self, local: Points) -> Points:
        """Local points, `... 3`, on the resting figure."""
        return self.origin + self.scale * np.asarray(local, float)


def head_of(skeleton: Skeleton) -> Head:
    """Find the head's axes on a skeleton."""
    scale = skeleton.build.head
    return Head(skeleton["head"].head + np.array([0.0, 0.0, 0.092]) * scale, scale)


def face_parts(skeleton: Skeleton, wardrobe: Wardrobe) -> list[Part]:
    """Head and neck."""
    head = head_of(skeleton)
    skull = _skull()
    surface = _surface(skull)
    make = _Maker(head, wardrobe)
    parts = [
        make.part("skull", skull, _complexion(skull.vertices, wardrobe), open_by=_jaw(skull.vertices)),
        _neck(skeleton, wardrobe),
    ]
    parts += _mouth(make, surface)
    for sign in (1.0, -1.0):
        parts += _eye(make, surface, sign)
        parts.append(_ear(make, sign))
    return [*parts, _hair(make)]


@dataclass(frozen=True, slots=True)
class _Maker:
    """Makes parts that hang on the head from local solids."""

    head: Head
    wardrobe: Wardrobe

    def part(
        self,
        name: str,
        solid: Solid,
        albedo: Points | Colour,
        *,
        gloss: float = 0.05,
        open_by: Points | None = None,
        shut_by: Points | None = None,
    ) -> Part:
        scale = self.head.scale
        return Part(
            name=name,
            solid=Solid(self.head.place(solid.vertices), solid.faces),
            albedo=np.broadcast_to(np.asarray(albedo, float), solid.vertices.shape),
            bones=("head",),
            gloss=gloss,
            open_by=None if open_by is None else open_by * scale,
            shut_by=None if shut_by is None else shut_by * scale,
        )


def _skull() -> Solid:
    lumps = [ellipsoid(at, radii, segments=40) for at, radii in _SKULL]
    lumps.append(tube([at for at, _ in _NOSE], [radius for _, radius in _NOSE], segments=16))
    lumps += [ellipsoid((sign * 0.0115, -0.1, -0.046), (0.0085, 0.010, 0.0075)) for sign in (1, -1)]
    solid = melt(lumps, voxel=_VOXEL, smoothing=7)
    dented = solid.vertices.copy()
    for sign in (1, -1):
        away = (dented[:, [0, 2]] - [sign * _EYE[0], _EYE[2]]) / [0.019, 0.0125]
        front = dented[:, 1] < -0.03
        dented[:, 1] += front * 0.012 * np.exp(-(away**2).sum(axis=1))
    return Solid(dented, solid.faces)


def _surface(skull: Solid) -> Callable[[Points, Points], Points]:
    """How far forward (y) the face's skin is at x, z; weighted from the nearest vertices."""
    front = skull.vertices[skull.vertices[:, 1] < -0.02]

    def depth(x: Points, z: Points) -> Points:
        away = (np.ravel(x)[:, None] - front[:, 0]) ** 2 + (np.ravel(z)[:, None] - front[:, 2]) ** 2
        weight = np.exp(-away / (2 * 0.003**2)) + 1e-12
        return ((weight * front[:, 1]).sum(axis=1) / weight.sum(axis=1)).reshape(np.shape(x))

    return depth


def _complexion(points: Points, wardrobe: Wardrobe) -> Points:
    """Skin with warmer cheeks, nose and lips' surroundings and a darker beard line where the hair is short."""
    tone = skin(points, wardrobe.skin, 0.03)
    blush = np.asarray(wardrobe.lips)
    for centre, radius, share in (
        ((0.042, -0.075, -0.04), 0.02, 0.25),
        ((-0.042, -0.075, -0.04), 0.02, 0.25),
        ((0, -0.115, -0.042), 0.012, 0.2),
    ):
        near = share * np.exp(-(((points - centre) / radius) ** 2).sum(axis=1))
        tone = tone + (blush - tone) * near[:, None]
    for sign in (1, -1):
        nostril = np.exp(-(((points - [sign * 0.008, -0.108, -0.0525]) / [0.004, 0.008, 0.0035]) ** 2).sum(axis=1))
        socket = np.exp(-(((points - [sign * 0.0315, -0.08, 0.006]) / [0.02, 0.02, 0.010]) ** 2).sum(axis=1))
        tone = tone * (1 - 0.75 * nostril - 0.22 * socket)[:, None]
    return tone


def _jaw(points: Points) -> Points:
    low = np.clip((_LIPS_Z - 0.004 - points[:, 2]) / 0.02, 0, 1) * np.clip((0.03 - points[:, 1]) / 0.06, 0, 1)
    return low[:, None] * _JAW_DROP


def _neck(skeleton: Skeleton, wardrobe: Wardrobe) -> Part:
    base, top = skeleton["neck"].head, skeleton["neck"].tail
    girth, scale = skeleton.build.girth**0.5, skeleton.build.head
    line = [
        base + np.array([0, 0.005, -0.06]),
        base + np.array([0, 0.002, 0.02]),
        top + np.array([0, 0.006, 0.0]),
        top + np.array([0, 0.01, 0.05 * scale]),
    ]
    solid = tube(_dense(np.array(line)), [(r * girth, r * girth) for r in np.linspace(0.056, 0.050, 12)], segments=28)
    return Part(
        name="neck", solid=solid, albedo=skin(solid.vertices, wardrobe.skin, 0.03), bones=("chest", "neck", "head")
    )


def _dense(line: Points) -> Points:
    at = np.linspace(0, len(line) - 1, 12)
    return np.stack([np.interp(at, np.arange(len(line)), line[:, i]) for i in range(3)], axis=1)


def _mouth(make: _Maker, surface: Callable[[Points, Points], Points]) -> list[Part]:
    """Two lips as sheets on the skin, a dark inside that opens between them, and upper teeth."""
    s, t = np.meshgrid(np.linspace(-1, 1, 25), np.linspace(0, 1, 9))
    x, arch = s * _LIPS_HALF, 1 - s**2
    drop = (arch**0.7)[..., None] * (_JAW_DROP + np.array([0, 0, 0.001]))
    seam = _LIPS_Z + 0.0012 * np.abs(s) - 0.0012 * arch
    bow = arch**0.6 * (0.0075 - 0.0022 * np.exp(-((s / 0.16) ** 2)))

    def laid(z: Points, proud: Points | float) -> Points:
        return np.stack([x, surface(x, z) - proud, z], axis=-1)

    swell = 0.0034 + 0.0042 * np.sin(np.pi * np.clip(t * 0.8 + 0.15, 0, 1)) * arch**0.5
    upper, lower = laid(seam + t * bow, swell), laid(seam - t * arch**0.7 * 0.0095, swell)
    inside = laid(seam, 0.0022) - np.array([0, 0, 0.0008]) * t[..., None]
    teeth = (laid(seam, 0.0030) - np.array([0, 0, 0.0005]) * t[..., None]) * [0.8, 1, 1]
    parting = (t[..., None] * drop).reshape(-1, 3)
    lips = make.wardrobe.lips
    return [
        make.part("upper lip", _facing(upper), lips, gloss=0.12),
        make.part(
            "lower lip", _facing(lower), lips, gloss=0.15, open_by=np.broadcast_to(drop, (*s.shape, 3)).reshape(-1, 3)
        ),
        make.part("inside", _facing(inside), hexed("2a0d0c"), gloss=0.0, open_by=parting),
        make.part("teeth", _facing(teeth), hexed("e6ded0"), gloss=0.1, open_by=0.32 * parting),
    ]


def _facing(grid: Points) -> Solid:
    """Make a sheet that looks to the front."""
    solid = sheet(grid)
    corner, along, _, up = (solid.vertices[solid.faces[:, i]] for i in range(4))
    looks_back = np.cross(along - corner, up - corner)[:, 1].sum() > 0
    return Solid(solid.vertices, solid.faces[:, ::-1]) if looks_back else solid


def _eye(make: _Maker, surface: Callable[[Points, Points], Points], sign: float) -> list[Part]:
    centre = _EYE * [sign, 1, 1]
    ball = ellipsoid((0, 0, 0), (_EYE_RADIUS,) * 3, segments=48)
    white, iris, pupil = hexed("e9e4dd"), make.wardrobe.iris, hexed("080606")
    across = np.hypot(ball.vertices[:, 0], ball.vertices[:, 2]) / _EYE_RADIUS
    front = ball.vertices[:, 1] < 0
    colour = np.where((front & (across < 0.46))[:, None], iris, np.asarray(white))
    colour = np.where((front & (across < 0.2))[:, None], pupil, colour)
    lids = [_lid(make, centre, *row) for row in ((-12.0, 14.0, 62.0, "lid"), (-16.0, -24.0, -62.0, "lower lid"))]
    lash = _lid(make, centre, -14.0, 12.5, 17.0, "lash")
    return [make.part("eye", ball.moved(centre), colour, gloss=0.5), *lids, lash, _brow(make, surface, sign)]


def _lid(make: _Maker, centre: Points, shut_deg: float, open_deg: float, far_deg: float, name: str) -> Part:
    """Lay a sheet over the eyeball from an edge, open or shut, to deep under the brow (or the cheek)."""
    radius = _EYE_RADIUS * (1.13 if name != "lash" else 1.17)
    side, t = np.meshgrid(np.radians(np.linspace(-80, 80, 21)), np.linspace(0, 1, 9))

    def shaped(edge_deg: float, far: float) -> Points:
        rise = np.radians(edge_deg + (far - edge_deg) * t) * np.cos(side) ** 0.5
        return centre + radius * np.stack([np.sin(side), -np.cos(side) * np.cos(rise), np.sin(rise)], axis=-1)

    thick = far_deg - open_deg
    rest, shut = shaped(open_deg, far_deg), shaped(shut_deg, shut_deg + thick if name == "lash" else far_deg)
    tone = np.asarray(make.wardrobe.hair) if name == "lash" else 0.86 * np.asarray(make.wardrobe.skin)
    return make.part(name, _facing(rest), tone, shut_by=(shut - rest).reshape(-1, 3))


def _brow(make: _Maker, surface: Callable[[Points, Points], Points], sign: float) -> Part:
    at = np.linspace(0, 1, 9)
    x, z = sign * (0.013 + 0.036 * at), 0.020 + 0.0085 * np.sin(np.pi * np.clip(at * 0.8, 0, 1)) - 0.004 * at
    line = np.stack([x, surface(x, z) - 0.001, z], axis=1)
    return make.part("brow", tube(line, list(0.0045 - 0.0025 * at), segments=10), make.wardrobe.hair)


def _ear(make: _Maker, sign: float) -> Part:
    angle = np.radians(np.linspace(-60, 230, 16))
    rim = np.stack(
        [0.074 + 0.008 * np.sin(angle / 2) ** 2, 0.006 - 0.014 * np.cos(angle), -0.010 + 0.025 * np.sin(angle)], axis=1
    )
    ear = join(
        [
            tube(rim, [0.0045] * len(rim), segments=8),
            ellipsoid((0.073, 0.004, -0.012), (0.007, 0.014, 0.022), segments=16),
        ]
    )
    solid = ear if sign > 0 else ear.mirrored()
    return make.part("ear", solid, skin(solid.vertices, make.wardrobe.skin, 0.04))


def _hair(make: _Maker) -> Part:
    """Lay a cap over the skull, fuller on top, with a fringe; a bob falls to the jaw at sides and back."""
    lumps = [
        ellipsoid((0, 0.026, 0.044), (0.083, 0.096, 0.086), segments=40),
        ellipsoid((0.012, -0.040, 0.098), (0.066, 0.052, 0.030)),
        ellipsoid((-0.034, -0.058, 0.078), (0.036, 0.028, 0.022)),
        ellipsoid((0, 0.050, -0.015), (0.068, 0.055, 0.062)),
    ]
    for sign in (1, -1):
        lumps.append(ellipsoid((sign * 0.071, -0.008, 0.030), (0.012, 0.024, 0.042)))
        if make.wardrobe.bob:
            lumps.append(ellipsoid((sign * 0.072, 0.020, -0.030), (0.022, 0.050, 0.085)))
    if make.wardrobe.bob:
        lumps.append(ellipsoid((0, 0.066, -0.030), (0.078, 0.042, 0.085)))
    solid = melt(lumps, voxel=0.005, smoothing=5)
    strands = 0.5 + 0.5 * waves(solid.vertices * [3.0, 1.0, 0.5], 0.012, 21)
    shade = 0.75 + 0.6 * strands + 0.25 * waves(solid.vertices, 0.06, 22)
    return make.part("hair", solid, np.asarray(make.wardrobe.hair) * np.clip(shade, 0.3, 2)[:, None], gloss=0.10)
