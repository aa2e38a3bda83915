"""Every setting: from the command line, the environment (`INTERROGATOR_*`), a TOML file, and the defaults here."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict
from sqlalchemy import URL

from bot.connection import SQLITE, UnsupportedDatabaseError, parse_url
from bot.settings_errors import SettingsError, explain
from interrogator.address import FORMS, Address, parse_address
from interrogator.errors import ProfileError, WorkerAddressError
from interrogator.limits import MAX_FILE_BYTES
from interrogator.profiles import Profile, profile, profile_names
from interrogator.types import DEFAULT_PROFILE
from interrogator.worker_secret import LEAST_LENGTH, check_secret

PREFIX = "INTERROGATOR_"
LOCAL_FILE = Path("config/local.toml")
MEBIBYTE = 2**20


class Settings(BaseSettings):
    """What can be chosen when the bot starts.

    `load_settings` makes it from every source; made directly it holds the arguments and the defaults alone, whatever
    the environment. `repr` shows neither the token nor the database's address, which may hold a password.
    """

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", env_prefix=PREFIX, env_ignore_empty=True, hide_input_in_errors=True
    )

    token: SecretStr | None = Field(
        default=None,
        description="The bot's Discord token; rather set INTERROGATOR_TOKEN, or token_file, than write it here",
        json_schema_extra={"allowed": "as the developer portal shows it, without spaces"},
    )
    token_file: Path | None = Field(
        default=None,
        description="A file that holds the token alone, such as a Docker secret; read where token is empty",
    )
    data_dir: Path = Field(default=Path("var"), description="Where the bot keeps its files; made where it is missing")
    database_url: str = Field(
        default="",
        repr=False,
        validate_default=True,
        description="The history; empty is a SQLite file in data_dir",
        json_schema_extra={"allowed": "sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME"},
    )
    profiles: Path | None = Field(
        default=None,
        description="A TOML file with profiles of your own: models, captioner, device, precision; see the README",
    )
    profile: str = Field(
        default=DEFAULT_PROFILE,
        validate_default=True,
        description="Which models answer",
        json_schema_extra={"allowed": f"one of {', '.join(profile_names())}, or of the file profiles"},
    )
    further_profiles: str = Field(
        default="",
        validate_default=True,
        description="Profiles that people may choose beside that one; each has a worker and models of its own here",
        json_schema_extra={"allowed": "names of profiles, divided by commas, or empty"},
    )
    worker: str = Field(
        default="",
        description="Where a worker runs by itself (interrogate serve), with the same profile; empty starts one here",
        json_schema_extra={"allowed": f"{FORMS}, or empty"},
    )
    worker_secret: SecretStr | None = Field(
        default=None,
        description="The secret of that worker; rather set INTERROGATOR_WORKER_SECRET, or worker_secret_file",
        json_schema_extra={"allowed": f"at least {LEAST_LENGTH} characters"},
    )
    worker_secret_file: Path | None = Field(
        default=None, description="A file that holds that secret alone; read where worker_secret is empty"
    )
    stall_seconds: float = Field(
        default=120.0,
        ge=5,
        le=3600,
        description="A worker of the bot's own whose work shows no sign of getting on for so long is started anew",
    )
    search_seconds: int = Field(
        default=120, ge=1, le=840, description="A search that takes longer answers with the best prompt so far"
    )
    max_image_bytes: int = Field(
        default=25 * MEBIBYTE, ge=1024, le=MAX_FILE_BYTES, description="The largest image file that is accepted"
    )
    job_seconds: int = Field(
        default=300, ge=5, le=840, description="An image that is not answered by then fails; Discord waits 15 minutes"
    )
    queue_length: int = Field(default=100, ge=1, le=10_000, description="How many images may wait; more are refused")
    jobs_per_user: int = Field(default=3, ge=1, le=100, description="How many images of one person may wait or run")
    nsfw_threshold: float = Field(
        default=0.8,
        ge=0.05,
        le=1,
        description="From this score of the classifier, a picture is answered privately where anybody may read along; "
        "1 is never",
    )
    history_page_size: int = Field(default=5, ge=1, le=10, description="How many answers a page of /history shows")
    retention_days: int = Field(
        default=0, ge=0, le=36_500, description="After how many days a prompt is deleted from the history; 0 is never"
    )
    progress_seconds: float = Field(
        default=2.0, ge=2, le=60, description="The least time between two edits that show progress"
    )
    drain_seconds: float = Field(
        default=20.0, ge=0, le=600, description="How long a bot that is told to stop goes on with what it has begun"
    )
    health_port: int = Field(
        default=0, ge=0, le=65535, description="The port of 127.0.0.1 for /healthz, /readyz and /metrics; 0 is none"
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(default="INFO", description="How much is logged")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the signature is pydantic's
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments only: `load_settings` brings the sources together."""
        return (init_settings,)

    @field_validator("token", "token_file", "profiles", "worker_secret", "worker_secret_file", mode="before")
    @classmethod
    def _empty_is_none(cls, value: object) -> object:
        return None if value == "" else value

    @field_validator("token_file", "data_dir", "profiles", "worker_secret_file")
    @classmethod
    def _home(cls, value: Path | None) -> Path | None:
        return None if value is None else value.expanduser()

    @field_validator("token")
    @classmethod
    def _one_word(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value().split()) != 1:
            raise ValueError("spaces in the token")
        return value

    @field_validator("profile")
    @classmethod
    def _known(cls, value: str, info: ValidationInfo) -> str:
        try:
            names = profile_names(info.data.get("profiles"))
        except ProfileError as error:
            raise SettingsError(str(error)) from error
        if value not in names:
            raise ValueError("no such profile")
        return value

    @field_validator("further_profiles")
    @classmethod
    def _all_known(cls, value: str, info: ValidationInfo) -> str:
        names = [name.strip() for name in value.split(",") if name.strip()]
        known = profile_names(info.data.get("profiles")) if "profile" in info.data else ()
        if "profile" in info.data and not set(names) <= set(known):
            raise ValueError("no such profile")
        return ", ".join(names)

    @field_validator("worker")
    @classmethod
    def _address(cls, value: str) -> str:
        if value:
            try:
                parse_address(value)
            except WorkerAddressError as error:
                raise ValueError(str(error)) from None
        return value

    @field_validator("worker_secret")
    @classmethod
    def _long_enough(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            try:
                check_secret(value.get_secret_value())
            except WorkerAddressError as error:
                raise ValueError(str(error)) from None
        return value

    @field_validator("database_url")
    @classmethod
    def _supported(cls, value: str, info: ValidationInfo) -> str:
        if value:
            try:
                return parse_url(value).render_as_string(hide_password=False)
            except UnsupportedDatabaseError as error:
                raise ValueError(str(error)) from None
        if "data_dir" not in info.data:  # it is wrong itself, and reported
            return value
        path = info.data["data_dir"] / "interrogator.db"
        return URL.create(SQLITE, database=str(path)).render_as_string(hide_password=False)

    @property
    def models(self) -> Profile:
        """The profile that `profile` names, of `profiles` or built in."""
        return profile(self.profile, self.profiles)

    @property
    def offered(self) -> tuple[str, ...]:
        """The profiles that people may choose, `profile` first."""
        further = (name for name in self.further_profiles.split(", ") if name)
        return tuple(dict.fromkeys((self.profile, *further)))

    @property
    def worker_address(self) -> Address | None:
        """Where the worker is that `worker` names; None for one of the bot's own."""
        return parse_address(self.worker) if self.worker else None

    @property
    def worker_credentials(self) -> bytes | None:
        """The secret of `worker`, in the clear; None where there is none."""
        return None if self.worker_secret is None else check_secret(self.worker_secret.get_secret_value())


def load_settings(config: Path | None = None, overrides: Mapping[str, Any] | None = None) -> Settings:
    """Each setting from the first of these that has it: `overrides` (from the command line; None counts as absent),
    the `INTERROGATOR_*` variables, the TOML file `config` (by default `config/local.toml`, where it exists), the
    default. The token and the secret of the worker are read from their files where they are not given themselves.

    Raises `SettingsError`: a line for each setting that is wrong.
    """
    chosen = {name: value for name, value in (overrides or {}).items() if value is not None}
    merged = {**_read_toml(config), **EnvSettingsSource(Settings)(), **chosen}
    for secret in ("token", "worker_secret"):
        file = merged.get(f"{secret}_file")
        if file and isinstance(file, str | Path) and not merged.get(secret):
            merged[secret] = _read_secret(f"{secret}_file", Path(file).expanduser())
    try:
        return Settings(**merged)
    except ValidationError as error:
        raise SettingsError(explain(error, Settings.model_fields)) from None  # the original holds the token


def discord_token(settings: Settings) -> str:
    """The token, in the clear. Raises `SettingsError` where there is none."""
    if settings.token is None:
        raise SettingsError(
            f"There is no Discord token: set {PREFIX}TOKEN, or token_file to a file that holds it. "
            "The bot's page at https://discord.com/developers/applications shows it once, under Bot."
        )
    return settings.token.get_secret_value()


def _read_toml(config: Path | None) -> dict[str, Any]:
    if config is None and not LOCAL_FILE.exists():
        return {}
    path = config or LOCAL_FILE
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"The settings file {path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError:
        raise SettingsError(f"The settings file {path} is not UTF-8 text.") from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"The settings file {path} is not valid TOML: {error}.") from None


def _read_secret(name: str, path: Path) -> str:
    try:
        secret = path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise SettingsError(f"{name} {path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError:
        raise SettingsError(f"{name} {path} is not text.") from None
    if not secret:
        raise SettingsError(f"{name} {path} is empty.")
    return secret
