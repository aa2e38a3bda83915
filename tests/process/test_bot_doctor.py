"""`python -m bot doctor`: a line for each thing, and what to do where it is wrong."""

from __future__ import annotations

import functools
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import discord
import discord.http
import pytest
from bot_process import printed_by
from discord_payloads import APPLICATION_ID
from discord_portal import guild
from discord_stub import TOKEN, DiscordStub
from rude_servers import rude, unused_address
from serving_kit import served

from bot.doctor.application import check_discord
from bot.doctor.engine import check_models, check_worker, judged
from bot.doctor.examination import examine
from bot.doctor.findings import Finding, Level
from bot.settings import Settings
from bot.sync import sync
from interrogator.address import parse_address
from interrogator.queue.remote import RemoteQueueConfig

HEALTHY = ("--command", "doctor", "--pipeline", "doctor_pipelines:healthy")


@pytest.fixture
async def stub(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[DiscordStub]:
    async with DiscordStub.running() as running:
        monkeypatch.setattr(discord.http.Route, "BASE", f"{running.url}/api/v10")
        yield running


async def found(token: str = TOKEN) -> dict[str, list[Finding]]:
    """What Discord says, by name."""
    findings: dict[str, list[Finding]] = {}
    async for finding in check_discord(token):
        findings.setdefault(finding.name, []).append(finding)
    return findings


async def the_one(name: str) -> Finding:
    """The only finding of that name that is not well, or else the first."""
    of_it = (await found())[name]
    return next((finding for finding in of_it if finding.level is not Level.OK), of_it[0])


async def test_an_application_that_is_set_up_as_the_readme_says_is_well(stub: DiscordStub) -> None:
    assert await sync(TOKEN, dry_run=False) == 0
    findings = await found()
    assert [finding for group in findings.values() for finding in group if finding.level is not Level.OK] == []
    assert "Interrogator" in findings["discord"][0].text
    server, account = findings["invite"]
    permissions = 0x400 | 0x800 | 0x4000 | 0x8000  # view channel, send messages, embed links, attach files
    assert f"client_id={APPLICATION_ID}&scope=bot+applications.commands&permissions={permissions}" in server.text
    assert account.text.endswith(f"client_id={APPLICATION_ID}&scope=applications.commands&integration_type=1")


async def test_a_token_that_is_not_accepted(stub: DiscordStub) -> None:
    findings = await found("MTIzNDU2Nzg5MDEyMzQ1Njc4.of-another.time-and-place")
    assert list(findings) == ["discord"]
    assert findings["discord"][0].level is Level.FAILURE
    assert "does not accept the token" in findings["discord"][0].text


@pytest.mark.parametrize("silent", [False, True])
async def test_a_discord_that_cannot_be_asked(silent: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.doctor.application.SECONDS", 0.3)
    async with rude(silent=silent) as address:
        monkeypatch.setattr(discord.http.Route, "BASE", f"{address}/api/v10")
        [finding] = (await found())["discord"]
        assert finding.level is Level.FAILURE
        assert "cannot be asked" in finding.text


async def test_privileged_intents_that_are_allowed_and_not_needed_are_named(stub: DiscordStub) -> None:
    stub.portal.application["flags"] = 1 << 15 | 1 << 18
    finding = await the_one("intents")
    assert finding.level is Level.OK
    assert "allows Server Members, Message Content" in finding.text


@pytest.mark.parametrize(
    ("change", "level", "words"),
    [
        ({"integration_types_config": {"0": {}}}, Level.WARNING, "User Install is not allowed"),
        ({"integration_types_config": {"1": {}}}, Level.WARNING, "Guild Install is not allowed"),
        ({"integration_types_config": None}, Level.WARNING, "Guild Install is not allowed"),
        (
            {
                "integration_types_config": {
                    "0": {"oauth2_install_params": {"scopes": ["applications.commands"], "permissions": "1024"}},
                    "1": {},
                }
            },
            Level.WARNING,
            "lacks bot, Send Messages, Embed Links, Attach Files",
        ),
        ({"interactions_endpoint_url": "https://example.org/"}, Level.FAILURE, "none to this bot"),
        ({"bot_require_code_grant": True}, Level.WARNING, "code grant"),
    ],
)
async def test_an_installation_that_lacks_something(
    stub: DiscordStub, change: dict[str, object], level: Level, words: str
) -> None:
    stub.portal.application |= change
    finding = await the_one("installation")
    assert finding.level is level
    assert words in finding.text
    assert finding.advice


async def test_permissions_that_lack_in_a_server_are_named(stub: DiscordStub) -> None:
    stub.portal.guilds = [guild("Studio"), guild("Attic", "3072"), guild("Owner's", "8")]
    finding = await the_one("servers")
    assert finding.level is Level.WARNING
    assert finding.text == "in 3; permissions lack in Attic (Embed Links, Attach Files)"


async def test_no_server_yet_is_no_fault(stub: DiscordStub) -> None:
    stub.portal.guilds = []
    finding = await the_one("servers")
    assert (finding.level, finding.text) == (Level.OK, "in none yet: open the link above")


async def test_commands_that_discord_does_not_know_are_named(stub: DiscordStub) -> None:
    await sync(TOKEN, dry_run=False)
    stub.portal.forget_commands("history")
    finding = await the_one("commands")
    assert finding.level is Level.WARNING
    assert "/history added" in finding.text
    assert "python -m bot sync" in finding.advice


async def test_no_start_left_is_a_failure(stub: DiscordStub) -> None:
    stub.portal.starts_left = 0
    assert (await the_one("starts")).level is Level.FAILURE


async def test_as_a_process_all_is_well_and_no_secret_is_shown(tmp_path: Path) -> None:
    async with DiscordStub.running() as stub:
        status, out, log = await printed_by(stub.url, tmp_path, *HEALTHY)
        assert status == 0, out + log
        lines = [line for line in out.splitlines() if not line.startswith(" ")]
        assert all(line.startswith(("ok ", "warn ")) for line in lines[:-1]), out
        names = {line[6:20].strip() for line in lines[:-1]}
        assert {"settings", "token", "discord", "intents", "servers", "database", "models", "worker"} <= names
        assert TOKEN not in out + log
        assert "Traceback" not in log
        assert not any(tmp_path.iterdir())  # noqa: ASYNC240


async def test_offline_without_a_token_it_needs_no_discord(tmp_path: Path) -> None:
    options = (*HEALTHY, "--offline", "--json")
    status, out, _ = await printed_by(unused_address(), tmp_path, *options, token="")
    report = json.loads(out)
    assert (status, report["ok"]) == (0, True), out
    levels = {check["name"]: check["level"] for check in report["checks"]}
    assert levels["token"] == "warn"
    assert "discord" not in levels
    assert levels["worker"] == "ok"


async def test_a_failure_makes_the_status_1_and_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "interrogator.db").write_bytes(b"not a database at all")
    options = ("--command", "doctor", "--pipeline", "doctor_pipelines:damaged", "--offline")
    status, out, _ = await printed_by(unused_address(), tmp_path, *options, token="")
    assert status == 1
    failures = [line for line in out.splitlines() if line.startswith("FAIL")]
    assert [line[6:20].strip() for line in failures] == ["database", "worker"]
    assert out.count("  -> ") >= 2
    assert "2 failed" in out.splitlines()[-1]


async def test_models_that_are_not_here_are_named_with_the_command_that_fetches_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "profiles.toml"
    file.write_text('[mine]\nengine = "clip"\nmodels = ["RN50/openai"]\ncaptioner = "none"\n')
    settings = {"PROFILES": file, "PROFILE": "mine", "DATA_DIR": tmp_path}
    for name, value in settings.items():
        monkeypatch.setenv(f"INTERROGATOR_{name}", str(value))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "nothing here"))
    *_, models = [finding async for finding in examine(None, offline=True)]
    assert (models.name, models.level) == ("models", Level.FAILURE)  # the last: no worker is started without them
    assert models.text == "mine: RN50/openai is not on this machine"
    assert models.advice == f"Fetch them: interrogate fetch mine --profiles {file}"


