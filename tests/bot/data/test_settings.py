"""Settings: where they come from, which wins, and how a wrong one is said."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

import bot
from bot.connection import parse_url
from bot.places import MOST_BYTES
from bot.settings import Settings, SettingsError, discord_token, load_settings
from bot.settings_reference import reference
from interrogator.address import TcpAddress
from interrogator.images import Limits
from interrogator.limits import MAX_FILE_BYTES
from interrogator.queue.tickets import FRAME_OVERHEAD
from interrogator.wire import MAX_FRAME_BYTES

TOKEN = ".".join(("M" * 24, "Cl2FMQ", "n" * 27))  # of the form that Discord's have
DEFAULT_TOML = Path(bot.__file__).parents[1] / "config/default.toml"


@pytest.fixture(autouse=True)
def nothing_configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty directory, and none of the developer's own variables."""
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(f"INTERROGATOR_{name.upper()}", raising=False)


def file_with(tmp_path: Path, content: str) -> Path:
    file = tmp_path / "my.toml"
    file.write_text(content, encoding="utf-8")
    return file


def refusal(config: Path | None = None, **overrides: Any) -> str:
    with pytest.raises(SettingsError) as refused:
        load_settings(config, overrides)
    return str(refused.value)


def test_without_anything_the_defaults_hold() -> None:
    settings = load_settings()
    assert settings.token is None
    assert settings.data_dir == Path("var")
    assert settings.database_url == "sqlite+aiosqlite:///var/interrogator.db"
    assert (settings.profile, settings.max_image_bytes, settings.job_seconds) == ("lite", 26_214_400, 300)


def test_the_command_line_wins_over_the_environment_over_the_file_over_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = file_with(tmp_path, "job_seconds = 10\nqueue_length = 10\njobs_per_user = 10\n")
    monkeypatch.setenv("INTERROGATOR_JOB_SECONDS", "20")
    monkeypatch.setenv("INTERROGATOR_QUEUE_LENGTH", "20")
    settings = load_settings(config, {"job_seconds": 30, "history_page_size": None})
    assert (settings.job_seconds, settings.queue_length, settings.jobs_per_user) == (30, 20, 10)
    assert settings.history_page_size == 5


def test_the_local_file_is_read_where_there_is_one_and_no_other_is_named(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config/local.toml").write_text("queue_length = 7")
    assert load_settings().queue_length == 7
    assert load_settings(file_with(tmp_path, "")).queue_length == 100


def test_settings_made_directly_do_not_read_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTERROGATOR_QUEUE_LENGTH", "20")
    assert Settings().queue_length == 100


def test_an_empty_variable_counts_as_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTERROGATOR_QUEUE_LENGTH", "")
    monkeypatch.setenv("INTERROGATOR_TOKEN", "")
    assert (load_settings().queue_length, load_settings().token) == (100, None)


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        load_settings().queue_length = 1  # type: ignore[misc]  # what the test is about


@pytest.mark.parametrize("directory", ["/srv/bot", "some where/with #, ? and %20"])
def test_the_database_is_in_the_data_directory_whatever_its_name(directory: str) -> None:
    settings = load_settings(overrides={"data_dir": directory})
    assert parse_url(settings.database_url).database == f"{directory}/interrogator.db"


def test_home_is_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/alice")
    assert load_settings(overrides={"data_dir": "~/bot"}).data_dir == Path("/home/alice/bot")


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("job_seconds", 901, "job_seconds is 901; it must be a whole number from 5 to 840."),
        ("job_seconds", "soon", "job_seconds is 'soon'; it must be a whole number from 5 to 840."),
        ("queue_length", 1.5, "queue_length is 1.5; it must be a whole number from 1 to 10000."),
        ("progress_seconds", 1, "progress_seconds is 1; it must be a number from 2 to 60."),
        ("progress_seconds", "nan", "progress_seconds is 'nan'; it must be a number from 2 to 60."),
        ("log_level", "trace", "log_level is 'trace'; it must be one of DEBUG, INFO, WARNING, ERROR."),
        ("profile", "sd15", "profile is 'sd15'; it must be one of lite, sd1, sd2, sdxl, or of the file profiles."),
        ("profile", "", "profile is ''; it must be one of lite, sd1, sd2, sdxl, or of the file profiles."),
        ("profiles", "none.toml", "The profiles none.toml cannot be read: No such file or directory."),
        (
            "max_image_bytes",
            MAX_FILE_BYTES + 1,
            "max_image_bytes is 50000001; it must be a whole number from 1024 to 50000000.",
        ),
        ("token_file", 3, "token_file is 3; it must be a path."),
        ("data_dir", 3, "data_dir is 3; it must be a path."),
        ("queue_lenght", 3, "There is no setting queue_lenght; did you mean queue_length?"),
        ("xyz", 3, "There is no setting xyz."),
        (
            "database_url",
            "mysql://root:hunter2@host/x",
            "database_url is not valid; it must be sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME.",
        ),
        ("worker", "host:1", "worker is 'host:1'; it must be unix:PATH or tcp:HOST:PORT, or empty."),
        ("worker_secret", "hunter2", "worker_secret is not valid; it must be at least 16 characters."),
        (
            "token",
            "hunter2 hunter2",
            "token is not valid; it must be as the developer portal shows it, without spaces.",
        ),
    ],
)
def test_a_wrong_setting_is_one_sentence_with_its_name_its_value_and_what_is_allowed(
    name: str, value: object, sentence: str
) -> None:
    assert refusal(**{name: value}) == sentence


