"""``python -m labelnext``."""

from labelnext.cli import main

if __name__ == "__main__":
    main()
