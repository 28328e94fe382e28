"""`python -m mazegrad` is the command `mazegrad`."""

try:
    from .cli import main

    code = main()
except KeyboardInterrupt:
    code = 130
raise SystemExit(code)
