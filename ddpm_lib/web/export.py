"""Weights for a page: one script that hands them to the page, from the disk as well as over http.

The page puts `<script src="model.js">` into itself and listens on that element:

    script.addEventListener("ddpm-weights", (event) => worker.postMessage({ type: "load", detail: event.detail }))

The script leaves nothing global. Every matrix is rounded to 8 bits with one scale for each output channel and every
vector kept in float32: a weight takes one byte, one and a third in base64. Of 2,048 digits of cpu-minutes the Frechet
distance is 5.68 so, 5.62 as trained, 5.61 with 12 bits (half as large again) and 6.00 with 6
(assets/measured/quantize.json); with 8 bits the pixels of the same seeds move by 0.014 of their range of 2.
"""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ddpm_lib.models import UNetConfig
from ddpm_lib.models.header import checked
from ddpm_lib.models.place import write_text
from ddpm_lib.models.storage import CheckpointError
from ddpm_lib.models.trained import About, Trained
from ddpm_lib.schedule import NoiseSchedule
from ddpm_lib.web.quantize import dequantize, quantize

FORMAT = "ddpm_lib/web/1"
BEFORE = 'document.currentScript.dispatchEvent(new CustomEvent("ddpm-weights", { detail: '
AFTER = " }));\n"


def write_web(path: str | Path, checkpoint: Trained) -> None:
    """Write the averaged network as a script for a page. Only a U-Net: the engine runs no other network."""
    write_text(path, web_script(checkpoint))


def web_script(checkpoint: Trained) -> str:
    """The script itself, one line."""
    return BEFORE + json_for_pages(detail(checkpoint)) + AFTER


def json_for_pages(value: object) -> str:
    """JSON that may stand inside a <script>, whatever names it holds: no "<" ends the element."""
    return json.dumps(value).replace("<", "\\u003c")


def detail(checkpoint: Trained) -> dict[str, Any]:
    """What the script hands over: configuration, schedule, and the tensors in one base64 string with its CRC-32."""
    if not isinstance(checkpoint.model_config, UNetConfig):
        raise CheckpointError("The engine of the pages runs U-Nets only: export a U-Net's checkpoint.")
    if checkpoint.about.shape[0] not in (1, 3):
        raise CheckpointError(
            f"A page draws grey or color images, and not {checkpoint.about.shape}: export a network that draws them."
        )
    data, entries = bytearray(), []
    for name, tensor in checkpoint.network().state_dict().items():
        bits = 8 if tensor.ndim > 1 else 32
        entries.append({"name": name, "shape": list(tensor.shape), "bits": bits, "offset": len(data)})
        data += _eight_bits(tensor) if bits == 8 else _floats(tensor)
        data += bytes(-len(data) % 4)  # a float32 begins at a multiple of four
    alpha_bar = _floats(checkpoint.schedule.alpha_bar)
    return {
        "format": FORMAT,
        "config": asdict(checkpoint.model_config),
        "shape": list(checkpoint.about.shape),
        "T": checkpoint.schedule.T,
        "alpha_bar": base64.b64encode(alpha_bar).decode("ascii"),
        "schedule": checkpoint.schedule.name,
        "about": asdict(checkpoint.about),
        "trained": {"step": checkpoint.step, "seconds": checkpoint.seconds},
        "tensors": entries,
        "length": len(data),
        "crc32": zlib.crc32(data),
        "data": base64.b64encode(data).decode("ascii"),
    }


def read_web(path: str | Path) -> Trained:
    """The checkpoint that the engine sees: the network with rounded weights, and its schedule in float32.

    Raises CheckpointError, in one sentence, for anything else and for a damaged file.
    """
    text = Path(path).read_text(encoding="utf-8")
    if not (text.startswith(BEFORE) and text.endswith(AFTER)):
        raise CheckpointError(
            f"{path} is not a whole file of weights for a page: write it with `python -m ddpm_lib export --web`."
        )
    try:
        return checkpoint_of(json.loads(text[len(BEFORE) : -len(AFTER)]))
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise CheckpointError(f"{path} is damaged ({error}): export the weights again.") from error


def checkpoint_of(detail: dict[str, Any]) -> Trained:
    """The checkpoint in what a script hands over."""
    try:
        data = base64.b64decode(detail["data"], validate=True)
    except binascii.Error as error:
        raise ValueError("its data are not base64") from error
    if len(data) != detail["length"] or zlib.crc32(data) != detail["crc32"]:
        raise ValueError("its data have another length or checksum")
    alpha_bar = torch.frombuffer(bytearray(base64.b64decode(detail["alpha_bar"])), dtype=torch.float32)
    previous = torch.cat([torch.ones(1), alpha_bar[:-1]]).double()
    return Trained(
        model_config=checked(UNetConfig, detail["config"]),
        schedule=NoiseSchedule(1 - alpha_bar.double() / previous, detail["schedule"]),
        about=checked(About, detail["about"]),
        step=detail["trained"]["step"],
        seconds=detail["trained"]["seconds"],
        tensors={f"ema.{entry['name']}": _tensor(entry, data) for entry in detail["tensors"]},
    )


def _floats(tensor: Tensor) -> bytes:
    return tensor.detach().cpu().numpy().astype("<f4").tobytes()


def _eight_bits(tensor: Tensor) -> bytes:
    whole, scale = quantize(tensor, bits=8)
    return _floats(scale) + whole.numpy().astype(np.int8).tobytes()


def _tensor(entry: dict[str, Any], data: bytes) -> Tensor:
    shape, at = entry["shape"], entry["offset"]
    size = int(np.prod(shape))
    if entry["bits"] == 32:
        return torch.from_numpy(np.frombuffer(data, "<f4", size, at).astype(np.float32)).reshape(shape)
    scale = np.frombuffer(data, "<f4", shape[0], at).astype(np.float32)
    whole = np.frombuffer(data, np.int8, size, at + 4 * shape[0]).astype(np.int16)
    return dequantize(torch.from_numpy(whole).reshape(shape), torch.from_numpy(scale))