def test_the_largest_image_that_may_be_accepted_is_one_that_the_worker_reads() -> None:
    most = load_settings(overrides={"max_image_bytes": MAX_FILE_BYTES}).max_image_bytes
    assert most <= Limits().bytes
    assert most + FRAME_OVERHEAD <= MAX_FRAME_BYTES
    assert most <= MOST_BYTES


def test_all_wrong_settings_are_said_at_once() -> None:
    assert len(refusal(job_seconds=0, queue_length=0, log_level="loud").splitlines()) == 3


def test_a_wrong_file_is_said_with_its_name(tmp_path: Path) -> None:
    assert "absent.toml cannot be read: No such file" in refusal(tmp_path / "absent.toml")
    assert "my.toml is not valid TOML: " in refusal(file_with(tmp_path, "queue_length = \n"))
    (tmp_path / "latin.toml").write_bytes(b'profile = "\xe9"')
    assert "latin.toml is not UTF-8 text" in refusal(tmp_path / "latin.toml")


def test_the_token_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTERROGATOR_TOKEN", TOKEN)
    assert discord_token(load_settings()) == TOKEN


def test_the_token_comes_from_a_file_unless_it_is_given_itself(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(f"{TOKEN}\n")
    assert discord_token(load_settings(overrides={"token_file": file})) == TOKEN
    assert discord_token(load_settings(overrides={"token_file": file, "token": "another"})) == "another"


def test_a_worker_elsewhere_has_an_address_and_a_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (Settings().worker_address, Settings().worker_credentials) == (None, None)
    file = tmp_path / "secret"
    file.write_text("0123456789abcdef\n")
    settings = load_settings(overrides={"worker": "tcp:127.0.0.1:7411", "worker_secret_file": file})
    assert settings.worker_address == TcpAddress("127.0.0.1", 7411)
    assert settings.worker_credentials == b"0123456789abcdef"
    monkeypatch.setenv("INTERROGATOR_WORKER_SECRET", "another 0123456789")
    assert load_settings().worker_credentials == b"another 0123456789"
    assert "0123456789" not in repr(load_settings())


def test_a_token_file_that_cannot_be_used_is_said(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    assert "absent cannot be read: No such file" in refusal(token_file=tmp_path / "absent")
    assert "empty is empty" in refusal(token_file=tmp_path / "empty")
    assert "binary is not text" in refusal(token_file=tmp_path / "binary")


def test_without_a_token_the_way_to_one_is_said() -> None:
    with pytest.raises(SettingsError, match="There is no Discord token: set INTERROGATOR_TOKEN"):
        discord_token(load_settings())


def test_secrets_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTERROGATOR_TOKEN", TOKEN)
    settings = load_settings(overrides={"database_url": "postgresql://alice:hunter2@host/x"})
    shown = f"{settings!r} {settings} {settings.model_dump(exclude={'database_url'})}"
    assert TOKEN not in shown
    assert "hunter2" not in shown
    assert settings.token == SecretStr(TOKEN)


def test_a_mistake_elsewhere_does_not_show_the_token(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Not in the sentence, nor in a traceback that is logged with it."""
    program = (
        f"from bot.settings import load_settings; load_settings(overrides={{'token': '{TOKEN} x', 'job_seconds': 0}})"
    )
    finished = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert "job_seconds is 0" in finished.stderr
    assert TOKEN not in finished.stderr


def test_the_default_file_is_as_the_code_makes_it() -> None:
    """Made by: python -m bot.settings_reference > config/default.toml"""
    assert DEFAULT_TOML.read_text(encoding="utf-8") == reference()


def test_the_default_file_uncommented_names_every_setting_with_its_default(tmp_path: Path) -> None:
    uncommented = "\n".join(line.removeprefix("#") for line in reference().splitlines())
    assert list(tomllib.loads(uncommented)) == list(Settings.model_fields)
    assert load_settings(file_with(tmp_path, uncommented)) == Settings()


def test_the_default_file_as_it_is_changes_nothing(tmp_path: Path) -> None:
    assert load_settings(file_with(tmp_path, reference())) == Settings()


@pytest.mark.parametrize(
    ("further", "offered"),
    [("", ("lite",)), ("sd1", ("lite", "sd1")), (" sdxl ,sd1,, lite", ("lite", "sdxl", "sd1"))],
)
def test_further_profiles_are_offered_after_the_first(further: str, offered: tuple[str, ...]) -> None:
    assert Settings(further_profiles=further).offered == offered


def test_a_further_profile_that_does_not_exist_is_said() -> None:
    with pytest.raises(SettingsError, match="further_profiles is 'sd1, sd9'; it must be names of profiles"):
        load_settings(None, {"further_profiles": "sd1, sd9"})
