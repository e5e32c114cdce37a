"""Result files that are set aside: whose they are isn't known, and they may be the only copy.

    DATA_DIR/set-aside/      files of results/, under their names

Nothing here is ever removed or overwritten but by people.
"""

from __future__ import annotations

import contextlib
import errno
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from basicaer.service.store.sqlite._files import size_without_checksums

__all__ = ["Aside"]

_FOLDER = "set-aside"


class Aside:
    """The folder of a data directory's files that are set aside, which needn't be there."""

    def __init__(self, data_dir: Path) -> None:
        self._results = data_dir / "results"
        self.folder = data_dir / _FOLDER

    def files(self) -> list[Path]:
        """Those that are there."""
        try:
            return [path for path in self.folder.iterdir() if path.is_file()]
        except OSError:
            return []

    def take(self, names: Sequence[str]) -> list[str]:
        """Move results here, as far as that can be done, and under other names where theirs are taken.

        Returns:
            The names of those that were moved.
        """
        moved = []
        with contextlib.suppress(OSError):
            self.folder.mkdir(mode=0o700, exist_ok=True)
        for name in names:
            with contextlib.suppress(OSError):
                _move(self._results / name, _free(self.folder / name))
                moved.append(name)
        return moved

    def give_back(self, sizes: Mapping[str, int | None]) -> list[str]:
        """Move those to the results that are missing there and have these names, and these sizes without
        their checksums; their names.
        """
        back = []
        for path in self.files():
            with contextlib.suppress(OSError):
                if path.name not in sizes or (self._results / path.name).exists():
                    continue
                # Files of 0.1.0 have no checksums.
                if sizes[path.name] in (size_without_checksums(path), path.stat().st_size):
                    _move(path, self._results / path.name)
                    back.append(path.name)
        return back


def _move(path: Path, target: Path) -> None:
    """Move a file, to another file system, too."""
    try:
        path.rename(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        try:
            shutil.copy2(path, target)
        except BaseException:
            target.unlink(missing_ok=True)
            raise
        path.unlink()


def _free(path: Path) -> Path:
    """Return the path, or, where there is one already, one that is like it."""
    number, free = 2, path
    while free.exists():
        free = path.with_name(f"{path.name}~{number}")
        number += 1
    return free