@pytest.mark.parametrize(
    ("record", "level", "text"),
    [
        ({"ready": True, "device": "cuda:0", "problem": None}, Level.OK, "sd1, on cuda:0: ViT-L-14/openai, blip-large"),
        ({"ready": True, "device": None, "problem": "There is no cuda:9."}, Level.FAILURE, "sd1: There is no cuda:9."),
        ({"ready": False, "device": "cpu", "problem": None}, Level.FAILURE, "sd1: The weights are damaged."),
    ],
)
def test_what_the_command_line_lists_is_judged(record: dict[str, object], level: Level, text: str) -> None:
    about = {"name": "sd1", "engine": "clip", "models": ["ViT-L-14/openai"], "captioner": "blip-large"}
    models = [
        {"name": "ViT-L-14/openai", "present": False, "problem": "The weights are damaged."},
        {"name": "git-large-coco", "present": False, "problem": None},
    ]
    finding = judged({"profiles": [about | record], "models": models}, Settings(profile="sd1"))
    assert (finding.level, finding.text) == (level, text)


async def test_settings_that_are_wrong_are_told_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTERROGATOR_JOB_SECONDS", "0")
    monkeypatch.setenv("INTERROGATOR_QUEUE_LENGTH", "none")
    findings = [finding async for finding in examine(None, offline=True)]
    assert [(finding.name, finding.level) for finding in findings] == [("settings", Level.FAILURE)] * 2
    assert "job_seconds is '0'" in findings[0].text
    assert all(finding.advice for finding in findings)


@pytest.mark.parametrize("there", [True, False])
async def test_a_worker_that_runs_by_itself_is_asked(
    there: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    impatient = functools.partial(RemoteQueueConfig, backoff_seconds=0.01, max_backoff_seconds=0.05)
    monkeypatch.setattr("bot.workers.RemoteQueueConfig", impatient)
    address = f"unix:{tmp_path}/worker.sock"
    settings = Settings(data_dir=tmp_path, worker=address)
    assert address in (await check_models(settings)).text
    async with AsyncExitStack() as stack:
        if there:
            await stack.enter_async_context(served(parse_address(address), None, HEALTHY[-1]))
        finding = await check_worker(settings)
    assert finding.level is (Level.OK if there else Level.FAILURE)
    assert ("answered a sample" in finding.text) is there
