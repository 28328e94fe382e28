"""The one file of this room that opens a window: it shows frames, and tells which keys were pressed."""

import os
import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray


class WindowClosed(SystemExit):
    """The user closed the window: uncaught it ends the program without a traceback; catch it to go on."""


class NoDisplayError(RuntimeError):
    """There is no screen to open a window on."""


class Window:
    """A resizable pygame window that shows numpy frames; it opens with the first one.

    Copies and pickles of it are closed, and open one when they are given a frame. A process has a single screen: what
    is open together shares it, and a window whose screen another has closed opens again with its next frame.
    """

    def __init__(self, title: str = "mazegrad") -> None:
        self.title = title
        self._screen: Any = None
        self._clock: Any = None

    @property
    def size(self) -> tuple[int, int] | None:
        """(height, width) in px of what the window shows, None while it is closed."""
        return (self._screen.get_height(), self._screen.get_width()) if self._is_open() else None

    def show(self, frame: NDArray[np.uint8], fps: float | None = None) -> list[str]:
        """Show a frame, in the window's middle and scaled to fit; wait for the rest of the time that one frame has.

        Args:
            frame: (height, width, 3) uint8.
            fps: frames a second at most; None does not wait.

        Returns:
            The names of the keys pressed since the last call, such as "space", "right" or "q".

        Raises:
            WindowClosed: the user closed the window. It is closed then.
            NoDisplayError: there is no display.
        """
        import pygame

        if not self._is_open():
            self._open(frame.shape[1], frame.shape[0])
        picture = pygame.image.frombuffer(np.ascontiguousarray(frame).tobytes(), frame.shape[1::-1], "RGB")
        width, height = self._screen.get_size()
        scale = min(width / frame.shape[1], height / frame.shape[0])
        if scale != 1:
            picture = pygame.transform.smoothscale(picture, (int(frame.shape[1] * scale), int(frame.shape[0] * scale)))
        self._screen.fill(frame[0, 0].tolist())
        self._screen.blit(picture, picture.get_rect(center=(width // 2, height // 2)))
        pygame.display.flip()
        keys = self.keys()
        if fps is not None:
            self._clock.tick(fps)
        return keys

    def keys(self) -> list[str]:
        """Return the names of the keys pressed since the last call; raises WindowClosed as `show` does."""
        import pygame

        keys = []
        for event in pygame.event.get():
            if event.type == pygame.QUIT:
                self.close()
                raise WindowClosed
            if event.type == pygame.KEYDOWN:
                keys.append(pygame.key.name(event.key))
        return keys

    def close(self) -> None:
        """Close the window; again is fine."""
        if self._is_open():
            import pygame

            pygame.display.quit()
        self._screen = self._clock = None

    def _is_open(self) -> bool:
        if self._screen is None:
            return False
        import pygame

        return pygame.display.get_surface() is self._screen

    def _open(self, width: int, height: int) -> None:
        import pygame

        asked = os.environ.get("SDL_VIDEODRIVER")
        try:
            # SDL would grumble on stderr before it finds out by itself
            if sys.platform == "linux" and not (
                asked or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
            ):
                raise pygame.error("neither DISPLAY nor WAYLAND_DISPLAY is set")
            pygame.display.init()
            # without a screen SDL quietly takes a driver that shows nothing
            if not asked and pygame.display.get_driver() in ("offscreen", "dummy"):
                pygame.display.quit()
                raise pygame.error("there is no screen")
            self._screen = pygame.display.set_mode((width, height), pygame.RESIZABLE)
        except pygame.error as error:
            raise NoDisplayError(
                f'cannot open a window ({error}); render_mode="rgb_array" gives the frames as arrays instead'
            ) from None
        pygame.display.set_caption(self.title)
        self._clock = pygame.time.Clock()

    def __getstate__(self) -> dict[str, Any]:
        return {"title": self.title, "_screen": None, "_clock": None}
