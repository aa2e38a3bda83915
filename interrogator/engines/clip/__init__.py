"""The engine of the CLIP profiles: open_clip models and a transformers captioner, on whatever device there is."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from interrogator.engines import Report
    from interrogator.engines.clip.engine import ClipEngine
    from interrogator.engines.clip.fetching import FetchReport
    from interrogator.engines.clip.presence import KnownModel
    from interrogator.profiles import ClipProfile

__all__ = ["device_of", "fetch", "known_models", "load_clip"]


def load_clip(profile: ClipProfile, report: Report | None = None) -> ClipEngine:
    """Load what the profile names. Reports `Stage.LOAD`, part by part. No network is used.

    ModelMissingError where weights are not on this machine: it names the model, its size, where it goes and the
    command that fetches it. UnsupportedOptionError for an unknown model, captioner or a device that is not here;
    ModelDamagedError and DeviceMemoryError (`interrogator.engines.clip.failures`) as they say.
    """
    from interrogator.engines.clip.engine import ClipEngine  # noqa: PLC0415 - torch is imported only when asked for

    return ClipEngine.load(profile, report)


def known_models(profiles: Iterable[ClipProfile] = (), *, everything: bool = False) -> list[KnownModel]:
    """What `interrogate models` lists: see `interrogator.engines.clip.presence.known_models`."""
    from interrogator.engines.clip import presence  # noqa: PLC0415

    return presence.known_models(profiles, everything=everything)


def device_of(profile: ClipProfile) -> str:
    """On which device of this machine the profile computes now, as torch names it; UnsupportedOptionError where the one
    that it asks for is not here."""
    from interrogator.engines.clip.device import choose_device, look  # noqa: PLC0415

    return choose_device(profile.device, look())


def fetch(profile: ClipProfile, report: FetchReport | None = None) -> None:
    """What `interrogate fetch` does: see `interrogator.engines.clip.fetching.fetch`."""
    from interrogator.engines.clip import fetching  # noqa: PLC0415

    fetching.fetch(profile, report)
