"""``python -m labelnext``."""

from labelnext.cli.commands import main

if __name__ == "__main__":
    main()
