"""Files of arrays that may be damaged."""

from __future__ import annotations

import tokenize
import zipfile
import zlib

DAMAGED = (
    OSError,
    EOFError,
    LookupError,
    RuntimeError,  # says that what is damaged is encrypted, or needs a newer version of ZIP
    SyntaxError,
    TypeError,
    ValueError,
    tokenize.TokenError,
    zipfile.BadZipFile,
    zlib.error,
)
"""What reading an NPZ file may raise if some of its bytes are wrong."""

__all__ = ["DAMAGED"]
