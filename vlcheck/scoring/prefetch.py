"""Pictures that a thread renders while the model computes: on a GPU, the processor is idle meanwhile."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Generic, NamedTuple, TypeVar

from PIL import Image

from vlcheck.cases.picture import Picture
from vlcheck.metrics.answer import Answer
from vlcheck.scoring.render import render_all

MOST_AHEAD = 10_000_000  # number of pixels that are rendered before they are taken

_Note = TypeVar("_Note")


class _Rendered(NamedTuple, Generic[_Note]):
    picture: Picture
    outcome: Image.Image | Answer
    note: _Note | None

    @property
    def pixels(self) -> int:
        return self.outcome.width * self.outcome.height if isinstance(self.outcome, Image.Image) else 0


class Beforehand(Generic[_Note]):
    """Pictures in their order, which a thread begins to render at once, and of which it makes notes.

    No more than MOST_AHEAD pixels wait to be taken, and one more picture.

    Args:
        pictures: the pictures.
        note: makes a note of the pixels, in the thread.
        keep: is called with each note by who takes the pictures, in its own thread.
        after: the pictures that are rendered before these begin.
    """

    def __init__(
        self,
        pictures: Sequence[Picture],
        note: Callable[[Image.Image], _Note],
        keep: Callable[[Picture, _Note], None],
        after: Beforehand[_Note] | None = None,
    ) -> None:
        self._pictures, self._note, self._keep = pictures, note, keep
        self._ready: deque[_Rendered[_Note] | BaseException | None] = deque()
        self._pixels = 0
        self._stopped = False
        self._changed = threading.Condition()
        self._earlier: threading.Thread | None = after._thread if after else None
        self._thread: threading.Thread = threading.Thread(target=self._render, daemon=True)
        self._thread.start()

    def __iter__(self) -> Iterator[tuple[Picture, Image.Image | Answer]]:
        """Yield what `render_all` yields; raise what it raises."""
        while (one := self._take()) is not None:
            if isinstance(one, BaseException):
                raise one
            if one.note is not None:
                self._keep(one.picture, one.note)
            yield one.picture, one.outcome
            del one  # memory: the pictures are freed as they are used

    def close(self) -> None:
        """Stop rendering, and drop what was not taken."""
        with self._changed:
            self._stopped = True
            self._ready.clear()
            self._changed.notify_all()

    def _take(self) -> _Rendered[_Note] | BaseException | None:
        with self._changed:
            self._changed.wait_for(lambda: self._ready)
            one = self._ready.popleft()
            self._pixels -= one.pixels if isinstance(one, _Rendered) else 0
            self._changed.notify_all()
            return one

    def _render(self) -> None:
        if self._earlier:
            self._earlier.join()
        try:
            for picture, outcome in render_all(self._pictures):
                note = self._note(outcome) if isinstance(outcome, Image.Image) else None
                if not self._offer(_Rendered(picture, outcome, note)):
                    return
                del outcome
        except BaseException as error:  # noqa: BLE001 - raised where the pictures are taken
            self._offer(error)
        self._offer(None)

    def _offer(self, one: _Rendered[_Note] | BaseException | None) -> bool:
        """Let something be taken, once there is room; return False if nothing is wanted any more."""
        with self._changed:
            self._changed.wait_for(lambda: self._stopped or self._pixels < MOST_AHEAD)
            if not self._stopped:
                self._ready.append(one)
                self._pixels += one.pixels if isinstance(one, _Rendered) else 0
                self._changed.notify_all()
            return not self._stopped


class Prefetch(Generic[_Note]):
    """Begins to render the pictures of one chunk after those of another one.

    Args:
        note: makes a note of the pixels of a picture, in a thread.
        keep: is called with each note when a picture is taken.
    """

    def __init__(self, note: Callable[[Image.Image], _Note], keep: Callable[[Picture, _Note], None]) -> None:
        self._note, self._keep = note, keep
        self._last: Beforehand[_Note] | None = None

    @contextmanager
    def rendering(self, pictures: Sequence[Picture]) -> Iterator[Beforehand[_Note]]:
        """Render pictures beside what the caller does until they are taken; stop at the end of the context."""
        self._last = begun = Beforehand(pictures, self._note, self._keep, self._last)
        try:
            yield begun
        finally:
            begun.close()
