"""Every array's shape and type is checked while the tests run: ddpm_lib is imported under jaxtyping's hook."""

from jaxtyping import install_import_hook

install_import_hook("ddpm_lib", "beartype.beartype")
