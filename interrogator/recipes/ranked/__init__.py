"""The recipe for CLIP: CLIP Interrogator's labels by their similarity to the image, and the prompt search over them."""

from interrogator.recipes.ranked.recipe import Ranked

__all__ = ["Ranked"]
