"""Several images at once: the same answers, each with its own progress, budget and end."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ranked_kit import CAPTIONS, compose, recipe, task

from interrogator.errors import CancelledError, InterrogatorError
from interrogator.recipes import Prompt, Task
from interrogator.types import Mode, Progress, Stage


def tasks() -> list[Task]:
    every = [task(seed, mode, CAPTIONS[seed % 3]) for seed, mode in enumerate([*Mode, *Mode])]
    return [*every, task(3, Mode.BEST, style_only=True, artists=False), task(4, Mode.TURBO, "", max_phrases=2)]


def test_the_answers_are_those_of_the_images_by_themselves() -> None:
    alone = [compose(recipe(0), one)[0] for one in tasks()]
    together = compose(recipe(0), *tasks())
    assert [one.text for one in together] == [one.text for one in alone]
    assert [one.similarity for one in together] == pytest.approx([one.similarity for one in alone], abs=1e-6)
    assert [one.phrases and one.phrases[0].text for one in together] == [
        one.phrases and one.phrases[0].text for one in alone
    ]


def test_the_searches_of_several_images_share_the_calls_of_the_text_tower(monkeypatch: pytest.MonkeyPatch) -> None:
    from ranked_kit import engine

    text, sizes = engine().text, []
    asked = text.continue_all

    def counting(asks: object) -> object:
        sizes.append(len(asks))  # type: ignore[arg-type]
        return asked(asks)  # type: ignore[arg-type]

    monkeypatch.setattr(text, "continue_all", counting)
    alone = []
    for seed in range(4):
        compose(recipe(0), task(seed, Mode.TURBO))
        alone.append(len(sizes))
        assert set(sizes) == {1}
        sizes.clear()
    compose(recipe(0), *(task(seed, Mode.TURBO) for seed in range(4)))
    assert max(sizes) == 4
    assert len(sizes) == max(alone) < sum(alone)
    assert sum(sizes) == sum(alone)


def test_no_tasks_no_prompts() -> None:
    assert recipe(0).compose([]) == []


@pytest.mark.parametrize("mode", [Mode.TURBO, Mode.BEST, Mode.NEGATIVE])
def test_a_search_tells_how_far_it_is_and_how_good(mode: Mode) -> None:
    told: list[Progress] = []
    (prompt,) = compose(recipe(0), replace(task(0, mode), report=told.append))
    assert told[0].stage is Stage.RANK
    searching = [one for one in told if one.stage is Stage.SEARCH]
    assert told[1:] == searching
    assert searching
    shares = [one.done / one.total for one in searching]
    assert shares == sorted(shares)
    assert shares[0] >= 0
    assert shares[-1] <= 1
    assert len({one.total for one in searching}) == 1
    sign = -1 if mode is Mode.NEGATIVE else 1
    known = [sign * one.similarity for one in searching if one.similarity is not None]
    assert known == sorted(known)
    assert sign * prompt.similarity >= known[-1] - 1e-5


@pytest.mark.parametrize("stage", [Stage.RANK, Stage.SEARCH])
@pytest.mark.parametrize("mode", [Mode.TURBO, Mode.BEST, Mode.NEGATIVE])
def test_one_image_may_be_cancelled_while_the_others_go_on(mode: Mode, stage: Stage) -> None:
    steps = 0

    def stop(progress: Progress) -> None:
        nonlocal steps
        if progress.stage is stage:
            steps += 1
            if stage is Stage.RANK or steps == 2:
                raise CancelledError

    others = [task(1, mode), task(2, mode)]
    first, cancelled, last = recipe(0).compose([others[0], replace(task(0, mode), report=stop), others[1]])
    assert isinstance(cancelled, CancelledError)
    assert steps == (1 if stage is Stage.RANK else 2), "it went on after it was stopped"
    assert [first.text, last.text] == [compose(recipe(0), one)[0].text for one in others]  # type: ignore[union-attr]


def test_a_time_limit_is_of_one_image_alone() -> None:
    hurried, patient = compose(recipe(0), task(0, Mode.BEST, seconds=0.0), task(0, Mode.BEST))
    assert hurried.stopped_early
    assert not patient.stopped_early
    assert patient.similarity >= hurried.similarity - 1e-6


def test_an_error_of_the_engine_is_the_outcome_of_every_image(monkeypatch: pytest.MonkeyPatch) -> None:
    from ranked_kit import engine

    class NoMemoryError(InterrogatorError):
        pass

    def fail(*_: object) -> None:
        raise NoMemoryError("The device has too little memory.")

    monkeypatch.setattr(engine().text, "continue_all", fail)
    outcomes = recipe(0).compose([task(0, Mode.TURBO), task(1, Mode.BEST)])
    assert [type(outcome) for outcome in outcomes] == [NoMemoryError, NoMemoryError]
    assert not any(isinstance(outcome, Prompt) for outcome in outcomes)
