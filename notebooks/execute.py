"""Run every notebook, or those that are named, and say how long each took; `--out FOLDER` keeps them with outputs."""

import argparse
import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

HERE = Path(__file__).parent


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("notebooks", nargs="*", type=Path, help="by default all beside this file")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="write them here, with their outputs")
    arguments = parser.parse_args()
    begin, failed = time.perf_counter(), []
    for path in arguments.notebooks or sorted(HERE.glob("*.ipynb")):
        start, book = time.perf_counter(), nbformat.read(path, as_version=4)
        try:
            NotebookClient(
                book, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(HERE)}}
            ).execute()
        except CellExecutionError as error:
            failed.append(path.name)
            print(f"{path.name}: {error}", file=sys.stderr)
        print(f"{path.name}: {time.perf_counter() - start:.1f} s", flush=True)
        if arguments.out is not None:
            arguments.out.mkdir(parents=True, exist_ok=True)
            nbformat.write(book, arguments.out / path.name)
    print(f"all: {time.perf_counter() - begin:.1f} s" + (f"; failed: {', '.join(failed)}" if failed else ""))
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
