"""What the commands of `python -m ddpm_lib` do, one file each. Parsing is in __main__.py."""
