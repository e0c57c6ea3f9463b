# Part of the sparsek project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The exception of the package, and which exception a failed call raises."""

from __future__ import annotations

import re

# Messages of a function begin with "@NAME: ".
_OUT_OF_MEMORY = re.compile(r"(@.*?: )?(CUDA_ERROR_OUT_OF_MEMORY|out of memory)\b")
_DRIVER_FAILED = re.compile(r"(@.*?: )?CUDA(_ERROR_| error )")


class CompileError(ValueError):
    """A module could not be compiled. `diagnostics` holds the messages, with source locations where there are any."""

    def __init__(self, diagnostics: list[str]) -> None:
        super().__init__("\n".join(diagnostics))
        self.diagnostics = tuple(diagnostics)


def call_error(messages: list[str]) -> Exception:
    """What a call of a compiled function raises: MemoryError where memory ran out, RuntimeError where the CUDA driver
    failed otherwise, else ValueError, since the arguments do not fit."""
    text = "\n".join(messages)
    if _OUT_OF_MEMORY.match(text):
        return MemoryError(text)
    return RuntimeError(text) if _DRIVER_FAILED.match(text) else ValueError(text)
