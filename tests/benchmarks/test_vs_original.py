"""The harness of the comparisons with clip-interrogator, on models that are made in a moment."""

from __future__ import annotations

import json
import threading
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from benchmarks import quality_report, versus, vs_original, whole
from benchmarks.clip_models import Opened, encode, hidden_targets, open_model
from benchmarks.measure import Measured, bootstrap, measure, middle
from benchmarks.original_side import TRENDINGS, look_at, open_original, quietly, ranked_tables, read_lists, recorded
from benchmarks.quality_cases import hidden_cases
from benchmarks.quality_methods import METHODS, TUNED, Trial, phrases_of, try_all
from tests.checkpoints import save_clip

ASKED = {"ratio", "original_s", "ours_s", "identical", "peak_mb_original", "peak_mb_ours"}
ASKED_OF_A_RUN = ASKED | {"case", "model", "pool", "method", "similarity_original", "similarity_ours"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_clip(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="module")
def opened(folder: Path) -> Opened:
    return open_model(str(folder))


def last_line(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    outcome: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])
    return outcome


def test_a_step_gives_the_figures_of_both_sides(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    vs_original.main(["step", "--model", str(folder), "--candidates", "60", "--json"])
    outcome = last_line(capsys)
    assert outcome.keys() >= ASKED
    assert outcome["identical"]
    assert outcome["same_choice"]
    assert outcome["largest_difference"] < 2e-6
    assert outcome["ratio"] == pytest.approx(outcome["original_s"] / outcome["ours_s"])
    assert [run["candidates"] for run in outcome["runs"]] == [60]


def test_a_table_gives_the_figures_of_both_sides(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    vs_original.main(["table", "--model", str(folder), "--labels", "60", "--json"])
    outcome = last_line(capsys)
    assert outcome.keys() >= ASKED
    assert outcome["identical"]
    assert outcome["ours_ms_a_label"] == pytest.approx(1000 * outcome["ours_s"] / 60)


def test_whole_interrogations_are_logged_row_by_row(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "runs.jsonl"
    small = ["--labels", "500", "--pool", "40", "--images", "2"]
    vs_original.main(["best", "--model", str(folder), *small, "--log", str(log), "--json"])
    outcome = last_line(capsys)
    assert outcome.keys() >= ASKED
    assert outcome["identical"], [run["why"] for run in outcome["runs"]]
    assert all(run.keys() >= ASKED_OF_A_RUN for run in outcome["runs"])
    assert [(run["case"], run["method"]) for run in outcome["runs"]] == [
        (f"target {number}", method) for number in (1, 2) for method in ("exact", "turbo", "best")
    ]
    assert [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()] == outcome["runs"]
    assert outcome["ratio"] == outcome["methods"]["exact"]["ratio"]
    best, exact = (outcome["methods"][name]["similarity_ours"] for name in ("best", "exact"))
    assert best >= exact - whole.ROUNDING


def test_a_run_goes_on_with_the_target_it_was_cut_off_at(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small = ["--labels", "420", "--pool", "32", "--methods", "exact", "--json"]
    vs_original.main(["best", "--model", str(folder), *small, "--images", "2"])
    whole_run = last_line(capsys)
    vs_original.main(["best", "--model", str(folder), *small, "--images", "1", "--first", "2"])
    rest = last_line(capsys)
    assert [run["case"] for run in rest["runs"]] == ["target 2"]
    assert rest["runs"][0]["prompt_ours"] == whole_run["runs"][1]["prompt_ours"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["best", "--methods", "exact,magic"], "unknown method magic; there are exact, turbo, best"),
        (["best", "--image", "nowhere.png"], "there is no image nowhere.png"),
    ],
)
def test_what_cannot_be_run_is_said_at_once(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        vs_original.main(words)
    assert said in capsys.readouterr().err


def test_a_model_that_does_not_exist_is_named() -> None:
    with pytest.raises(SystemExit, match="“ViT-Z-99/openai” is neither"):
        open_model("ViT-Z-99/openai")


def test_the_original_takes_embeddings_from_files_of_its_own_format(opened: Opened, tmp_path: Path) -> None:
    lists = read_lists(450)
    asked: list[list[str]] = []

    def embed(texts: Any) -> torch.Tensor:
        asked.append(list(texts))
        return encode(opened, list(texts))

    with recorded(opened.model) as computed:
        interrogator = open_original(opened, lists, embed, tmp_path, pool=16)
    assert [len(some) for some in computed].count(TRENDINGS) == 1
    assert len(computed) == len(asked) + 1, "it computed no table but the one that it makes up"
    tables = ranked_tables(interrogator)
    assert sum(len(labels) for labels, _ in tables.values()) == lists.count() == 450
    assert tables["mediums"][0] == list(lists.mediums)
    expected = encode(opened, list(lists.mediums)).half().float()
    assert torch.equal(tables["mediums"][1], expected)


def test_the_models_own_function_is_given_back(opened: Opened) -> None:
    with recorded(opened.model):
        assert "encode_text" in vars(opened.model)
    assert "encode_text" not in vars(opened.model)


def test_the_original_looks_at_a_target_for_an_image(opened: Opened, tmp_path: Path) -> None:
    interrogator = open_original(opened, read_lists(420), lambda texts: encode(opened, texts), tmp_path, pool=4)
    target = hidden_targets(opened, ["oil on canvas"] * 8, 1)[0]
    with quietly():
        features = look_at(interrogator, target.embedding)
        assert interrogator.similarity(features, target.caption) == pytest.approx(
            float(encode(opened, [target.caption])[0] @ target.embedding), abs=1e-6
        )
        assert interrogator.image_to_features(None) is features


def test_targets_are_the_same_whatever_their_number(opened: Opened) -> None:
    phrases = read_lists(420).flavors
    few, more = (hidden_targets(opened, phrases, count, seed=3) for count in (1, 3))
    assert torch.equal(few[0].embedding, more[0].embedding)
    assert float(few[0].embedding.norm()) == pytest.approx(1, abs=1e-6)
    assert len({target.caption for target in more}) == 3


def test_fewer_labels_keep_the_small_lists_whole() -> None:
    everything, some = read_lists(), read_lists(600)
    assert some.count() == 600
    assert (some.mediums, some.movements) == (everything.mediums, everything.movements)
    assert set(some.flavors) < set(everything.flavors)
    assert read_lists(600) == some
    with pytest.raises(SystemExit, match="too few"):
        read_lists(300)


@pytest.mark.parametrize(
    ("original", "ours", "over", "said"),
    [
        ("a, b, c", "a, b", 3, "3 tokens too long"),
        ("a, b, c", "a, d, c", 0, "part 2 on: “b” against “d”"),
        ("a, b, c", "a, b", 0, "the original goes on"),
        ("a, b", "a, b, c", 0, "ours goes on"),
    ],
)
def test_a_difference_of_prompts_is_told(original: str, ours: str, over: int, said: str) -> None:
    assert said in whole.difference(original, ours, over)


def test_a_measure_has_the_value_the_seconds_and_the_peak_of_the_memory() -> None:
    def act() -> int:
        taken = np.ones(40_000_000)  # 320 MB, given back at the end
        threading.Event().wait(0.05)
        return int(taken[:10].sum())

    measured = measure(act)
    assert measured.value == 10
    assert measured.seconds >= 0.05
    assert measured.cpu_seconds > 0
    assert 300 < measured.peak_mb < 400


def test_the_middle_of_several_runs() -> None:
    runs = [Measured("first", 3.0, 6.0, 10.0), Measured("second", 1.0, 2.0, 30.0), Measured("third", 2.0, 5.0, 20.0)]
    assert middle(runs) == Measured("first", 2.0, 5.0, 30.0)


def test_a_bootstrap_interval_holds_the_mean_as_often_as_it_says() -> None:
    random = np.random.default_rng(0)
    samples = random.normal(1.0, 2.0, (300, 60))
    intervals = [bootstrap(sample.tolist(), resamples=600) for sample in samples]
    covered = sum(one.low <= 1.0 <= one.high for one in intervals) / len(intervals)
    assert 0.9 <= covered <= 0.98
    one = intervals[0]
    assert one.mean == pytest.approx(samples[0].mean())
    usual = 1.96 * samples[0].std() / np.sqrt(60)  # the normal approximation
    assert one.high - one.low == pytest.approx(2 * usual, rel=0.15)


def test_a_bootstrap_interval_of_equal_values_has_no_width_and_of_none_is_an_error() -> None:
    one = bootstrap([0.25] * 5)
    assert (one.mean, one.low, one.high) == (0.25, 0.25, 0.25)
    with pytest.raises(ValueError, match="no values"):
        bootstrap([])


@pytest.fixture(scope="module")
def trials(opened: Opened, tmp_path_factory: pytest.TempPathFactory) -> list[Trial]:
    judge = open_model(str(save_clip(tmp_path_factory.mktemp("models") / "judge", seed=1)))
    bench = hidden_cases("held out", 3, 24, (opened, judge), read_lists(600).flavors)
    names = ("original", "exact", "lazy 16", "local 8:64/1", "beam 2", "turbo", "best")
    return try_all(bench, {name: METHODS[name] for name in names})


def test_every_search_is_tried_on_every_case(trials: list[Trial]) -> None:
    assert len(trials) == 3 * 7
    by_case = {(trial.method, trial.case): trial for trial in trials}
    for number in (1, 2, 3):
        case = f"target {number}"
        assert by_case["original", case].prompt == by_case["exact", case].prompt
        assert by_case["best", case].similarity >= by_case["turbo", case].similarity - 1e-6
        assert by_case["original", case].texts >= by_case["exact", case].texts > 0
        assert by_case["original", case].tokens > by_case["exact", case].tokens > 0
    assert all(0 <= trial.precision <= 1 and 0 <= trial.recall <= 1 for trial in trials)


def test_the_report_compares_each_method_with_the_original(trials: list[Trial], tmp_path: Path) -> None:
    outcome = quality_report.report(trials)
    rows = {row["method"]: row for row in outcome["methods"]}
    assert outcome["base"] == "original"
    assert outcome["identical"] == 3
    assert rows["original"]["similarity_gain"] == [0, 0, 0]
    assert rows["exact"]["similarity_gain"] == pytest.approx([0, 0, 0], abs=1e-6)
    json.dumps(outcome)
    drawn = tmp_path / "quality.png"
    quality_report.plot(outcome, "a note", drawn)
    assert drawn.read_bytes().startswith(b"\x89PNG")


def trial(method: str, case: int, texts: int, similarity: float) -> Trial:
    return Trial(method, str(case), 1.0, texts, 10 * texts, similarity, 0.0, 1.0, 1.0, 1, "")


def test_the_chosen_parameters_are_the_cheapest_that_are_good_enough() -> None:
    table = {
        "exact": (1000, 0.5),
        "turbo 128:64/0": (50, 0.4),
        "turbo 512:32/1": (100, 0.5),
        "turbo 512:64/2": (300, 0.51),
        "best 128:4:64/3": (400, 0.55),
        "best 128:8:64/1": (500, 0.599),
        "best 128:8:64/3": (900, 0.6),
    }
    trials = [trial(name, case, texts, similarity) for name, (texts, similarity) in table.items() for case in range(4)]
    assert quality_report.choose(trials) == {"turbo": "turbo 512:32/1", "best": "best 128:8:64/1"}
    assert table.keys() <= TUNED.keys()


def test_the_phrases_of_a_prompt_are_what_stands_after_the_caption() -> None:
    assert phrases_of("a cat, on a mat, oil, blue", "a cat, on a mat") == ["oil", "blue"]
    assert phrases_of("a cat", "a cat") == []
    assert asdict(trial("exact", 0, 1, 0.0))["phrases"] == 1


def test_the_settings_know_how_exact_a_device_is() -> None:
    assert versus.Settings("ViT-B-32").tolerance < versus.Settings("ViT-B-32", device="cuda:1").tolerance
