"""``python -m labelnext.cli``."""

from labelnext.cli import main

main()
