"""Every array's shape and type is checked while the tests run: ddpm_lib is imported under jaxtyping's hook."""

import torch
from jaxtyping import install_import_hook

install_import_hook("ddpm_lib", "beartype.beartype")

# The tests' tensors are tiny: a second thread costs them more than it gives, most of all on a busy machine.
torch.set_num_threads(1)

from tests.browser import browser as browser  # noqa: E402  (fixtures; after the hook, for they import ddpm_lib)
from tests.generate_page import opened as opened  # noqa: E402
from tests.widget_page import page as page  # noqa: E402
from tests.widget_page import show as show  # noqa: E402
