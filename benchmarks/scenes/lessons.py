"""What teaches the small CLIPs: the facts of scenes as classes, and CLIP's loss where a text fits many pictures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from benchmarks.scenes.render import Plan


def aspects(plan: Plan) -> dict[str, tuple[str, ...]]:
    """What is asked of a picture -> the right answers, all equally right; a question that has none is left out."""
    roles = {"left": ("left", "right"), "above": ("upper", "lower"), "inside": ("inner", "outer")}
    told = {
        "thing": tuple(thing.shape for thing in plan.things),
        "size": tuple(f"{thing.size} {thing.shape}" for thing in plan.things),
        "colour": tuple(f"{thing.colour} {thing.shape}" for thing in plan.things) if plan.colours_show else (),
        "tone": tuple(thing.colour for thing in plan.things) if plan.colours_show else (),
        "backdrop": (plan.background,),
        "count": (str(len(plan.things)),),
        "place": tuple(
            f"{role} {plan.things[at].shape}"
            for relation in plan.relations
            for role, at in zip(roles[relation.how], (relation.first, relation.second), strict=True)
        ),
        "palette": (str(plan.palette),),
        "medium": (str(plan.medium),),
        "light": (str(plan.light),),
        "finish": (str(plan.finish),),
    }
    return {question: answers for question, answers in told.items() if answers}


class Classes(nn.Module):
    """A linear layer without bias over L2-normalised embeddings: one direction for each answer."""

    def __init__(self, plans: Sequence[Plan], width: int) -> None:
        super().__init__()
        told = [aspects(plan) for plan in plans]
        self._spans: list[slice] = []
        place: dict[tuple[str, str], int] = {}
        for question in dict.fromkeys(question for answers in told for question in answers):
            start = len(place)
            for answer in sorted({answer for answers in told for answer in answers.get(question, ())}):
                place[question, answer] = len(place)
            self._spans.append(slice(start, len(place)))
        right = np.zeros((len(plans), len(place)), dtype=np.float32)
        for row, answers in zip(right, told, strict=True):
            for question, given in answers.items():
                for answer in given:
                    row[place[question, answer]] += 1 / len(given)
        self._right = torch.from_numpy(right)
        self._questions = list(dict.fromkeys(question for question, _ in place))
        self._recent: Tensor | None = None
        self.directions = nn.Linear(width, len(place), bias=False)
        self.scale = nn.Parameter(torch.tensor(2.5))  # of the logits, as a logarithm

    def loss(self, seen: Tensor, places: Sequence[int]) -> Tensor:
        """The mean cross-entropy of the questions; `seen`: (n, d), of the plans at `places`."""
        logits = nn.functional.linear(seen, nn.functional.normalize(self.directions.weight, dim=-1)) * self.scale.exp()
        right = self._right[list(places)]
        losses = [
            -(right[:, span] * logits[:, span].log_softmax(dim=1)).sum() / right[:, span].sum().clamp(min=1)
            for span in self._spans
        ]
        every = torch.stack(losses)
        self._recent = every.detach()
        return every.mean()

    def said(self) -> str:
        """Each question's last loss."""
        last = [] if self._recent is None else self._recent.tolist()
        return ", ".join(f"{question} {value:.2f}" for question, value in zip(self._questions, last, strict=True))


def clip_loss(seen: Tensor, told: Tensor, scale: Tensor, true: NDArray[np.bool_]) -> Tensor:
    """CLIP's loss for n pictures and n texts, (n, d) each, where `true`, (n, n), says which text fits which picture.

    A short text fits many pictures of a batch, and CLIP's loss would call all but one of them wrong. Which of them a
    text was written for is as good as drawn by lot among those that it fits, so each takes an equal part of it: this
    is CLIP's loss on average over those draws. (Compare SupCon, Khosla et al. 2020.)
    """
    fits = torch.from_numpy(true).float()
    share = fits / fits.sum(dim=0, keepdim=True)
    logits = seen @ told.T * scale
    by_picture = -(share * logits.log_softmax(dim=1)).sum() / len(seen)
    by_text = -(share * logits.log_softmax(dim=0)).sum() / len(seen)
    return (by_picture + by_text) / 2
