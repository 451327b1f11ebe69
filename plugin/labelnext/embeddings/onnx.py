"""Vectors of images by a model in a file of ONNX, on this machine."""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labelnext.embeddings.kept import halved
from labelnext.errors import ConfigError, MissingExtra, NotFound
from labelnext.support.images import small_image
from labelnext.support.started import how_to_install
from labelnext.support.words import counted

_KEY = "source.embeddings.onnx"
_TYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(double)": np.float64}
"""Of a model's input, as onnxruntime names them."""


def onnx_embedder(
    path: Path, size: int, mean: Sequence[float], std: Sequence[float]
) -> tuple[Callable[[bytes], NDArray[np.float16]], str]:
    """What makes a vector of an image, and the rules it follows from.

    Each image is squeezed to a square, scaled to [0, 1], and normalised. The vector is the first
    output of the model; a map of features or a list of tokens is averaged.

    Args:
        path: of the model; it takes one image as channels, height, width, or with channels last.
        size: of the square, in pixels.
        mean: of red, green and blue, in [0, 1].
        std: likewise.

    Raises:
        NotFound: if there is no such file.
        MissingExtra: if onnxruntime isn't installed.
        ConfigError: if the file isn't a model of images.
    """
    if not path.is_file():
        raise NotFound(
            f"{_KEY} must be an existing file; got {str(path)!r}.",
            hint="export or download a model in ONNX format, and name its file.",
        )
    if importlib.util.find_spec("onnxruntime") is None:
        raise MissingExtra(
            f"{_KEY} needs the package onnxruntime, which isn't installed.",
            hint=how_to_install("labelnext[onnx]"),
        )
    session = _session(path)
    given = _input(session)
    last, kind = given.shape[3] == 3, _TYPES[given.type]
    centre, scale = (np.array(values, dtype=np.float32) for values in (mean, std))

    def vector(data: bytes) -> NDArray[np.float16]:
        from PIL import Image

        image = small_image(data, 4 * size).resize((size, size), Image.Resampling.BILINEAR)
        pixels = (np.asarray(image, dtype=np.float32) / 255 - centre) / scale
        array = pixels if last else np.ascontiguousarray(pixels.transpose(2, 0, 1))
        try:
            out = np.asarray(session.run(None, {given.name: array[None].astype(kind)})[0])
        except Exception as error:  # onnxruntime has errors of its own
            raise ConfigError(
                f"{_KEY} must take an image of {size} pixels; {path.name} raised "
                f"{' '.join(str(error).split())[:300]}.",
                hint="set source.embeddings.size to that of the model.",
            ) from error
        return halved(_flat(out))

    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return vector, f"onnx {digest} {size} {list(mean)} {list(std)}, 1"


def _input(session: Any) -> Any:
    """The model's input.

    Raises:
        ConfigError: if it isn't a batch of images.
    """
    (given, *more) = session.get_inputs()
    if more or len(given.shape) != 4:
        raise ConfigError(
            f"{_KEY} must be a model whose only input is a batch of images, with 4 dimensions; got "
            f"{counted(1 + len(more), 'input')}, the first with "
            f"{counted(len(given.shape), 'dimension')}."
        )
    if given.type not in _TYPES or not _has_colours(given.shape):
        raise ConfigError(
            f"{_KEY} must be a model that takes real numbers for three colours, first or last; got "
            f"{given.type} of shape {given.shape}.",
            hint="export the model with float32 or float16 inputs of red, green and blue.",
        )
    return given


def _has_colours(shape: Sequence[Any]) -> bool:
    """Whether the second or the last dimension can be that of three colours.

    Example:
        >>> _has_colours([1, 3, 224, 224]), _has_colours(["n", "c", "h", "w"])
        (True, True)
        >>> _has_colours([1, 1, 224, 224])
        False
    """
    return shape[3] == 3 or shape[1] == 3 or not isinstance(shape[1], int)


def _session(path: Path) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1  # several images at once
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise ConfigError(
            f"{_KEY} must be a model in ONNX format; got {str(path)!r}.",
            hint=f"onnxruntime says: {' '.join(str(error).split())[:300]}",
        ) from error


def _flat(out: NDArray[Any]) -> NDArray[np.float32]:
    """The vector of one image.

    Example:
        >>> _flat(np.array([[[[1.0, 3.0]], [[5.0, 7.0]]]])).tolist()
        [2.0, 6.0]
    """
    if out.ndim == 4:  # channels, height, width
        out = out.mean(axis=(2, 3))
    if out.ndim == 3:  # tokens
        out = out.mean(axis=1)
    vector: NDArray[np.float32] = out.ravel().astype(np.float32)
    return vector
