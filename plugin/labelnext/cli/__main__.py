"""``python -m labelnext.cli``."""

from labelnext.cli.commands import main

main()
