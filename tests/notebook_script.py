"""What a reader's notebook does: arithmetic of its own with several threads, then launches. For test_processes.py.

python tests/notebook_script.py PORT OUT LINE [LINE ...]

First everything in processes_script.py, whose results go to OUT; then every LINE of `python -m ddpm_lib LINE`.
"""

import sys
from pathlib import Path

import torch
import torch._dynamo
import torch._inductor  # an optimizer imports these two, which takes seconds: once here, not in every fork
from accelerate import notebook_launcher

from ddpm_lib.__main__ import command
from tests import processes_script

torch.set_num_threads(2)
x = torch.nn.Conv2d(8, 8, 3)(torch.randn(8, 8, 64, 64)) + torch.randn(600, 600).square().mean()
port, out, *lines = sys.argv[1:]
notebook_launcher(processes_script.main, (Path(out),), num_processes=2, use_port=port)
for line in lines:
    notebook_launcher(command, (line,), num_processes=2, use_port=port)
