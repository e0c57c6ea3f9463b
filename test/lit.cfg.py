import os
import shutil

import lit.formats
from lit.llvm import llvm_config

config.name = "sparsek"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir"]
config.test_source_root = os.path.dirname(__file__)

# The assembler of CUDA's toolkit, for tests of what the GPU pipeline makes.
if shutil.which("ptxas"):
    config.available_features.add("ptxas")

# Integration tests run code with upstream's runner and its printing library.
runner_libs = ",".join(
    os.path.join(config.llvm_lib_dir, f"lib{name}{config.shlib_ext}")
    for name in ("mlir_runner_utils", "mlir_c_runner_utils")
)
config.substitutions.append(
    (
        "%run_host",
        'sparsek-opt --sparsek-host-pipeline="threads=false" | mlir-runner -e main '
        f"--entry-point-result=void --shared-libs={runner_libs}",
    )
)

# After %run_host, which names some of them.
tools = ["sparsek-opt", "sparsek-run", "FileCheck", "mlir-runner", "not", "split-file"]
llvm_config.add_tool_substitutions(tools, [config.sparsek_tools_dir, config.llvm_tools_dir])
