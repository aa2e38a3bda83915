"""The Hugging Face Hub: what a repository holds, and its files into the Hub's own cache."""

from __future__ import annotations

import http.client
import json
import urllib.error
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import huggingface_hub.constants
from huggingface_hub import get_token, hf_hub_download, hf_hub_url
from huggingface_hub.file_download import repo_folder_name

from interrogator.engines.clip.download import Remote, Tell, download, is_sound, open_url, reason_of
from interrogator.engines.clip.places import hub_cache
from interrogator.errors import FetchError


@dataclass(frozen=True, slots=True, eq=False)
class HubFile:
    """A file of a repository. `checksum`, sha256 of large files and git's of others, names it among the blobs."""

    repository: str
    name: str
    size: int
    checksum: str
    remote: Remote


def listing(repository: str) -> list[HubFile]:
    """Every file of the repository's main branch. FetchError where the Hub cannot be asked or does not know it."""
    if huggingface_hub.constants.HF_HUB_OFFLINE:
        raise FetchError("HF_HUB_OFFLINE is set, so nothing is fetched. Unset it and run the command again.")
    url = f"{_endpoint()}/api/models/{repository}/revision/main?blobs=true"
    headers = _headers()
    try:
        with open_url(url, headers) as answer:
            content = json.load(answer)
    except urllib.error.HTTPError as error:
        raise FetchError(
            f"The Hugging Face Hub has no {repository} for you: it answered {error.code}. Is the name right?"
        ) from error
    except (OSError, http.client.HTTPException) as error:  # URLError and time-outs are OSErrors
        raise FetchError(
            f"The Hugging Face Hub ({_endpoint()}) cannot be reached: {reason_of(error)}. Check the connection and run "
            "the same command again."
        ) from error
    except ValueError as error:
        raise FetchError(f"{_endpoint()} does not answer as the Hugging Face Hub does.") from error
    try:
        return [_file(repository, content["sha"], one, headers) for one in content["siblings"]]
    except (KeyError, TypeError) as error:
        raise FetchError(f"{_endpoint()} does not answer as the Hugging Face Hub does.") from error


def store(file: HubFile, tell: Tell) -> Path:
    """The file in the Hub's cache, verified, fetched where it is not there or damaged. FetchError otherwise."""
    folder = repo_folder_name(repo_id=file.repository, repo_type="model")
    blob = hub_cache() / folder / "blobs" / file.checksum
    lock = hub_cache() / ".locks" / folder / f"{file.checksum}.lock"  # the Hub's own programs wait for it too
    download(file.remote, blob, tell, lock=lock)
    try:  # it finds the blob there and makes its entry: what follows is its layout, not ours
        path = hf_hub_download(file.repository, file.name, cache_dir=hub_cache(), endpoint=_endpoint())
        if not Path(path).samefile(blob) and not is_sound(Path(path), file.remote):  # a copy, where links cannot be
            path = hf_hub_download(
                file.repository, file.name, cache_dir=hub_cache(), endpoint=_endpoint(), force_download=True
            )
    except (OSError, ValueError) as error:  # its errors of the network and of the disk are OSErrors
        raise FetchError(f"{file.remote.name} could not be put into the cache {hub_cache()}: {error}") from error
    return Path(path)


def _file(repository: str, commit: str, one: dict[str, Any], headers: dict[str, str]) -> HubFile:
    lfs = one.get("lfs") or {}
    name, size, checksum = one["rfilename"], int(lfs.get("size") or one["size"]), lfs.get("sha256") or one["blobId"]
    url = hf_hub_url(repository, name, revision=commit, endpoint=_endpoint())
    remote = Remote(url=url, name=f"{repository}/{name}", checksum=checksum, size=size, headers=headers)
    return HubFile(repository, name, size, checksum, remote)


def _endpoint() -> str:
    return huggingface_hub.constants.ENDPOINT


def _headers() -> dict[str, str]:
    """With the user's own token, where they have logged in: some repositories ask for it."""
    token = get_token()
    return {"User-Agent": "interrogator", **({"Authorization": f"Bearer {token}"} if token else {})}
