"""A folder of a million images: written to shards, and read from them while the network trains."""

from ddpm_lib.data.stream.batches import StreamedBatches
from ddpm_lib.data.stream.index import Index
from ddpm_lib.data.stream.open import Images, batches_of, open_images
from ddpm_lib.data.stream.shards import Shards
from ddpm_lib.data.stream.write import write_shards

__all__ = ["Images", "Index", "Shards", "StreamedBatches", "batches_of", "open_images", "write_shards"]
