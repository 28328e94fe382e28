"""The error of a map: what is wrong, and where in its text."""


class MazeError(ValueError):
    r"""A maze that cannot be read or used; `line` and `column` (both from 1) point into its text, `file` is its path.

    Example:
        >>> from mazegrad.envs import Maze, MazeError
        >>> try:
        ...     Maze.from_text("#####\n#S?G#\n#####")
        ... except MazeError as error:
        ...     print(f"line {error.line}, column {error.column}")
        line 2, column 3
    """

    def __init__(self, message: str, line: int, column: int, file: str | None = None) -> None:
        super().__init__(message, line, column, file)
        self.message, self.line, self.column, self.file = message, line, column, file

    def __str__(self) -> str:
        where = "" if self.file is None else f"{self.file}, "
        return f"{where}line {self.line}, column {self.column}: {self.message}"
