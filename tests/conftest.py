"""What every test stands on."""

from __future__ import annotations

from interrogator.threads import let_threads_sleep

let_threads_sleep()  # before any test imports torch
