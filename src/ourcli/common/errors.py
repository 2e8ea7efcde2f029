"""The one error tree. Each branch fixes the exit code that the command line returns.

    OurcliError                      1   it failed
    ├── UsageError                   2   the words of a command are wrong
    │   ├── ConfigError              2   configuration cannot be read or is not valid
    │   └── MissingExtraError        2   an optional part of ourcli is not installed
    ├── ApprovalNeededError          3   a person has to answer and none is here
    ├── DeniedError                  4   policy or a capability forbids it
    │   └── CapabilityDeniedError    4   a tool wants a right that nobody granted
    ├── ModelError                   5   a model cannot be used
    │   ├── ModelMissingError        5   it is not on this machine
    │   └── ModelBrokenError         5   its file is damaged or not what was promised
    ├── NetworkOffError              6   network needed, but off
    ├── BudgetSpentError             7   tokens, seconds or calls are used up
    ├── CancelledByUserError       130   interrupted
    ├── NotFoundError                1   no such record, recipe, run, ...
    ├── InvalidInputError            1   a record, file or question that cannot be taken
    ├── PlanError                    1   a plan is not valid, or one of its steps failed
    ├── TransientError               1   it failed this time and may work when tried again
    ├── DownloadError                1   every source of a model failed
    ├── PluginError                  1   a plugin's manifest or module cannot be used
    │   └── ToolClashError           1   two tools have one name
    ├── ToolError                    1   a tool was called and failed
    │   ├── ToolInputError           1   what it was given does not fit its schema; it did not run
    │   ├── ToolOutputError          1   what it answered breaks the protocol, its schema or a limit
    │   ├── ToolTimeoutError         1   it took too long and was stopped
    │   └── ToolCrashedError         1   it ended or was killed before it answered
    └── StoreError                   1   the store cannot be read or written
        ├── StoreConflictError       1   what was to be changed is no longer as it was
        └── StoreMismatchError       2   it was written by another embedding model

Every error says what failed (`message`) and what to do (`hint`).
"""

from typing import ClassVar


class OurcliError(Exception):
    """Say what failed and what to do about it.

    Args:
        message: What failed, with the offending value as `{value!r}`.
        hint: What the user can do; empty when there is nothing.
    """

    exit_code: ClassVar[int] = 1
    kind: ClassVar[str] = "failed"

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(OurcliError):
    """The words of a command are wrong."""

    exit_code = 2
    kind = "usage"


class ConfigError(UsageError):
    """Configuration cannot be read or is not valid."""

    kind = "config"


class MissingExtraError(UsageError):
    """An optional part of ourcli is not installed."""

    kind = "missing_extra"


class ApprovalNeededError(OurcliError):
    """A person has to answer and none is here."""

    exit_code = 3
    kind = "approval_needed"


class DeniedError(OurcliError):
    """Policy or a capability forbids it."""

    exit_code = 4
    kind = "denied"


class CapabilityDeniedError(DeniedError):
    """A tool wants a right that nobody granted; nothing was done.

    Args:
        capability: The right, as it is written in grants.
    """

    kind = "capability_denied"

    def __init__(self, message: str, *, capability: str = "", hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.capability = capability


class ModelError(OurcliError):
    """A model cannot be used."""

    exit_code = 5
    kind = "model"


class ModelMissingError(ModelError):
    """The model is not on this machine."""

    kind = "model_missing"


class ModelBrokenError(ModelError):
    """The model's file is damaged or not what was promised."""

    kind = "model_broken"


class NetworkOffError(OurcliError):
    """Network needed, but off."""

    exit_code = 6
    kind = "network_off"


class BudgetSpentError(OurcliError):
    """Tokens, seconds or calls are used up."""

    exit_code = 7
    kind = "budget_spent"


class CancelledByUserError(OurcliError):
    """The user interrupted the work."""

    exit_code = 130
    kind = "interrupted"


class NotFoundError(OurcliError):
    """No such record, recipe, run or model."""

    kind = "not_found"


class InvalidInputError(OurcliError):
    """A record, file or question that cannot be taken."""

    kind = "invalid_input"


class PlanError(OurcliError):
    """A plan is not valid, or one of its steps failed."""

    kind = "plan"


class TransientError(OurcliError):
    """It failed this time and may work when tried again."""

    kind = "transient"


class DownloadError(OurcliError):
    """Every source of a model failed."""

    kind = "download"


class PluginError(OurcliError):
    """A plugin's manifest or module cannot be used."""

    kind = "plugin"


class ToolClashError(PluginError):
    """Two tools have one name; the message names both places."""

    kind = "tool_clash"


class ToolError(OurcliError):
    """A tool was called and failed."""

    kind = "tool"


class ToolInputError(ToolError):
    """What a tool was given does not fit its schema; it did not run."""

    kind = "tool_input"


class ToolOutputError(ToolError):
    """What a tool answered breaks the protocol, its schema or a limit."""

    kind = "tool_output"


class ToolTimeoutError(ToolError):
    """A tool took too long and was stopped."""

    kind = "tool_timeout"


class ToolCrashedError(ToolError):
    """A tool ended or was killed before it answered."""

    kind = "tool_crashed"


class StoreError(OurcliError):
    """The store cannot be read or written."""

    kind = "store"


class StoreConflictError(StoreError):
    """What was to be changed is no longer as it was when that was decided; nothing was done."""

    kind = "conflict"


class StoreMismatchError(StoreError):
    """The store was written by another embedding model."""

    exit_code = 2
    kind = "store_mismatch"
