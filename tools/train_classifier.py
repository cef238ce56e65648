"""Train the digit classifier of the metrics and write it to the package (about eight minutes on two cores).

python -m tools.train_classifier
"""

from __future__ import annotations

import math
import time

import torch
import torch.nn.functional as F
from safetensors.torch import save_file

from ddpm_lib.data import Batches, mnist
from ddpm_lib.evaluate.classifier import WEIGHTS, DigitClassifier, in_batches
from tools.checksums import write_sums

EPOCHS, BATCH, LR = 5, 128, 3e-3


def accuracy(model: DigitClassifier) -> float:
    """Share of the 10,000 test digits that are named rightly."""
    test = mnist(train=False)
    model.eval()
    assert test.y is not None
    named = in_batches(model, test.x0()).argmax(1)
    model.train()
    return named.eq(test.y).float().mean().item()


def shifted(x0: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """The batch moved by -2 ... 2 pixels each way: a digit is the same digit elsewhere."""
    dx, dy = (int(i) for i in torch.randint(0, 5, (2,), generator=generator))
    return F.pad(x0, (2, 2, 2, 2), value=-1.0)[:, :, dy : dy + 28, dx : dx + 28]


def main() -> None:
    """Train, print the accuracy after each epoch, write float16 weights."""
    torch.manual_seed(0)
    generator = torch.Generator().manual_seed(0)
    model, batches = DigitClassifier(), Batches(mnist(), BATCH)
    optimizer = torch.optim.AdamW(model.parameters(), lr=LR, weight_decay=0.02)
    steps, begun = EPOCHS * batches.an_epoch, time.perf_counter()
    for step in range(steps):
        x0, y = batches(step)
        assert y is not None  # MNIST has labels
        for group in optimizer.param_groups:
            group["lr"] = LR * min(1.0, (step + 1) / 200) * 0.5 * (1 + math.cos(math.pi * step / steps))
        loss = F.cross_entropy(model(shifted(x0, generator)), y, label_smoothing=0.05)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if (step + 1) % batches.an_epoch == 0:
            seconds = time.perf_counter() - begun
            print(
                f"epoch {(step + 1) // batches.an_epoch}: loss {loss.item():.3f}, {seconds:.0f} s, ", end=""
            )
            print(f"test accuracy {accuracy(model):.4f}", flush=True)
    half = {name: t.half() if t.is_floating_point() else t for name, t in model.state_dict().items()}
    WEIGHTS.parent.mkdir(exist_ok=True)
    save_file(half, WEIGHTS)
    write_sums(WEIGHTS.parent)
    model.load_state_dict({name: t.float() for name, t in half.items()})
    print(f"wrote {WEIGHTS.name}; in float16 the test accuracy is {accuracy(model):.4f}")


if __name__ == "__main__":
    main()
