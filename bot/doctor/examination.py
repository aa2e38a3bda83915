"""The whole examination, in the order in which its findings are printed."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator
from pathlib import Path

from bot import invite
from bot.doctor.application import check_discord, check_intents
from bot.doctor.engine import check_models, check_worker
from bot.doctor.findings import Finding, Level, as_json, failure, is_well, ok
from bot.doctor.machine import application_of, check_cache, check_clock, check_port, check_token
from bot.doctor.storage import check_database
from bot.settings import LOCAL_FILE, PREFIX, Settings, load_settings
from bot.settings_errors import SettingsError


async def doctor(config: Path | None, *, offline: bool, as_object: bool) -> int:
    """`python -m bot doctor`: print each finding as soon as it is there, or one object of all. The exit status: 0 where
    nothing fails, else 1."""
    findings = []
    async for finding in examine(config, offline=offline):
        findings.append(finding)
        if not as_object:
            _say(str(finding))
    well = is_well(findings)
    if as_object:
        _say(json.dumps(as_json(findings), ensure_ascii=False))
    else:
        warnings = sum(finding.level is Level.WARNING for finding in findings)
        failures = sum(finding.level is Level.FAILURE for finding in findings)
        _say("All is well." if not warnings + failures else f"{failures} failed, {warnings} to look at.")
    return 0 if well else 1


async def examine(config: Path | None, *, offline: bool) -> AsyncIterator[Finding]:
    """Everything that can be checked; `offline` leaves Discord out, and needs no token."""
    try:
        settings = load_settings(config)
    except SettingsError as error:
        for line in str(error).splitlines():
            yield failure("settings", line, "Correct it there, or take the line out: config/default.toml lists all.")
        return
    yield ok("settings", _sources(config))
    yield check_token(settings, offline=offline)
    async for finding in _discord(settings, offline=offline):
        yield finding
    for finding in await check_database(settings.database_url):
        yield finding
    yield check_cache()
    yield await check_port(settings.health_port)
    for number, name in enumerate(settings.offered):
        # A worker that runs by itself serves the first alone.
        apart = {} if number == 0 else {"worker": ""}
        one = settings.model_copy(update={"profile": name, "further_profiles": "", **apart})
        models = await check_models(one)
        yield models
        if models.level is not Level.FAILURE:
            yield await check_worker(one)


async def _discord(settings: Settings, *, offline: bool) -> AsyncIterator[Finding]:
    token = None if settings.token is None else settings.token.get_secret_value()
    if token is not None and not offline:
        async for finding in check_discord(token):
            yield finding
        return
    yield check_intents(None)
    if token is not None and (application := application_of(token)) is not None:
        yield ok("invite", f"to a server: {invite.guild_link(application)}")
        yield ok("invite", f"to your account: {invite.user_link(application)}")
    yield check_clock()


def _sources(config: Path | None) -> str:
    """The file that is read, and the names of the variables that are set; never their values."""
    file = config or (LOCAL_FILE if LOCAL_FILE.exists() else None)
    variables = sorted(name for name in os.environ if name.startswith(PREFIX) and os.environ[name])
    read = [*([str(file)] if file else []), *variables]
    return f"from {', '.join(read)}" if read else "all by default"


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - the answer to a command
