"""Loading without the network, and without the libraries' own messages."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import huggingface_hub.constants
from transformers.utils import logging as transformers_logging


@contextmanager
def no_network() -> Iterator[None]:
    """Within it the libraries of Hugging Face answer from the local cache or fail, without asking the network even
    whether something is newer. A switch of the process: it is set back at the end."""
    constants = huggingface_hub.constants
    before = constants.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before


@contextmanager
def quiet() -> Iterator[None]:
    """Within it transformers shows neither progress bars nor advice; both are set back at the end."""
    verbosity = transformers_logging.get_verbosity()
    bars = transformers_logging.is_progress_bar_enabled()
    transformers_logging.set_verbosity_error()  # type: ignore[no-untyped-call] # transformers' own
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call] # transformers' own
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        transformers_logging.set_verbosity(verbosity)
        if bars:
            transformers_logging.enable_progress_bar()  # type: ignore[no-untyped-call] # transformers' own
