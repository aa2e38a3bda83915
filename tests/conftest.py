"""What every test stands on."""

from __future__ import annotations

from interrogator.process_settings import prepare_process

prepare_process()  # before any test imports torch
