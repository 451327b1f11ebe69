"""What every room may use: threads, compiled loops, files and stores."""
