# SPDX-License-Identifier: GPL-3.0-or-later
"""Pack the tracker's networks out of mediapipe 0.10.21's wheel: `pack_networks.py WHEEL [INTO]`.

mediapipe 1.2, which runs in every Blender, has no networks inside and would download them. The wheel of 0.10.21 has
them (Apache-2.0), loose; here they become the `.task` bundles that 1.2 reads. Nothing of the wheel is run or installed.
Fetch it on any platform with

    pip download --no-deps --only-binary :all: --python-version 311 --platform manylinux_2_28_x86_64 mediapipe==0.10.21

WHEEL is that file or the folder that holds it; INTO is `wheels/networks` unless said. Equal bytes every time.
Needs flatbuffers, which mediapipe needs too.
"""

from __future__ import annotations

import hashlib
import io
import struct
import sys
import zipfile
from importlib.util import module_from_spec
from pathlib import Path
from types import ModuleType
from typing import Any
from zipimport import zipimporter

import flatbuffers  # type: ignore[import-untyped]

WHEEL_NAME = "mediapipe-0.10.21-cp311-cp311-manylinux_2_28_x86_64.whl"
WHEEL_SHA256 = "05dc4a9e593655a79558d05d6227d31018c2537a4bd3362b51e230cf22aecfe3"
INTO = Path(__file__).parent.parent / "wheels" / "networks"

BUNDLES = {
    "pose.task": {
        "pose_detector.tflite": "pose_detection/pose_detection.tflite",
        "pose_landmarks_detector.tflite": "pose_landmark/pose_landmark_full.tflite",
    },
    "face.task": {
        "face_detector.tflite": "face_detection/face_detection_short_range.tflite",
        "face_landmarks_detector.tflite": "face_landmark/face_landmark.tflite",
    },
    "hand.task": {
        "hand_detector.tflite": "palm_detection/palm_detection_full.tflite",
        "hand_landmarks_detector.tflite": "hand_landmark/hand_landmark_full.tflite",
    },
}
"""Bundle -> member, named as the task looks it up -> network under `mediapipe/modules/`."""

SINGLE = {"selfie.tflite": "selfie_segmentation/selfie_segmentation.tflite"}

UNDESCRIBED = "pose_landmark/pose_landmark_full.tflite"
"""Lacks the metadata that a task demands. Its input is RGB in 0..1 (the wheel's graph `pose_landmark_cpu`)."""

SHORT = "face_landmark/face_landmark.tflite"
"""Gives 468 points. The task cuts any output into 478 (it wants irises too): too few numbers become wrong points."""

TASK_FACE_POINTS = 478

NOTICE = f"""\
The networks in this folder are MediaPipe's, by The MediaPipe Authors, under the Apache License 2.0 (see LICENSE).
They were taken from {WHEEL_NAME} (PyPI).
Changed: pose_landmark_full.tflite was given TFLITE_METADATA (its input's normalisation),
face_landmark.tflite a last operator that pads its 468 points by zeros to 478. Their weights are untouched.
The .task files are stored zips of two networks each. Made by tools/pack_networks.py.
"""

_TENSOR_ALIGNMENT_BYTES = 16
_ZIP_HEADER_BYTES = 30
_PADDING_FIELD = 0xD935
"""Android's id of an extra field for alignment (zipalign)."""
_EPOCH = (1980, 1, 1, 0, 0, 0)


class WheelWrongError(Exception):
    """The file given is not the wheel whose networks are meant."""


def pack_networks(wheel: Path, into: Path) -> None:
    """Write the bundles, LICENSE, NOTICE and SHA256 into a folder. Raises WheelWrongError before writing anything."""
    wheel = wheel / WHEEL_NAME if wheel.is_dir() else wheel
    _check(wheel)
    with zipfile.ZipFile(wheel) as archive:
        files = {name: _bundle(archive, wheel, members) for name, members in BUNDLES.items()}
        files |= {name: _network(archive, wheel, source) for name, source in SINGLE.items()}
        texts = {"LICENSE": archive.read("mediapipe-0.10.21.dist-info/LICENSE"), "NOTICE": NOTICE.encode()}
    hashes = [f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in sorted(files.items())]
    into.mkdir(parents=True, exist_ok=True)
    for name, data in (files | texts | {"SHA256": "".join(hashes).encode()}).items():
        (into / name).write_bytes(data)


def _check(wheel: Path) -> None:
    if not wheel.is_file():
        raise WheelWrongError(f"{wheel} does not exist. Fetch it by the command at the top of {__file__}.")
    if (found := hashlib.sha256(wheel.read_bytes()).hexdigest()) != WHEEL_SHA256:
        raise WheelWrongError(f"{wheel} has SHA-256 {found}, not {WHEEL_SHA256} of {WHEEL_NAME}. Fetch it again.")


def _bundle(archive: zipfile.ZipFile, wheel: Path, members: dict[str, str]) -> bytes:
    """Store networks in a zip with fixed times and modes, uncompressed: mediapipe maps them in place."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as bundle:
        for name, source in members.items():
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.create_system = 3  # Unix, wherever this runs
            entry.extra = _padding(packed.tell() + _ZIP_HEADER_BYTES + len(name))
            bundle.writestr(entry, _network(archive, wheel, source))
    return packed.getvalue()


def _padding(start: int) -> bytes:
    """Fill a zip entry's extra field so that its data starts aligned: TFLite copies tensors that are not."""
    data_bytes = -(start + 4) % _TENSOR_ALIGNMENT_BYTES
    return struct.pack("<HH", _PADDING_FIELD, data_bytes) + bytes(data_bytes)


