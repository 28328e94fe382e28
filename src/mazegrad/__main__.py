"""`python -m mazegrad` is the command `mazegrad`."""

from .cli import main

raise SystemExit(main())
