"""A batch of images to prompts: ranked together, searched in lock-step, so that they share the text tower's batches."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Protocol

from interrogator.engines import SharedTextTower
from interrogator.errors import InterrogatorError, UnsupportedOptionError
from interrogator.label_table import LabelTable
from interrogator.mined import MinedVocabulary
from interrogator.profiles import ClipProfile
from interrogator.recipes import Prompt, Scene, Task
from interrogator.recipes.extras import extra_labels, merged
from interrogator.recipes.ranked.drafts import Draft
from interrogator.recipes.ranked.kit import Kit
from interrogator.recipes.ranked.modes import Plan, plan, wishes
from interrogator.recipes.ranked.shelf import Pick, Shelf, Wish
from interrogator.recipes.ranked.study import Study, study
from interrogator.search import Ask, Found, Running, solve_all
from interrogator.types import Group, Mode, Options, Phrase, Progress, Stage

if TYPE_CHECKING:
    import torch


class Speaking(Protocol):
    """What the recipe needs of an engine."""

    token_limit: int

    @property
    def text(self) -> SharedTextTower:
        """Its text tower."""


class Ranked:
    """The `Recipe`. `table` holds the vocabulary's labels in the engine's space, in their order."""

    looks_at_captions = False

    def __init__(self, engine: Speaking, vocabulary: MinedVocabulary, table: LabelTable, profile: ClipProfile) -> None:
        shelf = Shelf(vocabulary, table, engine.text)
        self._kit = Kit(text=engine.text, token_limit=engine.token_limit, shelf=shelf, profile=profile)

    def compose(self, tasks: Sequence[Task]) -> list[Prompt | InterrogatorError]:
        """As `Recipe.compose`. `Options.seconds` count from here; past them there is an answer all the same, no worse
        than the caption. UnsupportedOptionError where nothing may be said: there is no caption and no label allowed.
        An error of the engine (memory) is that of all tasks."""
        started = time.monotonic()
        works = [_Work(study(self._kit, task)) for task in tasks]
        try:
            self._plan(works)
            self._compare((work, draft) for work in works if work.error is None for draft in work.plan.drafts)
            self._search([work for work in works if work.error is None and work.known], started)
        except InterrogatorError as error:
            return [work.error or error for work in works]
        return [work.error or _prompt(work) for work in works]

    @property
    def text(self) -> SharedTextTower:
        """As `Recipe.text`."""
        return self._kit.text

    def target(self, scene: Scene, _mode: Mode) -> torch.Tensor:
        """As `Recipe.target`: the image itself."""
        return scene.image

    def nearest(self, scene: Scene, options: Options, top: int) -> tuple[Group, ...]:
        """As `Recipe.nearest`, the groups in the order in which CLIP Interrogator shows them."""
        shelf = self._kit.shelf
        wishes = [
            Wish(image=scene.image, direction=scene.image, options=options, count=top, groups=(name,))
            for name in shelf.groups
        ]
        named = zip(shelf.groups, shelf.nearest(wishes), strict=True)
        return tuple(
            Group(name, tuple((pick.label.text, pick.similarity) for pick in picks)) for name, picks in named if picks
        )

    def _plan(self, works: Sequence[_Work]) -> None:
        """Ranks the labels of all images together, and decides what is to be done with them."""
        wanted = [wishes(work.study) for work in works]
        flat = [wish for own in wanted for wish in own]
        picks = iter(self._with_extras(flat, self._kit.shelf.nearest(flat)))
        for work, own in zip(works, wanted, strict=True):
            work.plan = plan(work.study, list(islice(picks, len(own))))
            try:
                work.study.task.report(Progress(Stage.RANK, 1, 1))
            except InterrogatorError as error:
                work.error = error

    def _with_extras(self, wishes: Sequence[Wish], found: Sequence[list[Pick]]) -> list[list[Pick]]:
        """The picks, where labels of any group are wished for with the askers' own phrases among them, beyond
        the number that is wished for."""
        labels = [extra_labels(wish.options, wish.said) if not wish.groups else [] for wish in wishes]
        texts = list(dict.fromkeys(label.text for own in labels for label in own))
        if not texts:
            return list(found)
        rows = dict(zip(texts, self._kit.text.embed(texts), strict=True))
        results = []
        for wish, own, picks in zip(wishes, labels, found, strict=True):
            known = {pick.label.text.casefold() for pick in picks}
            extra = [
                Pick(label, float(rows[label.text] @ wish.image)) for label in own if label.text.casefold() not in known
            ]
            similarity = {pick: pick.similarity for pick in (*picks, *extra)}
            results.append(merged(picks, extra, similarity))
        return results

    def _compare(self, drafts: Iterable[tuple[_Work, Draft]]) -> None:
        """Adds drafts with their similarities to what is known. All prompts are compared in this way in the end, so
        that a text has the same similarity in every mode."""
        pairs = list(drafts)
        if pairs:
            embedded = self._kit.text.embed([draft.text for _, draft in pairs])
            for (work, draft), row in zip(pairs, embedded, strict=True):
                work.known.append((draft, float(row @ work.study.image)))

    def _search(self, works: Sequence[_Work], started: float) -> None:
        """Runs the searches of those plans that have one, in lock-step."""
        searching: list[_Work] = []
        ends: list[list[Found]] = []
        running: list[Running] = []
        for work in works:
            if work.plan.search is not None:
                task = work.study.task
                until = None if task.options.seconds is None else started + task.options.seconds
                searching.append(work)
                ends.append([])
                search = work.plan.search(work.known, ends[-1])
                running.append(Running(search=search, report=task.report, until=until))

        def score_all(asked: Sequence[tuple[int, Ask]]) -> list[list[float]]:
            embedded = self._embed([ask for _, ask in asked])
            return [(rows @ searching[i].study.image).tolist() for (i, _), rows in zip(asked, embedded, strict=True)]

        found: list[tuple[_Work, Draft]] = []
        for work, solved, passed in zip(searching, solve_all(running, score_all), ends, strict=True):
            if isinstance(solved, InterrogatorError):
                work.error = solved
            else:
                best, work.stopped = solved
                others = [end for end in dict.fromkeys(passed) if end.chosen != best.chosen]
                found += [(work, work.plan.draft_of(end)) for end in (*others, best) if end.prompt]
        self._compare(found)

    def _embed(self, asks: Sequence[Ask]) -> list[torch.Tensor]:
        """The prompts of each ask, (n, d): in a batch those that may be rough, in another the rest."""
        text = self._kit.text
        found: dict[int, torch.Tensor] = {}
        for rough, embed in ((True, text.continue_roughly or text.continue_all), (False, text.continue_all)):
            places = [place for place, ask in enumerate(asks) if ask.rough is rough]
            if places:
                embedded = embed([(asks[place].prefix, asks[place].phrases) for place in places])
                found.update(zip(places, embedded, strict=True))
        return [found[place] for place in range(len(asks))]


@dataclass(slots=True, eq=False)
class _Work:
    """A task on its way to its outcome: `known` are prompts with their similarities."""

    study: Study
    plan: Plan = field(init=False)
    known: list[tuple[Draft, float]] = field(default_factory=list)
    stopped: bool = False
    error: InterrogatorError | None = None


def _prompt(work: _Work) -> Prompt | InterrogatorError:
    """The best prompt known; of equally similar ones that found last."""
    if not work.known:
        options = work.study.task.options
        wordless = options.style_only or options.mode is Mode.NEGATIVE  # no caption stands in such a prompt
        return UnsupportedOptionError(
            "Nothing is left to say about this picture: no phrase of the lists is allowed by the options. "
            + ("Please leave out fewer phrases." if wordless else "Please give a caption, or leave out fewer phrases.")
        )
    draft, similarity = max(reversed(work.known), key=lambda one: work.plan.sign * one[1])
    return Prompt(
        text=draft.text,
        caption=work.study.caption,
        phrases=tuple(Phrase(pick.label.text, pick.label.group, pick.similarity) for pick in draft.picks),
        similarity=similarity,
        stopped_early=work.stopped,
    )
