# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of mediapipe's points is what. `left` is the person's own left."""

from __future__ import annotations

NOSE, LEFT_EYE, RIGHT_EYE, LEFT_EAR, RIGHT_EAR, LEFT_MOUTH, RIGHT_MOUTH = 0, 2, 5, 7, 8, 9, 10
LEFT_SHOULDER, RIGHT_SHOULDER, LEFT_ELBOW, RIGHT_ELBOW, LEFT_WRIST, RIGHT_WRIST = 11, 12, 13, 14, 15, 16
LEFT_HIP, RIGHT_HIP = 23, 24
ANKLES = (27, 28)

HEAD = tuple(range(11))
TRUNK = (LEFT_SHOULDER, RIGHT_SHOULDER, RIGHT_HIP, LEFT_HIP)
"""In order round the quadrangle."""
LIMBS = (*TRUNK, LEFT_ELBOW, RIGHT_ELBOW, LEFT_WRIST, RIGHT_WRIST, 25, 26, 27, 28)
BONES = (
    (11, 13),
    (13, 15),
    (15, 19),
    (12, 14),
    (14, 16),
    (16, 20),
    (23, 25),
    (25, 27),
    (27, 31),
    (24, 26),
    (26, 28),
    (28, 32),
)
"""Arms to the index fingers, legs to the toes."""
LIMB_BONES = tuple(bone for bone in BONES if bone not in ((27, 31), (28, 32)))
"""The same without the feet."""
UPPER_BODY = (*TRUNK, LEFT_ELBOW, RIGHT_ELBOW)
LEFT_HAND, RIGHT_HAND = (15, 17, 19, 21), (16, 18, 20, 22)
"""The pose's own few points of a hand: wrist, little finger, index finger, thumb."""
FEET = ((27, 29, 31), (28, 30, 32))
"""Ankle, heel and toes, left and right."""

FACE_TOP, FACE_CHIN = 10, 152
"""Points of the face mesh: top of the forehead, tip of the chin."""
