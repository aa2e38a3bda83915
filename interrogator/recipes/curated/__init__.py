"""Prompts of our own phrases for the image's kind: the recipe of the lite engine."""
