"""The window: it shows frames and returns the keys that were pressed."""

import os
import sys
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

_SHARE: Final = 0.9  # of the screen: the most that a window takes when it opens


class WindowClosed(SystemExit):
    """The user closed the window. Uncaught, it ends the program without a traceback; catch it to go on.

    Example:
        >>> from mazegrad.envs import WindowClosed
        >>> issubclass(WindowClosed, SystemExit)
        True
    """


class NoDisplayError(RuntimeError):
    """There is no display to open a window on.

    Example:
        >>> import os
        >>> from unittest.mock import patch
        >>> from mazegrad.envs import MazeEnv, NoDisplayError
        >>> env = MazeEnv("four_rooms", render_mode="human")
        >>> with patch.dict(os.environ, SDL_VIDEODRIVER="none"):  # as on a machine without a screen
        ...     try:
        ...         _ = env.reset(seed=0)
        ...     except NoDisplayError:
        ...         env = MazeEnv("four_rooms", render_mode="rgb_array")
        >>> env.render_mode
        'rgb_array'
    """


class Window:
    """A resizable pygame window that shows numpy frames; it opens with the first one.

    Copies and pickles of a window are closed, and open with their next frame. A process has a single screen: windows
    that are open at the same time share it, and a window whose screen another one closed opens again with its next
    frame.

    Args:
        title: of the window.
        grows: open it nearly as large as the screen, and of its shape, whatever the first frame is.
    """

    def __init__(self, title: str = "mazegrad", grows: bool = False) -> None:
        self.title, self.grows = title, grows
        self._screen: Any = None
        self._clock: Any = None
        self._small: tuple[int, int] | None = None  # (width, height) outside of the full screen, while it fills it

    @property
    def size(self) -> tuple[int, int] | None:
        """(height, width) of the window in px, None while it is closed."""
        return (self._screen.get_height(), self._screen.get_width()) if self._is_open() else None

    def show(self, frame: NDArray[np.uint8], fps: float | None = None) -> list[str]:
        """Show a frame in the middle of the window, scaled to fit, and wait for the rest of the frame's time.

        Args:
            frame: (height, width, 3) uint8.
            fps: at most this many frames a second; None does not wait.

        Returns:
            The names of the keys pressed since the last call, such as "space", "right" or "q".

        Raises:
            WindowClosed: the user closed the window.
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
        """Return the names of the keys pressed since the last call.

        Raises:
            WindowClosed: the user closed the window.
        """
        import pygame

        keys = []
        for event in pygame.event.get():
            if event.type == pygame.QUIT:
                self.close()
                raise WindowClosed
            if event.type == pygame.KEYDOWN:
                keys.append(pygame.key.name(event.key))
        return keys

    def toggle_full_screen(self) -> None:
        """Fill the screen, or go back to the size before; without an open window, do nothing."""
        if not self._is_open():
            return
        import pygame

        if self._small is None:
            self._small = self._screen.get_size()
            self._screen = pygame.display.set_mode((0, 0), pygame.FULLSCREEN)
        else:
            self._screen, self._small = pygame.display.set_mode(self._small, pygame.RESIZABLE), None

    def close(self) -> None:
        """Close the window, if it is open."""
        if self._is_open():
            import pygame

            pygame.display.quit()
        self._screen = self._clock = self._small = None

    def _is_open(self) -> bool:
        if self._screen is None:
            return False
        import pygame

        return pygame.display.get_surface() is self._screen

    def _open(self, width: int, height: int) -> None:
        import pygame

        asked = os.environ.get("SDL_VIDEODRIVER")
        try:
            # otherwise SDL prints warnings on stderr
            if sys.platform == "linux" and not (
                asked or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
            ):
                raise pygame.error("neither DISPLAY nor WAYLAND_DISPLAY is set")
            pygame.display.init()
            # without a screen SDL silently uses a driver that shows nothing
            if not asked and pygame.display.get_driver() in ("offscreen", "dummy"):
                pygame.display.quit()
                raise pygame.error("there is no screen")
            most_width, most_height = pygame.display.get_desktop_sizes()[0]
            scale = min(_SHARE * most_width / width, _SHARE * most_height / height, 1.0)
            if self.grows:
                width, height, scale = most_width, most_height, _SHARE
            size = max(1, round(scale * width)), max(1, round(scale * height))
            self._screen = pygame.display.set_mode(size, pygame.RESIZABLE)
        except pygame.error as error:
            raise NoDisplayError(
                f'cannot open a window ({error}); render_mode="rgb_array" returns the frames as arrays'
            ) from None
        pygame.display.set_caption(self.title)
        self._clock = pygame.time.Clock()

    def __getstate__(self) -> dict[str, Any]:
        return {"title": self.title, "grows": self.grows, "_screen": None, "_clock": None, "_small": None}
