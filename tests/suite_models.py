"""The models that the suite uses. `python -m tests.suite_models FOLDER` pulls those that FOLDER lacks.

Whatever is there already costs one look at the disk, so a second run needs no network.
"""

import os
import subprocess
import sys
from pathlib import Path

FILES: dict[str, tuple[str, ...]] = {
    "all-MiniLM-L6-v2": ("model.onnx", "tokenizer.json"),
    "SmolLM2-135M-Instruct": ("SmolLM2-135M-Instruct.Q4_1.gguf",),
    "Qwen2.5-Coder-0.5B-Instruct": ("qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",),
}


def missing(folder: Path) -> list[str]:
    """Return the models of the suite that are not in `folder`."""
    return [model for model, names in FILES.items() if not all((folder / model / name).is_file() for name in names)]


def main() -> None:
    """Pull what is missing through the product's own command, which verifies each file."""
    folder = Path(sys.argv[1])
    environment = {**os.environ, "OURCLI_NET": "1", "OURCLI_PATHS_MODELS": str(folder)}
    for model in missing(folder):
        subprocess.run([sys.executable, "-m", "ourcli", "models", "pull", model], check=True, env=environment)
    if left := missing(folder):
        raise SystemExit(f"error: still missing in {folder}: {', '.join(left)}")


if __name__ == "__main__":
    main()
