# Part of the sparsek project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs every check of the project: what ./dev test does.

Each step prints what it runs, and at the end one line with its time. A step that
fails does not stop the others, but those that need the build are not run without it.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parent.parent
JOBS = int(os.environ.get("SPARSEK_JOBS", os.cpu_count() or 1))


@dataclass
class Counts:
    """Test cases, as the runners' JUnit reports count them."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def add(self, other: Counts) -> None:
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped


@dataclass
class Step:
    name: str
    summary: str
    run: Callable[[], Counts | None]
    needs_build: bool = False


class StepError(Exception):
    """A command of a step failed; carries the test cases that were counted."""

    def __init__(self, reason: str, counts: Counts | None = None) -> None:
        super().__init__(reason)
        self.counts = counts


def run(*command: str | Path, env: dict[str, str] | None = None) -> None:
    """Runs a command in the project's root; its output goes to the terminal."""
    words = [str(word) for word in command]
    shown = " ".join(words)
    print(f"$ {shown if len(shown) < 200 else shown[:197] + '...'}", flush=True)
    result = subprocess.run(words, cwd=ROOT, env={**os.environ, **(env or {})}, check=False)
    if result.returncode != 0:
        raise StepError(f"exit status {result.returncode}: {shown[:120]}")


def read_reports(folder: Path) -> Counts:
    """Adds up the JUnit reports (of lit, gtest and pytest) in a folder."""
    counts = Counts()
    for report in folder.glob("*.xml"):
        for case in ElementTree.parse(report).iter("testcase"):
            if case.find("failure") is not None or case.find("error") is not None:
                counts.failed += 1
            elif case.find("skipped") is not None or case.get("status") == "notrun":
                counts.skipped += 1
            else:
                counts.passed += 1
    return counts


def run_tests(*command: str | Path, env: Callable[[Path], dict[str, str]]) -> Counts:
    """Runs a test runner that writes JUnit reports into the folder given to `env`."""
    with tempfile.TemporaryDirectory() as folder:
        error = None
        try:
            run(*command, env=env(Path(folder)))
        except StepError as failure:
            error = str(failure)
        counts = read_reports(Path(folder))
    if error is None and counts.passed + counts.failed == 0:
        error = "no test was run"
    if error is not None:
        raise StepError(error, counts)
    return counts


