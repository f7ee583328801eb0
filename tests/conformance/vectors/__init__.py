# SPDX-License-Identifier: BSD-2-Clause
"""All the vectors, in the order of the document."""

from . import line, target, fields, body, connection
from .table import ANSWER, END, After, vectors

__all__ = ["ANSWER", "END", "After", "vectors", "line", "target", "fields",
           "body", "connection"]
