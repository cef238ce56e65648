"""`export --onnx` and `export --diffusers` on the command line, and what is refused."""

from __future__ import annotations

import sys

import pytest

from ddpm_lib.__main__ import main
from ddpm_lib.formats import FormatError
from ddpm_lib.formats.onnx_file import write_onnx
from ddpm_lib.formats.pipeline_folder import write_pipeline
from ddpm_lib.models import MLPConfig
from tests.exported import OWN, PLAIN, checkpoint_of
from tests.exported import quick as quick


def mistake(argv, capsys):
    """Run a command that must fail; return its one line of complaint."""
    capsys.readouterr()
    assert main(argv) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    return line


def test_the_command_writes_both_beside_the_checkpoint(tmp_path, capsys):
    checkpoint_of(tmp_path, OWN, (3, 8, 12))
    command = ["export", str(tmp_path / "run" / "checkpoint.safetensors")]
    for option, line in (("--onnx", "model.onnx"), ("--diffusers", "diffusers")):
        assert main([*command, option, "--dry-run"]) == 0
        assert f"out = {tmp_path / 'run' / line}" in capsys.readouterr().out
    assert [file.name for file in (tmp_path / "run").iterdir()] == ["checkpoint.safetensors"]

    assert main([*command, "--onnx"]) == 0
    assert "differ by at most" in capsys.readouterr().out
    for _ in range(2):  # again over the folder that it wrote itself
        assert main([*command, "--diffusers"]) == 0
        text = capsys.readouterr().out
        assert "folds 2 x 2 pixels" in text
        assert "import ddpm_lib.formats.pipeline_unet" in text
    assert main([command[0], str(tmp_path / "run" / "checkpoint.safetensors"), "--dry-run"]) == 0


def test_mistakes_get_one_sentence(tmp_path, capsys, monkeypatch):
    checkpoint_of(tmp_path, PLAIN)
    path = tmp_path / "run" / "checkpoint.safetensors"
    command = ["export", str(path)]
    with pytest.raises(SystemExit):
        main([*command, "--onnx", "--diffusers"])
    assert "not allowed with argument" in capsys.readouterr().err
    assert "--half is for" in mistake([*command, "--onnx", "--half"], capsys)
    assert "would be overwritten" in mistake([*command, "--onnx", "--out", str(path)], capsys)
    assert "Is a directory" in mistake([*command, "--onnx", "--out", str(tmp_path)], capsys)
    assert "is not a pipeline's folder" in mistake([*command, "--diffusers", "--out", str(tmp_path)], capsys)
    assert [file.name for file in tmp_path.iterdir()] == ["run"]

    for package, option in (("onnx", "--onnx"), ("diffusers", "--diffusers")):
        monkeypatch.setitem(sys.modules, package, None)  # as if it were not installed
        assert f"pip install {package}" in mistake([*command, option], capsys)
    assert [file.name for file in tmp_path.iterdir()] == ["run"]
    monkeypatch.undo()

    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    assert main([*command, "--onnx"]) == 0
    assert "pip install onnxruntime" in capsys.readouterr().out


@pytest.mark.parametrize("write", [write_onnx, write_pipeline])
def test_a_network_for_points_is_refused(write, tmp_path):
    with pytest.raises(FormatError, match="is for images"):
        write(tmp_path / "out", checkpoint_of(tmp_path, MLPConfig(), (2,)))
