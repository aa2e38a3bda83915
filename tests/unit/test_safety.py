"""Which pictures are for everyone, with the real classifier."""

from __future__ import annotations

import socket

import pytest
from PIL import Image
from skimage import data

from interrogator.safety import load_rater

PHOTOS = {name: Image.fromarray(getattr(data, name)()) for name in ("chelsea", "coffee", "rocket", "astronaut")}


def test_ordinary_photographs_are_for_everyone_and_nothing_is_downloaded(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a connection was tried")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    rate = load_rater()
    scores = rate(list(PHOTOS.values()))
    assert all(0 <= score < 0.5 for score in scores), dict(zip(PHOTOS, scores, strict=True))


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "CMYK", "1", "I;16"])
@pytest.mark.parametrize("size", [(1, 1), (1, 9000), (9000, 3), (700, 500)])
def test_every_kind_and_shape_of_image_has_a_score(mode: str, size: tuple[int, int]) -> None:
    (score,) = load_rater()([Image.new(mode, size)])
    assert 0 <= score <= 1
