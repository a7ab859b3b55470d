"""What every section of the settings is made from: strict models, and secrets by reference."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from .profiles.finding import ConfigurationError, Finding


class Section(BaseModel):
    """A part of the settings. Frozen, so all spawners share one."""

    # What is written may be a secret in the wrong place, so no error repeats it.
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Section:
        return self


class SecretRef(Section):
    """Where a secret is: in an environment variable or in a file."""

    env: str | None = Field(default=None, description="The name of an environment variable.")
    file: str | None = Field(default=None, description="The path of a file; its end is stripped.")

    @model_validator(mode="after")
    def _one_of_both(self) -> SecretRef:
        if (self.env is None) == (self.file is None):
            raise ValueError("must be {env: NAME} or {file: PATH}")
        return self

    def resolve(self) -> str:
        """Read the secret.

        Raises
        ------
        ConfigurationError
            It is not there. The message names the place, never the value.
        """
        if self.env is not None:
            if value := os.environ.get(self.env):
                return value
            problem = f"the environment variable {self.env} is not set"
            suggestion = f"set {self.env} where this runs"
        else:
            suggestion = f"let {self.file} hold the secret and be readable"
            try:
                if value := Path(str(self.file)).read_text().strip():
                    return value
                problem = f"{self.file} is empty"
            except (OSError, UnicodeDecodeError) as error:
                problem = f"cannot read {self.file}: {type(error).__name__}"
        raise ConfigurationError([Finding("error", "secret", "", problem, suggestion=suggestion)])
