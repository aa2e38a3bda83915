"""Does the lite engine name what is in a photograph? Hand-labelled images of packages, scored by `lite_scoring`.

    python -m benchmarks.lite_quality [--cache DIR] [--sources skimage,opencv] [--mode fast] [--show] [--json]

Targets: at least 65% of the photographs right, at most 15% wrong. Exit status 0 where both hold, 1 where not, 2 where
there were too few images to tell. The same images are also answered with the plain first class of the same networks
('a photo of a ...', no calibration): what the engine's care is worth shows beside it.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import importlib.util
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import platformdirs
from tqdm import tqdm

from benchmarks.lite_report import (
    ENOUGH_IMAGES,
    ENOUGH_SOURCES,
    Answer,
    Result,
    Row,
    print_answers,
    print_results,
    report,
)
from benchmarks.lite_scoring import Label, Lexicon, parse_names, score
from benchmarks.sources import SOURCES, SourceMissingError, fetch, read
from interrogator.errors import InterrogatorError
from interrogator.process_settings import prepare_process
from interrogator.types import Interrogation, Mode, Options

NAMING_GROUPS = frozenset({"theme", "setting", "framing"})
LABELS = Path(__file__).with_name("lite_quality_labels.tsv")


def read_labels(path: Path = LABELS) -> list[Row]:
    """All rows of the labels file; lines that begin with `#` are notes."""
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    return [
        Row(
            source=line["source"],
            path=line["path"],
            sha256=line["sha256"],
            kind=line["kind"],
            label=Label(*(parse_names(line[column]) for column in ("subjects", "broader", "visible"))),
        )
        for line in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
    ]


def class_names() -> list[str]:
    """The usual English names of the 1000 ImageNet classes, in order (open_clip's list, read without loading torch)."""
    package = importlib.util.find_spec("open_clip")
    if package is None or package.origin is None:
        raise SystemExit("open_clip_torch is not installed: the class names of the baseline come from it")
    spec = importlib.util.spec_from_file_location("_names", Path(package.origin).with_name("zero_shot_metadata.py"))
    if spec is None or spec.loader is None:
        raise SystemExit("open_clip_torch has no zero_shot_metadata.py: the class names of the baseline come from it")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return list(module.IMAGENET_CLASSNAMES)


def engine_class_names() -> list[str]:
    """The engine's own names of the classes: each is as specific a claim as the usual name."""
    from interrogator.engines.lite.subject import load_classes  # noqa: PLC0415 - loads torch

    return [" ".join(word for word in row.name.split() if word not in {"a", "an", "the"}) for row in load_classes()]


def images(rows: Sequence[Row], cache: Path) -> Iterator[tuple[Row, bytes]]:
    """The labelled files that can be had here; what is missing is said on standard error and left out."""
    for name in sorted({row.source for row in rows}):
        try:
            root = fetch(name, cache)
        except SourceMissingError as error:
            tqdm.write(f"left out: {name}: {error}")
            continue
        for row in (row for row in rows if row.source == name):
            try:
                data = read(root, row.path)
            except FileNotFoundError as error:
                tqdm.write(f"left out: {name}: {error}")
                continue
            if hashlib.sha256(data).hexdigest()[:16] == row.sha256:
                yield row, data
            else:
                tqdm.write(f"left out: {name}: {row.path} is not the file that was labelled (another version)")


def lite_engine(mode: Mode) -> Callable[[bytes], Answer]:
    """The engine as its users meet it."""
    from interrogator.pipeline import load_pipeline  # noqa: PLC0415 - loads torch
    from interrogator.request import Request  # noqa: PLC0415

    pipeline = load_pipeline()

    def answer(data: bytes) -> Answer:
        (outcome,) = pipeline.run([Request(image=data, options=Options(mode=mode), report=lambda _: None)])
        if isinstance(outcome, InterrogatorError):
            raise outcome
        return Answer(outcome.caption, naming_phrases(outcome))

    return answer


def naming_phrases(answer: Interrogation) -> tuple[str, ...]:
    """The prompt's phrases of those groups that say what a picture is of, or where."""
    return tuple(phrase.text for phrase in answer.phrases if phrase.group in NAMING_GROUPS)


def plain_classifier(names: Sequence[str]) -> Callable[[bytes], Answer]:
    """The baseline: the same networks' most probable class, whatever its probability."""
    from interrogator.engines.lite.classifier import load_classifier  # noqa: PLC0415 - loads torch
    from interrogator.images import open_image  # noqa: PLC0415

    classify = load_classifier()

    def answer(data: bytes) -> Answer:
        return Answer(f"a photo of a {names[int(classify(open_image(data).image).argmax())]}")

    return answer


def evaluate(rows: Sequence[Row], cache: Path, mode: Mode) -> list[Result]:
    """Both systems on all images that can be had."""
    found = list(images(rows, cache))
    names = class_names()
    lexicon = Lexicon.build([*names, *engine_class_names()], (row.label for row in rows))
    engine, baseline = lite_engine(mode), plain_classifier(names)
    results = []
    for row, data in tqdm(found, desc="images", unit="image"):
        answer, plain = engine(data), baseline(data)
        scored = score(answer.caption, answer.phrases, row.label, lexicon)
        results.append(Result(row, answer, scored, plain, score(plain.caption, (), row.label, lexicon)))
    return results


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.lite_quality", description=__doc__.split("\n\n")[0])
    parser.add_argument("--cache", type=Path, default=Path(platformdirs.user_cache_dir("interrogator")) / "benchmarks")
    parser.add_argument("--sources", default=",".join(SOURCES), help="some of: %(default)s")
    parser.add_argument("--mode", type=Mode, choices=list(Mode), default=Mode.FAST)
    parser.add_argument("--show", action="store_true", help="also list each image's answer")
    parser.add_argument("--json", action="store_true", help="also print one JSON object, as the last line")
    arguments = parser.parse_args()
    arguments.sources = arguments.sources.split(",")
    if unknown := set(arguments.sources) - SOURCES.keys():
        parser.error(f"unknown source {', '.join(sorted(unknown))}; there are {', '.join(SOURCES)}")
    return arguments


def main() -> int:
    """Run the benchmark; the exit status says whether both targets hold."""
    prepare_process()
    arguments = _arguments()
    labelled = read_labels()
    results = evaluate([row for row in labelled if row.source in arguments.sources], arguments.cache, arguments.mode)
    if arguments.show:
        print_answers(results)
    print_results(results, len(labelled))
    outcome = report(results, len(labelled))
    if not outcome["enough"]:
        print(f"too few to tell: {ENOUGH_IMAGES} photographs of {ENOUGH_SOURCES} sources are needed for a verdict")
    if arguments.json:
        print(json.dumps(outcome))
    if not outcome["enough"]:
        return 2
    return 0 if outcome["passed"] else 1


if __name__ == "__main__":
    raise SystemExit(main())
