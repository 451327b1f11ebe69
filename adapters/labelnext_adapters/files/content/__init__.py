"""What is in a file: unpacked, decoded, parsed; ids, numbers, and what can't be used."""