def git_files(*patterns: str) -> list[str]:
    """Files of the project, those that are not committed yet included."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns]
    listing = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return [name for name in sorted(set(listing.stdout.split())) if (ROOT / name).exists()]


def check_cpp_format() -> None:
    left = subprocess.run(["git", "grep", "-nE", "^(<<<<<<<|>>>>>>>) "], cwd=ROOT, capture_output=True, check=False)
    if left.stdout:
        raise StepError(f"conflict markers: {left.stdout.decode().splitlines()[0]}")
    run("clang-format-22", "--dry-run", "-Werror", *git_files("*.cpp", "*.h", "*.c"))


def check_python_format() -> None:
    run(sys.executable, "-m", "ruff", "check", "--quiet", ".")
    run(sys.executable, "-m", "ruff", "format", "--check", "--quiet", ".")


def check_python_types() -> None:
    run(sys.executable, "-m", "mypy")


def build(preset: str = "default", folder: str = "build") -> None:
    # A configured folder keeps its settings, and finds what was installed meanwhile.
    known = (ROOT / folder / "build.ninja").exists()
    run("cmake", *([folder] if known else ["--preset", preset]), "--log-level=WARNING")
    run("ninja", "-C", folder, "-j", str(JOBS), "--quiet")


def tidy_key(source: Path, shared: bytes) -> str:
    return sha256(shared + source.read_bytes()).hexdigest()


def check_tidy() -> None:
    """clang-tidy on each source file that changed since it was last found clean."""
    database = json.loads((ROOT / "build/compile_commands.json").read_text())
    known = {os.path.relpath(entry["file"], ROOT) for entry in database}
    sources = [ROOT / name for name in git_files("*.cpp") if name in known]
    shared = subprocess.run(["clang-tidy-22", "--version"], check=True, capture_output=True).stdout
    for name in git_files(".clang-tidy", "*.h", "*.td", "*.txt"):
        shared += (ROOT / name).read_bytes()
    # Like ccache's, the cache is shared by checkouts in different folders.
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    stamps = cache / "sparsek/tidy"
    stamps.mkdir(parents=True, exist_ok=True)
    stale = [path for path in sources if not (stamps / tidy_key(path, shared)).exists()]
    print(f"clang-tidy: {len(stale)} of {len(sources)} files to check", flush=True)

    def tidy(source: Path) -> bool:
        command = ["clang-tidy-22", "-p", "build", "--quiet", str(source.relative_to(ROOT))]
        result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if result.returncode == 0:
            (stamps / tidy_key(source, shared)).touch()
        else:
            print(result.stdout + result.stderr, flush=True)
        return result.returncode == 0

    with ThreadPoolExecutor(JOBS) as pool:
        clean = list(pool.map(tidy, stale))
    if not all(clean):
        raise StepError(f"{clean.count(False)} files are not clean")


def check_docs() -> None:
    run(sys.executable, "utils/docs.py", "--check")


def run_lit(build: str) -> Counts:
    return run_tests(
        "ninja",
        "-C",
        build,
        "-j",
        str(JOBS),
        "--quiet",
        "check-sparsek",
        env=lambda folder: {"LIT_OPTS": f"-q -j{JOBS} --xunit-xml-output={folder}/lit.xml"},
    )


def run_unit_tests(build: str) -> Counts:
    return run_tests(
        "ninja",
        "-C",
        build,
        "-j",
        str(JOBS),
        "--quiet",
        "check-sparsek-unit",
        env=lambda folder: {"GTEST_OUTPUT": f"xml:{folder}/", "GTEST_BRIEF": "1"},
    )


def run_python_tests() -> Counts:
    return run_tests(
        sys.executable,
        "-m",
        "pytest",
        "-q",
        env=lambda folder: {"PYTEST_ADDOPTS": f"--junitxml={folder}/pytest.xml"},
    )


def check_consumer() -> None:
    """A project outside the tree finds the installed package, builds and runs."""
    with tempfile.TemporaryDirectory() as folder:
        prefix, consumer = Path(folder) / "prefix", Path(folder) / "consumer"
        run("cmake", "--install", "build", "--prefix", prefix)
        run(
            "cmake",
            "-G",
            "Ninja",
            "-S",
            "examples/cpp-consumer",
            "-B",
            consumer,
            "--log-level=WARNING",
            f"-DCMAKE_PREFIX_PATH={prefix}",
            "-DCMAKE_C_COMPILER=clang-22",
            "-DCMAKE_CXX_COMPILER=clang++-22",
            "-DCMAKE_EXE_LINKER_FLAGS=-fuse-ld=lld-22",
        )
        run("ninja", "-C", consumer, "--quiet", "check-consumer")


def run_sanitized() -> Counts:
    """The lit and unit tests again, our code built with sanitizers."""
    build("sanitize", "build-sanitize")
    counts = Counts()
    failures = []
    for tests in (run_lit, run_unit_tests):
        try:
            counts.add(tests("build-sanitize"))
        except StepError as failure:
            counts.add(failure.counts or Counts())
            failures.append(str(failure))
    if failures:
        raise StepError("; ".join(failures), counts)
    return counts


STEPS = [
    Step("clang-format", "C++ files are formatted, no merge conflict is left", check_cpp_format),
    Step("ruff", "Python files are formatted and clean", check_python_format),
    Step("mypy", "Python types", check_python_types),
    Step("build", "build/ is up to date, without a warning", build),
    Step("docs", "the generated pages of docs/ are up to date", check_docs, needs_build=True),
    Step("lit", "IR tests", lambda: run_lit("build"), needs_build=True),
    Step(
        "unit",
        "C++ unit tests",
        lambda: run_unit_tests("build"),
        needs_build=True,
    ),
    Step("pytest", "Python tests", run_python_tests, needs_build=True),
    Step("consumer", "the installed CMake package", check_consumer, needs_build=True),
    Step("clang-tidy", "C++ files are clean", check_tidy, needs_build=True),
    Step("sanitize", "IR and unit tests under ASan and UBSan", run_sanitized),
]


def run_step(step: Step, failed: set[str], total: Counts) -> str:
    """Runs a step, adds its test cases to `total`, returns its summary line."""
    print(f"\n==== {step.name}: {step.summary}", flush=True)
    start = time.monotonic()
    counts, reason = None, None
    if step.needs_build and "build" in failed:
        reason = "not run, the build failed"
    else:
        try:
            counts = step.run()
        except StepError as failure:
            reason, counts = str(failure), failure.counts
    if counts is not None:
        total.add(counts)
    if reason is not None:
        failed.add(step.name)
        # A failure outside a test case counts as one too.
        total.failed += counts is None or counts.failed == 0
    line = f"{'ok' if reason is None else 'FAILED':6} {step.name:13}"
    line += f" {time.monotonic() - start:6.1f} s"
    if counts is not None:
        line += f"  {counts.passed} passed, {counts.failed} failed, {counts.skipped} skipped"
    return line if reason is None else f"{line}  ({reason})"


def main() -> int:
    parser = argparse.ArgumentParser(prog="./dev test", description=__doc__)
    parser.add_argument("steps", nargs="*", metavar="STEP", help="run only these steps")
    parser.add_argument("--list", action="store_true", help="print the steps and stop")
    arguments = parser.parse_args()
    if arguments.list:
        for step in STEPS:
            print(f"{step.name:13} {step.summary}")
        return 0
    if unknown := set(arguments.steps) - {step.name for step in STEPS}:
        parser.error(f"no step {', '.join(sorted(unknown))}; see --list")

    failed: set[str] = set()
    total = Counts()
    lines = [run_step(step, failed, total) for step in STEPS if not arguments.steps or step.name in arguments.steps]
    print("\n" + "\n".join(lines))
    print(f"{total.passed} passed, {total.failed} failed", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