def _network(archive: zipfile.ZipFile, wheel: Path, source: str) -> bytes:
    data = archive.read(f"mediapipe/modules/{source}")
    if source not in (UNDESCRIBED, SHORT):
        return data
    schema = _schema(wheel, "schema_py_generated")
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(data, 0))
    for buffer in model.buffers:
        buffer.Pack = _aligned_pack(buffer)
    if source == UNDESCRIBED:
        _describe(model, schema, wheel)
    else:
        _lengthen(model, schema)
    return _finished(model, b"TFL3")


def _describe(model: Any, schema: ModuleType, wheel: Path) -> None:
    """Add metadata to a network as the wheel's own `MetadataPopulator` would, by the wheel's own schemas."""
    metadata = _metadata(_schema(wheel, "metadata_schema_py_generated"), len(model.subgraphs[0].outputs))
    entry = schema.MetadataT()
    entry.name, entry.buffer = "TFLITE_METADATA", _add_buffer(model, schema, metadata)
    model.metadata.append(entry)


def _lengthen(model: Any, schema: ModuleType) -> None:
    """Append a PAD to the first output, `1 1 1 3*468` float32, so that it holds the task's number of points."""
    graph = model.subgraphs[0]
    short = graph.tensors[graph.outputs[0]]
    missing = 3 * TASK_FACE_POINTS - int(short.shape[-1])
    table = struct.pack("<8i", 0, 0, 0, 0, 0, 0, 0, missing)
    paddings, long, pad = schema.TensorT(), schema.TensorT(), schema.OperatorT()
    paddings.name, paddings.shape, paddings.type = "paddings_to_task", [4, 2], schema.TensorType.INT32
    paddings.buffer = _add_buffer(model, schema, table)
    long.name, long.shape, long.type = "points_of_task", [1, 1, 1, 3 * TASK_FACE_POINTS], schema.TensorType.FLOAT32
    graph.tensors += [paddings, long]
    count = len(graph.tensors)
    codes = [max(code.builtinCode, code.deprecatedBuiltinCode) for code in model.operatorCodes]
    pad.opcodeIndex = codes.index(schema.BuiltinOperator.PAD)
    pad.inputs, pad.outputs = [int(graph.outputs[0]), count - 2], [count - 1]
    graph.operators.append(pad)
    graph.outputs = [count - 1, *map(int, graph.outputs[1:])]


def _add_buffer(model: Any, schema: ModuleType, data: bytes) -> int:
    buffer = schema.BufferT()
    buffer.data = data
    buffer.Pack = _aligned_pack(buffer)
    model.buffers.append(buffer)
    return len(model.buffers) - 1


def _aligned_pack(buffer: Any) -> Any:
    """Keep tensors on the boundary that TFLite's kernels want; the generated packer knows of none."""
    pack = buffer.Pack

    def aligned(builder: flatbuffers.Builder) -> int:
        if buffer.data is not None:
            builder.Prep(_TENSOR_ALIGNMENT_BYTES, len(buffer.data))
        return int(pack(builder))

    return aligned


def _metadata(schema: ModuleType, output_count: int) -> bytes:
    """Describe one RGB image input in 0..1 and plain feature outputs."""
    scale, unit, image = schema.NormalizationOptionsT(), schema.ProcessUnitT(), schema.TensorMetadataT()
    scale.mean, scale.std = [0.0], [255.0]
    unit.optionsType, unit.options = schema.ProcessUnitOptions.NormalizationOptions, scale
    image.name, image.processUnits = "image", [unit]
    image.content = schema.ContentT()
    image.content.contentPropertiesType = schema.ContentProperties.ImageProperties
    image.content.contentProperties = schema.ImagePropertiesT()
    image.content.contentProperties.colorSpace = schema.ColorSpaceType.RGB
    graph, model = schema.SubGraphMetadataT(), schema.ModelMetadataT()
    graph.inputTensorMetadata = [image]
    graph.outputTensorMetadata = [_feature(schema) for _ in range(output_count)]
    model.subgraphMetadata, model.minParserVersion = [graph], "1.0.0"
    return _finished(model, b"M001")


def _feature(schema: ModuleType) -> Any:
    output = schema.TensorMetadataT()
    output.content = schema.ContentT()
    output.content.contentPropertiesType = schema.ContentProperties.FeatureProperties
    output.content.contentProperties = schema.FeaturePropertiesT()
    return output


def _finished(root: Any, identifier: bytes) -> bytes:
    builder = flatbuffers.Builder(0)
    builder.Finish(root.Pack(builder), identifier)
    return bytes(builder.Output())


def _schema(wheel: Path, name: str) -> ModuleType:
    """Import one generated schema straight from the wheel; its package would import all of mediapipe."""
    spec = zipimporter(f"{wheel}/mediapipe/tasks/metadata").find_spec(name)
    if spec is None or spec.loader is None:
        raise WheelWrongError(f"{wheel} has no {name}.")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    try:
        pack_networks(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else INTO)
    except (WheelWrongError, IndexError) as error:
        sys.exit(f"{error}\n{__doc__}")
