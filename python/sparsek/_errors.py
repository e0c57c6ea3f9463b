# Part of the sparsek project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The one exception of the package."""

from __future__ import annotations


class CompileError(ValueError):
    """A module could not be compiled. `diagnostics` holds the messages, with source locations where there are any."""

    def __init__(self, diagnostics: list[str]) -> None:
        super().__init__("\n".join(diagnostics))
        self.diagnostics = tuple(diagnostics)
