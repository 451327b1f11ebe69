"""What Label Studio's predictions and annotations say, wherever they came from.

The adapter of the server and the reader of exported files share it; it speaks to no server.
"""
