"""What the tests of the CLIP engine stand on."""

from __future__ import annotations

from interrogator.engines.torchvision_ops import declare_missing_operators

declare_missing_operators()  # before any test imports open_clip or transformers
