"""`python -m micropie`: the command `micropie`."""

from micropie.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
