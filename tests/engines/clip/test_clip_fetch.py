"""Fetching ahead: from a Hub on the loopback interface into a cache of the test's own."""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Iterator
from pathlib import Path

import huggingface_hub.constants
import pytest
from checkpoints import save_blip, save_clip
from loopback_hub import COMMIT, LoopbackHub, checksum, serve
from PIL import Image

from interrogator.engines.clip import download as downloading
from interrogator.engines.clip import fetch, known_models, load_clip
from interrogator.engines.clip.captioners import CAPTIONERS
from interrogator.engines.clip.fetching import Fetching, fetch_url
from interrogator.errors import CancelledError, FetchError, ModelMissingError
from interrogator.profiles import ClipProfile

REPOSITORY = "somebody/clip-tiny"
WEIGHTS = "open_clip_model.safetensors"
TINY = ClipProfile(name="tiny", models=(f"hf-hub:{REPOSITORY}",), captioner="none")


def _files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture(scope="module")
def clip_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return _files(save_clip(tmp_path_factory.mktemp("clip")))


@pytest.fixture
def hub(tmp_path: Path, clip_files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackHub]:
    """A Hub with a small CLIP, and an empty cache."""
    monkeypatch.setattr(downloading.time, "sleep", lambda _seconds: None)
    with serve() as hub:
        hub.repositories[REPOSITORY] = dict(clip_files)
        monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", hub.url)
        template = hub.url + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(huggingface_hub.constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
        yield hub


def _blob(tmp_path: Path, clip_files: dict[str, bytes]) -> Path:
    folder = tmp_path / "hub" / "models--somebody--clip-tiny" / "blobs"
    return folder / checksum(WEIGHTS, clip_files[WEIGHTS])


def test_what_was_fetched_is_loaded_and_what_was_not_names_the_command(hub: LoopbackHub, tmp_path: Path) -> None:
    with pytest.raises(ModelMissingError, match=r"interrogate fetch --model hf-hub:somebody/clip-tiny ") as caught:
        load_clip(TINY)
    assert str(tmp_path / "hub") in str(caught.value)
    assert not known_models([TINY])[0].present
    fetch(TINY)
    engine = load_clip(TINY)
    assert engine.text.embed(["a cat"]).shape == (1, 32)
    assert known_models([TINY])[0].present


def test_progress_counts_the_bytes_of_all_files(hub: LoopbackHub, clip_files: dict[str, bytes]) -> None:
    events: list[Fetching] = []
    fetch(TINY, events.append)
    total = sum(map(len, clip_files.values()))
    assert {event.total for event in events} == {total}
    assert [event.done for event in events] == sorted(event.done for event in events)
    assert events[-1].done == total


def test_the_cache_is_laid_out_as_the_hub_does(hub: LoopbackHub, tmp_path: Path, clip_files: dict[str, bytes]) -> None:
    fetch(TINY)
    found = huggingface_hub.hf_hub_download(
        REPOSITORY, WEIGHTS, cache_dir=huggingface_hub.constants.HF_HUB_CACHE, local_files_only=True
    )
    assert COMMIT in found
    assert Path(found).resolve() == _blob(tmp_path, clip_files)


def test_a_broken_connection_is_resumed_within_one_call(hub: LoopbackHub) -> None:
    hub.break_after = [1 << 20] * 3
    fetch(TINY)
    assert any(asked for asked in hub.ranges)
    load_clip(TINY)


def test_a_later_call_goes_on_where_an_earlier_one_was_stopped(
    hub: LoopbackHub, tmp_path: Path, clip_files: dict[str, bytes]
) -> None:
    def stop(event: Fetching) -> None:
        if event.file.endswith(WEIGHTS) and event.done > 2 << 20:
            raise CancelledError

    with pytest.raises(CancelledError):
        fetch(TINY, stop)
    blob = _blob(tmp_path, clip_files)
    part = blob.with_name(blob.name + downloading.PART)
    received = part.stat().st_size
    assert received > 0
    assert not blob.exists()
    with pytest.raises(ModelMissingError):
        load_clip(TINY)
    fetch(TINY)
    assert f"bytes={received}-" in hub.ranges
    assert not part.exists()
    load_clip(TINY)


def test_a_server_that_cannot_resume_is_read_from_the_start(hub: LoopbackHub, clip_files: dict[str, bytes]) -> None:
    hub.break_after, hub.ignore_range = [10, 1 << 20], True
    fetch(TINY)
    load_clip(TINY)


def test_damage_on_the_way_is_found_and_fetched_again(hub: LoopbackHub) -> None:
    hub.spoil = 1
    fetch(TINY)
    load_clip(TINY)


def test_a_checksum_that_stays_wrong_is_an_error_and_leaves_nothing(
    hub: LoopbackHub, tmp_path: Path, clip_files: dict[str, bytes]
) -> None:
    hub.spoil = 1_000
    with pytest.raises(FetchError, match="checksum"):
        fetch(TINY)
    assert not list((tmp_path / "hub").rglob("*" + downloading.PART))
    with pytest.raises(ModelMissingError):
        load_clip(TINY)


def test_a_damaged_file_of_the_cache_is_fetched_again(
    hub: LoopbackHub, tmp_path: Path, clip_files: dict[str, bytes]
) -> None:
    fetch(TINY)
    blob = _blob(tmp_path, clip_files)
    blob.write_bytes(blob.read_bytes()[:-1] + b"!")
    fetch(TINY)
    assert blob.read_bytes() == clip_files[WEIGHTS]


def test_what_is_there_is_not_fetched_again(hub: LoopbackHub) -> None:
    fetch(TINY)
    hub.ranges.clear()
    fetch(TINY)
    assert hub.ranges == []


def test_a_server_that_is_busy_for_a_moment_is_asked_again(hub: LoopbackHub) -> None:
    hub.failures = [503, 500, 429]
    fetch(TINY)
    load_clip(TINY)


def test_a_server_that_stays_down_is_an_error(hub: LoopbackHub) -> None:
    hub.failures = [503] * 100
    with pytest.raises(FetchError, match="the server answered 503"):
        fetch(TINY)


def test_a_repository_that_does_not_exist_is_an_error(hub: LoopbackHub) -> None:
    with pytest.raises(FetchError, match="no somebody/nothing for you: it answered 404"):
        fetch(ClipProfile(name="x", models=("hf-hub:somebody/nothing",), captioner="none"))


def test_a_repository_without_weights_is_an_error(hub: LoopbackHub, clip_files: dict[str, bytes]) -> None:
    del hub.repositories[REPOSITORY][WEIGHTS]
    with pytest.raises(FetchError, match=r"has none of open_clip_model\.safetensors"):
        fetch(TINY)


def test_a_hub_that_cannot_be_reached_is_an_error(hub: LoopbackHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(FetchError, match=r"cannot be reached: [^\[]+\. Check the connection and run the same command"):
        fetch(TINY)


def test_a_user_who_wants_no_network_gets_none(hub: LoopbackHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(FetchError, match="HF_HUB_OFFLINE is set"):
        fetch(TINY)


def test_a_full_disk_is_an_error_that_says_so(hub: LoopbackHub, tmp_path: Path, clip_files: dict[str, bytes]) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no /dev/full")
    blob = _blob(tmp_path, clip_files)
    blob.parent.mkdir(parents=True)
    blob.with_name(blob.name + downloading.PART).symlink_to(full)
    with pytest.raises(FetchError, match="The disk is full"):
        fetch(TINY)


def test_a_captioner_is_fetched_with_safe_weights_alone(hub: LoopbackHub, tmp_path: Path) -> None:
    files = _files(save_blip(tmp_path / "blip"))
    repository = CAPTIONERS["blip-base"].repository
    hub.repositories[repository] = {**files, "pytorch_model.bin": b"x", "tf_model.h5": b"x", "README.md": b"x"}
    both = ClipProfile(name="both", models=TINY.models, captioner="blip-base")
    with pytest.raises(ModelMissingError, match=r"captioner blip-base \(about 990 MB\)"):
        fetch(TINY)
        load_clip(both)
    fetch(both)
    assert isinstance(load_clip(both).captions([Image.new("RGB", (20, 20), "red")])[0], str)
    stored = {path.name for path in (tmp_path / "hub").rglob("snapshots/*/*")}
    assert "model.safetensors" in stored
    assert stored.isdisjoint({"pytorch_model.bin", "tf_model.h5", "README.md"})


def test_weights_in_several_files_are_all_fetched(hub: LoopbackHub, tmp_path: Path) -> None:
    hub.repositories[CAPTIONERS["blip-base"].repository] = _files(save_blip(tmp_path / "blip", shards="100KB"))
    both = ClipProfile(name="both", models=TINY.models, captioner="blip-base")
    fetch(both)
    assert len({path.name for path in (tmp_path / "hub").rglob("snapshots/*/model-*.safetensors")}) > 1
    load_clip(both)
    next((tmp_path / "hub").rglob("snapshots/*/model-00002*.safetensors")).unlink()
    with pytest.raises(ModelMissingError, match="blip-base"):
        load_clip(both)


def test_a_tagged_model_is_fetched_in_the_safe_format(hub: LoopbackHub, tmp_path: Path) -> None:
    hub.repositories["timm/vit_base_patch32_clip_224.openai"] = {
        WEIGHTS: b"weights",
        "open_clip_pytorch_model.bin": b"x",
    }
    fetch(ClipProfile(name="b32", models=("ViT-B-32/openai",), captioner="none"))
    assert {path.name for path in (tmp_path / "hub").rglob("snapshots/*/*")} == {WEIGHTS}


def test_a_plain_address_is_resumed_and_verified_by_the_checksum_in_it(hub: LoopbackHub, tmp_path: Path) -> None:
    content = bytes(range(256)) * 20_000
    digest = hashlib.sha256(content).hexdigest()
    path = f"/openaipublic/clip/models/{digest}/ViT.pt"
    hub.files[path] = content
    hub.break_after = [1 << 20]
    file = fetch_url(hub.url + path, tmp_path / "plain")
    assert file.read_bytes() == content
    assert hub.ranges[0] == ""
    assert hub.ranges[1].startswith("bytes=")
    hub.files[path] = content[:-1] + b"?"
    with pytest.raises(FetchError, match="checksum"):
        fetch_url(hub.url + path, tmp_path / "other")


def test_a_plain_address_that_leads_nowhere_is_an_error(hub: LoopbackHub, tmp_path: Path) -> None:
    with pytest.raises(FetchError, match="404"):
        fetch_url(f"{hub.url}/nothing.pt", tmp_path)
    with pytest.raises(FetchError, match="not one of the web"):
        fetch_url("file:///etc/hostname", tmp_path)


def test_what_was_fetched_is_loaded_without_any_connection(hub: LoopbackHub, tmp_path: Path) -> None:
    hub.repositories[CAPTIONERS["blip-base"].repository] = _files(save_blip(tmp_path / "blip"))
    both = ClipProfile(name="both", models=TINY.models, captioner="blip-base")
    fetch(both)

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a connection was tried")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", refuse)
        patch.setattr(socket.socket, "connect_ex", refuse)
        patch.setattr(socket, "getaddrinfo", refuse)
        engine = load_clip(both)
        engine.captions([Image.new("RGB", (20, 20), "red")])
        engine.embed_images([Image.new("RGB", (20, 20), "red")])
        with pytest.raises(ModelMissingError):
            load_clip(ClipProfile(name="sd1", models=("ViT-L-14/openai",)))
        with pytest.raises(ModelMissingError, match="roberta"):
            load_clip(ClipProfile(name="hf", models=("roberta-ViT-B-32/laion2b_s12b_b32k",)))
        assert not known_models([ClipProfile(name="sd1", models=("ViT-L-14/openai",))])[0].present
