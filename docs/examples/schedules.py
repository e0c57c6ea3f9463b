# Part of the sparsek project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The default schedule of attention kernels, read off the kernels that sparsek-opt makes."""

import re
import subprocess

SHAPES = [("bf16", 64, "none"), ("bf16", 128, "none"), ("bf16", 128, "value"), ("bf16", 256, "none"),
          ("f32", 64, "none"), ("f32", 128, "none")]  # fmt: skip


def kernel(element: str, d: int, gate: str, chip: str) -> str:
    """The module with the kernel at the tile level, of four query heads over one kv head."""
    q, k, v = f"memref<1x4x?x{d}x{element}>", f"memref<1x1x?x{d}x{element}>", "memref<1x1x?xf32>"
    gating = f"gating(%s, %t : {v}, {v})" if gate != "none" else ""
    source = f"""
      func.func @f(%q: {q}, %k: {k}, %e: memref<1x1x?xi32>, %s: {v}, %t: {v}, %l: memref<1x4x?xf32>) {{
        sparsek.sparse_attention gate({gate}) ins(%q, %k, %k, %e : {q}, {k}, {k}, memref<1x1x?xi32>)
            {gating} outs(%q, %l : {q}, memref<1x4x?xf32>)
        return
      }}"""
    command = ["sparsek-opt", f"--convert-sparsek-attention-to-tile=chip={chip}"]
    return subprocess.run(command, input=source, capture_output=True, text=True, check=True).stdout


print("chip    type  d    gate   rows  keys  stages  queries    keys by  products    registers")
for chip in ("sm_90a", "sm_80", "sm_89"):
    for element, d, gate in SHAPES:
        text = kernel(element, d, gate, chip)
        tiles = re.findall(r"tile.alloc : !tile.shared<([\dx]+)x[a-z]+\d+, swizzled>", text)
        rows, (stages, keys) = tiles[0].split("x")[0], tiles[1].split("x")[:2]
        queries = "memory" if re.search(r"tile.mma .* rows\(", text) else "registers"
        copies = "TMA" if "tile.bulk_copy" in text else "gather"
        products = "wgmma" if '"consumer" warps(8) groups_of(4)' in text else "mma.sync"
        registers = "/".join(re.findall(r"registers\((\d+)\)", text)) or "equal"
        print(f"{chip:7} {element:5} {d:<4} {gate:6} {rows:>4}  {keys:>4}  {stages:>6}  {queries:10} "
              f"{copies:8} {products:11} {registers}")  # fmt: skip
