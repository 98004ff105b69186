"""Where compiled kernels are kept."""

import os
import subprocess
import sys
from pathlib import Path

SHOW = "import os, emulator; print(os.environ['NUMBA_CACHE_DIR'])"


def told(cache: Path) -> Path:
    done = subprocess.run(
        [sys.executable, "-c", SHOW],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "NUMBA_CACHE_DIR": str(cache)},
    )
    return Path(done.stdout.strip())


def test_a_cache_of_the_user_holds_a_folder_for_the_sources_as_they_are(tmp_path: Path) -> None:
    folder = told(tmp_path)
    assert folder.parent == tmp_path
    assert told(folder) == folder, "a process started by one of ours keeps to its folder"
