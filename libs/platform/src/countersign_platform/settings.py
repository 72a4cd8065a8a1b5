"""Settings from the environment: `COUNTERSIGN_<FIELD>`, or `COUNTERSIGN_<FIELD>_FILE` for secrets.

A process composes what it needs from the classes below and calls `load` once:

    ProcessSettings        what every process has: probes, logs, traces, drain
    └── ServiceSettings    what a gRPC server adds: its address and who signs its tokens
    DatabaseSettings, BrokerSettings, RedisSettings, ArchiveSettings, ServiceTokenSettings
                            to mix in
"""

import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

PREFIX = "COUNTERSIGN_"
EXIT_CODE_WRONG_SETTING = 2

_ARCHIVE_URL = re.compile(r"file:///.+|memory:///?|(?:s3|gs|az)://[a-zA-Z0-9][^/?#]*(?:/[^?#]*)?")

Address = Annotated[str, Field(pattern=r"^.+:[0-9]{1,5}$")]
Names = Annotated[tuple[str, ...], NoDecode]


class _SettingFileError(ValueError):
    """A `…_FILE` variable cannot be followed."""

    def __init__(self, variable: str, why: str) -> None:
        super().__init__(why)
        self.variable = variable


class EnvironmentSettings(BaseSettings):
    """Reads `COUNTERSIGN_…` and, for every field, `COUNTERSIGN_…_FILE`."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, extra="ignore", hide_input_in_errors=True
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 — part of the hook
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 — part of the hook
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments first, then the environment with its `_FILE` variables followed."""
        if isinstance(env_settings, EnvSettingsSource):
            env_settings.env_vars = _follow_files(settings_cls, env_settings.env_vars)
        return init_settings, env_settings


class ProcessSettings(EnvironmentSettings):
    """What every process has."""

    # Where /metrics, /healthz and /readyz are served, "host:port"; port 0 picks a free one.
    probe_listen: Address = "127.0.0.1:0"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["json", "console"] = "json"
    # OTLP over gRPC, for example "http://collector:4317"; unset means traces are not exported.
    otlp_endpoint: str | None = None
    # How long calls in flight may take to finish after SIGTERM.
    drain_seconds: float = Field(default=20.0, ge=0, le=600)


class ServiceSettings(ProcessSettings):
    """What a gRPC server adds."""

    # Where the server listens, "host:port"; port 0 picks a free one.
    listen: Address = "127.0.0.1:0"
    # Path or http(s) URL of the JSON Web Key Set that tokens are verified with.
    jwks: str = Field(min_length=1)
    jwt_issuer: str = "countersign"
    jwt_audience: str = "countersign"
    # Comma-separated.
    jwt_algorithms: Names = ("EdDSA", "ES256", "RS256")

    @field_validator("jwt_algorithms", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("jwt_algorithms")
    @classmethod
    def _only_asymmetric(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value or not set(value) <= {"EdDSA", "ES256", "RS256"}:
            raise ValueError("must be a list of EdDSA, ES256 and RS256")
        return value


class DatabaseSettings(EnvironmentSettings):
    """PostgreSQL."""

    # postgresql://user:password@host:port/database
    database_url: SecretStr
    database_pool_size: int = Field(default=10, ge=1, le=200)
    # Longest a statement may run before the server cancels it.
    statement_timeout_seconds: float = Field(default=5.0, gt=0, le=300)


class BrokerSettings(EnvironmentSettings):
    """RabbitMQ; unset means the embedded hand-out of work."""

    # amqp://user:password@host:port/vhost
    broker_url: SecretStr | None = None


class RedisSettings(EnvironmentSettings):
    """Redis; unset means every answer comes from PostgreSQL."""

    # redis://host:port/0
    redis_url: SecretStr | None = None


class ArchiveSettings(EnvironmentSettings):
    """Where bytes are kept that must not change; unset means that they are not kept."""

    # A folder: file:///srv/countersign/archive. An object store: s3://bucket/path,
    # gs://bucket/path, az://container/path, with the account and credentials that the store's
    # own tools read (AWS_…, GOOGLE_…, AZURE_STORAGE_…).
    # memory:/// forgets everything with the process.
    archive_url: str | None = None
    # Where a server answers that speaks S3 and is not Amazon's, for example http://minio:9000,
    # and whether it wants the bucket in the path.
    archive_endpoint: Annotated[str, Field(pattern=r"^https?://")] | None = None
    archive_path_style: bool = True
    # Longest time for one call.
    archive_timeout_seconds: float = Field(default=10.0, gt=0, le=300)

    @field_validator("archive_url")
    @classmethod
    def _names_an_archive(cls, value: str | None) -> str | None:
        if value is not None and not _ARCHIVE_URL.fullmatch(value):
            raise ValueError(
                "must be file:///folder, memory:///, s3://bucket/path, gs://bucket/path"
                " or az://container/path"
            )
        return value


class ServiceTokenSettings(EnvironmentSettings):
    """The token that this process presents to other services."""

    # File with one JWT; read again whenever it changes.
    service_token_file: Path


S = TypeVar("S", bound=BaseSettings)


def load(cls: type[S]) -> S:
    """Settings of this process, or one line per wrong setting on stderr and exit code 2."""
    try:
        return cls()
    except ValidationError as error:
        lines = [
            _line(PREFIX + str(item["loc"][0]).upper() if item["loc"] else PREFIX, item["msg"])
            for item in error.errors(include_input=False, include_url=False)
        ]
    except _SettingFileError as error:
        lines = [_line(error.variable, str(error))]
    except SettingsError as error:
        lines = [_line(PREFIX, str(error))]
    print(*dict.fromkeys(lines), sep="\n", file=sys.stderr)  # noqa: T201 — no log is configured yet
    raise SystemExit(EXIT_CODE_WRONG_SETTING)


def _line(variable: str, why: str) -> str:
    plain = why.removeprefix("Value error, ").replace("Field required", "is required")
    return f"countersign: setting {variable}: {plain}"


def _follow_files(
    settings_cls: type[BaseSettings], environment: Mapping[str, str | None]
) -> dict[str, str | None]:
    """`environment` with the content of every `<field>_FILE` under the field's own name."""
    followed = dict(environment)
    for field in settings_cls.model_fields:
        plain = (PREFIX + field).lower()
        file = environment.get(plain + "_file")
        if not file or f"{field}_file" in settings_cls.model_fields:
            continue
        variable = plain.upper() + "_FILE"
        if environment.get(plain):
            raise _SettingFileError(variable, f"is set beside {plain.upper()}; set one of them")
        followed[plain] = _content(variable, Path(file))
    return followed


def _content(variable: str, file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").rstrip("\r\n")
    except OSError as error:
        raise _SettingFileError(variable, f"cannot read {file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise _SettingFileError(variable, f"{file} is not UTF-8 text") from error
