"""The page: a playground in one HTML file, for a browser."""

from .build import Drawing, build_page

__all__ = ["Drawing", "build_page"]
