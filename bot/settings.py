"""Every setting, from the command line, the environment (`INTERROGATOR_*`), a TOML file and the defaults here."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict
from sqlalchemy import URL

ENVIRONMENT_PREFIX = "INTERROGATOR_"
LOCAL_FILE = Path("config/local.toml")


class SettingsError(Exception):
    """A setting that cannot be used, as a sentence for whoever runs the bot. Never contains a secret."""


class Settings(BaseSettings):
    """What can be chosen when the bot starts. Made by `load_settings`; made directly it holds defaults and arguments
    only, whatever the environment."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", env_prefix=ENVIRONMENT_PREFIX, env_ignore_empty=True, hide_input_in_errors=True
    )

    token: SecretStr | None = Field(
        default=None, description="the bot's Discord token; rather set it in INTERROGATOR_TOKEN"
    )
    token_file: Path | None = Field(default=None, description="a file that holds the token alone (a Docker secret)")
    data_dir: Path = Field(default=Path("var"), description="where the bot keeps its files; made where it is missing")
    database_url: str = Field(
        default="",
        repr=False,
        validate_default=True,
        description="sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME; empty: SQLite in data_dir",
    )
    profile: str = Field(default="lite", min_length=1, description="which models answer")
    max_image_bytes: int = Field(default=25 * 2**20, ge=1024, le=500 * 2**20, description="the largest file accepted")
    job_seconds: int = Field(
        default=300, ge=5, le=840, description="an image not answered by then is given up (Discord allows 15 minutes)"
    )
    queue_length: int = Field(default=100, ge=1, le=10_000, description="images that may wait; more are refused")
    jobs_per_user: int = Field(default=3, ge=1, le=100, description="images of one person that may wait or run")
    history_page_size: int = Field(default=5, ge=1, le=10, description="interrogations on a page of /history")
    progress_seconds: float = Field(default=2.0, ge=2, le=60, description="time between two edits that show progress")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(default="INFO", description="what is logged")

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], init_settings: PydanticBaseSettingsSource, **_others: Any
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only arguments: `load_settings` merges the sources."""
        return (init_settings,)

    @field_validator("token", "token_file", mode="before")
    @classmethod
    def _empty_is_none(cls, value: object) -> object:
        return None if value == "" else value

    @field_validator("database_url")
    @classmethod
    def _in_data_dir(cls, value: str, info: ValidationInfo) -> str:
        if value or "data_dir" not in info.data:
            return value
        path = info.data["data_dir"] / "interrogator.db"
        return URL.create("sqlite+aiosqlite", database=str(path)).render_as_string(hide_password=False)


def load_settings(config: Path | None = None, overrides: Mapping[str, Any] | None = None) -> Settings:
    """Settings from, the first that has one: `overrides` (None counts as absent), `INTERROGATOR_*` variables, the TOML
    file `config` (else `config/local.toml` where it exists), the defaults. Raises `SettingsError`."""
    chosen = {name: value for name, value in (overrides or {}).items() if value is not None}
    merged = {**_read_file(config), **EnvSettingsSource(Settings)(), **chosen}
    try:
        return Settings(**merged)
    except ValidationError as error:
        raise SettingsError(str(error)) from None


def _read_file(config: Path | None) -> dict[str, Any]:
    path = config or LOCAL_FILE
    if config is None and not path.exists():
        return {}
    return tomllib.loads(path.read_text())
