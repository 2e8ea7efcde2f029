"""A model's own tokenizer, with our limits in place of those that its file may carry."""

from pathlib import Path

from tokenizers import Encoding, Tokenizer

from ourcli.common.errors import ModelBrokenError, ModelMissingError

FIRST_READ = 8
"""Characters a token that are read at first: enough for all but odd texts."""

LAST_READ = 64
"""Characters a token that are read at most; what stands beyond them in a text of blanks or giant words is ignored."""


class BoundedTokenizer:
    """Tokenize up to a limit without reading the rest of a huge text.

    Args:
        path: The `tokenizer.json`.
        max_tokens: Most tokens of an encoding, special ones included; the text is cut at its end.

    Raises:
        ModelMissingError: There is no such file.
        ModelBrokenError: It is not a tokenizer.
    """

    def __init__(self, path: Path, max_tokens: int) -> None:
        self._tokenizer = _load(path)
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(max_tokens)
        self._max_tokens = max_tokens

    def encode(self, text: str, *, prompt: str = "") -> Encoding:
        """Return the tokens of `prompt + text`.

        Only so many characters are read as can matter: `FIRST_READ` a token, and when those do not fill the
        limit, `LAST_READ` a token. A megabyte costs milliseconds instead of seconds.
        """
        encoding: Encoding = self._tokenizer.encode(prompt + text[: self._max_tokens * FIRST_READ])
        if encoding.overflowing or len(text) <= self._max_tokens * FIRST_READ:
            return encoding
        longer: Encoding = self._tokenizer.encode(prompt + text[: self._max_tokens * LAST_READ])
        return longer

    def plain(self, text: str, *, special: bool = False) -> Encoding:
        """Return the tokens of `text` alone, nothing added, cut like every encoding.

        Args:
            text: Anything.
            special: Read `<|...|>` in the text as the model's own marks. Leave that to texts that we write: in any
                other one such a word could pass itself off as the end of the text.
        """
        self._tokenizer.encode_special_tokens = not special
        try:
            found: Encoding = self._tokenizer.encode(text[: self._max_tokens * LAST_READ], add_special_tokens=False)
        finally:
            self._tokenizer.encode_special_tokens = False
        return found

    def id_of(self, token: str) -> int:
        """Return the number of a token.

        Raises:
            ModelBrokenError: The vocabulary does not have it.
        """
        found: int | None = self._tokenizer.token_to_id(token)
        if found is None:
            raise ModelBrokenError(
                f"the tokenizer has no token {token!r}", hint="run `ourcli models verify`, then `ourcli setup`"
            )
        return found


def _load(path: Path) -> Tokenizer:
    try:
        document = path.read_text(encoding="utf-8")
    except FileNotFoundError as exc:
        raise ModelMissingError(f"the tokenizer {str(path)!r} is missing", hint="run `ourcli setup`") from exc
    except (OSError, UnicodeDecodeError) as exc:
        raise _broken(path, exc) from exc
    try:
        return Tokenizer.from_str(document)
    except Exception as exc:  # the library raises nothing more precise
        raise _broken(path, exc) from exc


def _broken(path: Path, exc: Exception) -> ModelBrokenError:
    return ModelBrokenError(
        f"cannot load the tokenizer {str(path)!r}: {exc}", hint="run `ourcli models verify`, then `ourcli setup`"
    )
