"""What the demos share: the command, the digits, and what is printed."""
