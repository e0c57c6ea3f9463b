# Part of the sparsek project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes the generated parts of docs/, or checks that they are up to date.

docs/dialect.md, docs/tile-dialect.md and docs/passes.md are TableGen's. On every other page an `asm`,
`mlir`, `python` or `text` block that follows a `console` block holds what its `$ command` prints. Every
other `mlir` block has to parse: names that it does not define become arguments of a
function around it, with the types that the block gives them. One with an ellipsis is a sketch.
The Python blocks of the README have to run.
"""

from __future__ import annotations

import argparse
import difflib
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
LLVM_BIN = Path("/usr/lib/llvm-22/bin")
LLVM_INCLUDE = Path("/usr/lib/llvm-22/include")

COMMAND_BLOCK = re.compile(
    r"```console\n\$ (?P<command>(?:[^\n`]|\\\n)+)\n```\n\n"
    r"```(?P<language>asm|mlir|python|text)\n(?P<output>.*?)```",
    re.DOTALL,
)
MLIR_BLOCK = re.compile(r"```mlir\n(.*?)```", re.DOTALL)
TYPED_NAMES = re.compile(r"\((%[\w, %]+?)\s*:\s*([^()]+)\)")
NAME = re.compile(r"%\w+")
LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)")


def shell(command: str, text: str | None = None) -> str:
    """Runs a command in the project's root with the built tools on the path."""
    path = [ROOT / "build/bin", LLVM_BIN, Path(sys.executable).parent, os.environ["PATH"]]
    result = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        cwd=ROOT,
        input=text,
        env={**os.environ, "PATH": ":".join(str(folder) for folder in path)},
        capture_output=True,
        text=True,
        check=False,
    )
    # head and sed end a pipe early: 141 is the writer's SIGPIPE. A command that
    # shows its messages may fail, too.
    if result.returncode not in (0, 141) and "2>&1" not in command:
        sys.exit(f"docs: exit status {result.returncode}: {command}\n{result.stderr}")
    return result.stdout


def tablegen(generator: str, source: Path) -> str:
    text = shell(f"mlir-tblgen {generator} -I include -I {LLVM_INCLUDE} {source}")
    # [TOC] is for LLVM's site.
    return text.replace("[TOC]\n\n", "").rstrip() + "\n"


def dialect_page(name: str, source: str) -> str:
    return tablegen(f"-gen-dialect-doc -dialect={name}", ROOT / "include/sparsek/Dialect" / source)


def passes_page() -> str:
    first, *rest = [tablegen("-gen-pass-doc", path) for path in sorted((ROOT / "include").rglob("Passes.td"))]
    notice, _, body = first.partition("\n")
    parts = [notice, "\n\n# Passes\n", body]
    parts += ["\n" + text.partition("\n")[2] for text in rest]
    return "".join(parts)


def without_names(text: str) -> str:
    """Equal for texts that differ in the names of values, maps and labels alone: no reason to touch a page."""
    return re.sub(r"%\w+(?:#\d+)?|#map\d*|\.LBB\w+", "%", text)


def with_outputs(page: str) -> str:
    """The page with the output of each of its commands as it is today."""

    def rerun(match: re.Match[str]) -> str:
        lines = textwrap.dedent(shell(match["command"])).splitlines()
        output = "\n".join(line.rstrip() for line in lines).strip("\n")
        if without_names(output) == without_names(match["output"].strip("\n")):
            return match[0]
        head = match[0][: match.start("output") - match.start()]
        return f"{head}{output}\n```"

    return COMMAND_BLOCK.sub(rerun, page)


def split_types(types: str) -> list[str]:
    """Splits at the commas outside of <> and []."""
    parts, depth = [""], 0
    for char in types:
        depth += (char in "<[") - (char in ">]")
        if char == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += char
    return [" ".join(part.split()) for part in parts]


def wrapped(block: str) -> str:
    """A module for a block of bare operations."""
    if "func.func" in block or "module" in block:
        return block
    defined = {
        name for names in re.findall(r"^\s*(%\w[\w, %]*?)\s*=", block, re.MULTILINE) for name in NAME.findall(names)
    }
    arguments: dict[str, str] = {}
    for names, types in TYPED_NAMES.findall(block):
        for name, type_ in zip(NAME.findall(names), split_types(types), strict=True):
            if name not in defined:
                arguments[name] = type_
    header = ", ".join(f"{name}: {type_}" for name, type_ in arguments.items())
    return f"func.func @example({header}) {{\n{block}return\n}}\n"


def check_examples(pages: dict[Path, str]) -> None:
    """Every mlir block that is not the output of a command parses and verifies."""
    checked = 0
    for path, page in pages.items():
        for block in MLIR_BLOCK.findall(COMMAND_BLOCK.sub("", page)):
            # An ellipsis makes a sketch.
            if "..." not in block:
                shell(f"sparsek-opt -o /dev/null # {path.name}", wrapped(block))
                checked += 1
    print(f"docs: {checked} examples parse")
    if checked == 0:
        sys.exit("docs: no example was found")


def check_front_page() -> None:
    """The Python blocks of the README, one after the other, run."""
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    if not blocks:
        sys.exit("docs: README.md has no Python example")
    shell("python -", "\n".join(blocks))


def anchors(page: str) -> set[str]:
    """The anchors that a page's headings get."""
    headings = re.findall(r"^#+ (.*)$", page, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def check_links(pages: dict[Path, str]) -> int:
    """The number of relative links that lead nowhere."""
    broken = 0
    for path, page in pages.items():
        for target, anchor in LINK.findall(re.sub(r"```.*?```", "", page, flags=re.DOTALL)):
            linked = (path.parent / target).resolve() if target else path
            if not linked.exists() or (anchor and anchor not in anchors(pages.get(linked, ""))):
                print(f"docs: {path.relative_to(ROOT)} links to {target}{'#' if anchor else ''}{anchor}: not there")
                broken += 1
    return broken


def make_pages() -> dict[Path, str]:
    generated = {
        DOCS / "dialect.md": dialect_page("sparsek", "SparseK/IR/SparseKOps.td"),
        DOCS / "tile-dialect.md": dialect_page("tile", "Tile/IR/TileOps.td"),
        DOCS / "passes.md": passes_page(),
    }
    written = [path for path in sorted(DOCS.rglob("*.md")) if path not in generated]
    written.append(ROOT / "README.md")
    return generated | {path: with_outputs(path.read_text()) for path in written}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    mode = parser.add_mutually_exclusive_group(required=True)
    mode.add_argument("--write", action="store_true", help="write the pages")
    mode.add_argument("--check", action="store_true", help="fail where a page would change")
    arguments = parser.parse_args()

    stale = 0
    pages = make_pages()
    for path, text in pages.items():
        name = str(path.relative_to(ROOT))
        old = path.read_text() if path.exists() else ""
        if old == text:
            continue
        if arguments.write:
            path.write_text(text)
            print(f"docs: wrote {name}")
            continue
        stale += 1
        diff = difflib.unified_diff(old.splitlines(), text.splitlines(), name, "now", lineterm="", n=1)
        print("\n".join(list(diff)[:40]))
        print(f"docs: {name} is out of date: run ./dev docs")
    check_examples(pages)
    check_front_page()
    return 1 if stale + check_links(pages) else 0


if __name__ == "__main__":
    sys.exit(main())
