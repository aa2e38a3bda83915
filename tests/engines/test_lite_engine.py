"""The lite engine as the pipeline uses it."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import engine_pictures as pictures
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from interrogator.engines import Engine
from interrogator.errors import CancelledError
from interrogator.types import Progress, Stage

PHRASES = ["a cat", "a dog", "a spoon", "forest", "soft light", "a cup of coffee", "an airplane", "a rock band"]


def test_a_tabby_is_a_cat(engine: Engine) -> None:
    assert "cat" in engine.captions([pictures.cat()])[0]


def test_a_face_is_a_person(engine: Engine) -> None:
    caption = engine.captions([pictures.portrait()])[0]
    assert "person" in caption
    assert not {"woman", "man", "girl", "boy", "young", "old"} & set(caption.split())


BLANKS = [pictures.plain(colour) for colour in ((90, 120, 200), (0, 0, 0), (255, 255, 255))]


@pytest.mark.parametrize("picture", [pictures.noise(1), *BLANKS])
def test_nothing_is_named_in_a_picture_of_nothing(engine: Engine, picture: Image.Image) -> None:
    assert engine.captions([picture]) == [""]


def test_an_image_lies_nearest_to_what_it_shows(engine: Engine) -> None:
    texts = engine.text.embed(PHRASES)
    images = engine.embed_images([pictures.cat(), pictures.coffee(), pictures.portrait()])
    assert PHRASES[int((texts @ images[0]).argmax())] == "a cat"
    assert PHRASES[int((texts @ images[1]).argmax())] in {"a cup of coffee", "a spoon"}
    assert float(engine.text.embed(["a person"])[0] @ images[2]) > float(engine.text.embed(["a person"])[0] @ images[0])


def test_a_cue_draws_the_image_towards_its_phrase(engine: Engine) -> None:
    gray = pictures.cat().convert("L").convert("RGB")
    phrase = engine.text.embed(["black and white"])[0]
    colour, without = engine.embed_images([pictures.cat(), gray])
    assert float(phrase @ without) > float(phrase @ colour) + 0.1


def test_cues_are_style_and_are_lines_of_the_file_of_their_group(engine: Engine) -> None:
    from interrogator.vocabulary import read_phrases

    gray = pictures.disc((255, 255, 255), (40, 40, 40))
    cues = engine.cues([gray])[0]
    assert {"black and white", "plain white background"} <= {cue.text for cue in cues}
    assert all(cue.style and cue.text in read_phrases(cue.group) for cue in cues)


def test_a_batch_gives_what_its_images_give_alone(engine: Engine) -> None:
    images = [pictures.cat(), pictures.noise(2), pictures.portrait()]
    together = engine.embed_images(images)
    alone = torch.cat([engine.embed_images([image.copy()]) for image in images])
    assert together.dtype == torch.float32
    assert torch.allclose(together.norm(dim=-1), torch.ones(3), atol=1e-5)
    assert torch.allclose(together, alone, atol=1e-5)
    assert engine.captions(images) == [engine.captions([image])[0] for image in images]


def test_an_empty_batch_is_answered_with_nothing(engine: Engine) -> None:
    assert engine.captions([]) == []
    assert engine.cues([]) == []
    assert engine.embed_images([]).shape == (0, engine.text.embed(["a cat"]).shape[1])


@pytest.mark.parametrize("size", [(1, 1), (1, 900), (900, 1), (3000, 200), (5, 5)])
def test_any_shape_is_an_image(engine: Engine, size: tuple[int, int]) -> None:
    picture = pictures.plain((200, 30, 30), size)
    assert torch.isfinite(engine.embed_images([picture])).all()
    assert len(engine.captions([picture])) == len(engine.cues([picture])) == 1


@pytest.mark.parametrize("mode", ["L", "P", "CMYK", "RGBA"])
def test_any_pixel_format_is_an_image(engine: Engine, mode: str) -> None:
    assert "cat" in engine.captions([pictures.cat().convert(mode)])[0]


WORDS = st.text(alphabet="abc é,-'🙂 ", max_size=24)


@settings(max_examples=25, deadline=None)
@given(prefix=WORDS, phrases=st.lists(WORDS, max_size=4))
def test_a_continuation_is_the_embedding_of_the_whole_text(engine: Engine, prefix: str, phrases: list[str]) -> None:
    whole = [f"{prefix}, {phrase}" if prefix.strip(" ,") else phrase for phrase in phrases]
    expected, found = engine.text.embed(whole), engine.text.continuations(prefix, phrases)
    assert found.shape == expected.shape == (len(phrases), 384)
    assert torch.allclose(found, expected, atol=1e-5)
    assert torch.allclose(found.norm(dim=-1), torch.ones(len(phrases)), atol=1e-5)


def test_the_order_of_phrases_does_not_matter_and_each_counts(engine: Engine) -> None:
    one, other, without = engine.text.embed(["a cat, forest, fog", "fog, a cat, forest", "a cat, forest"])
    assert torch.allclose(one, other, atol=1e-5)
    assert float(one @ without) < 0.999


def test_tokens_are_those_of_clip(engine: Engine) -> None:
    assert engine.text.count_tokens("") == 0
    assert engine.text.count_tokens("a cat, forest") == 4
    assert engine.text.count_tokens("a cat " * 50) > engine.token_limit == 75


def test_a_report_can_stop_the_embedding_of_texts(engine: Engine) -> None:
    def stop(_: Progress) -> None:
        raise CancelledError("Stopped.")

    with pytest.raises(CancelledError):
        engine.text.embed(["a text that nobody has embedded before"], stop)


def test_embedding_texts_reports_how_far_it_is(engine: Engine) -> None:
    seen: list[Progress] = []
    engine.text.embed([f"number {i}" for i in range(100)], seen.append)
    assert seen[-1] == Progress(Stage.LABELS, 100, 100)
    assert [step.done for step in seen] == sorted(step.done for step in seen)


def test_the_note_names_the_engine_and_the_way_out(engine: Engine) -> None:
    assert "lite" in engine.note
    assert "Engines" in engine.note
    assert engine.name == "lite"


PROCESS = """
import hashlib, sys
from interrogator.engines.lite import load_lite
import engine_pictures as pictures
engine = load_lite()
images = [pictures.cat(), pictures.portrait()]
vectors = engine.embed_images(images)
print(hashlib.sha256(vectors.numpy().tobytes()).hexdigest(), engine.captions(images), engine.cues(images))
"""


def test_another_process_gives_the_same_answer_with_and_without_a_cache_and_network(
    engine: Engine, tmp_path: Path
) -> None:
    images = [pictures.cat(), pictures.portrait()]
    digest = hashlib.sha256(engine.embed_images(images).numpy().tobytes()).hexdigest()
    alike = {"OMP_NUM_THREADS": str(torch.get_num_threads())}  # with more, sums are rounded in another way
    environment = {
        **os.environ,
        **alike,
        "INTERROGATOR_CACHE": os.fspath(tmp_path),
        "HTTPS_PROXY": "http://127.0.0.1:9",
    }
    answers = set()
    for start in range(2):
        if start == 1:  # a cut-off cache is as good as none
            for cached in tmp_path.glob("*.safetensors"):
                cached.write_bytes(cached.read_bytes()[:1000])
        run = subprocess.run(
            [sys.executable, "-W", "error", "-c", PROCESS],
            env=environment, capture_output=True, text=True, timeout=120, check=False, cwd=Path(__file__).parent,
        )  # fmt: skip
        assert run.returncode == 0, run.stderr
        assert run.stderr == ""
        answers.add(run.stdout.strip())
    assert answers == {f"{digest} {engine.captions(images)} {engine.cues(images)}"}
