"""Where x_0 comes from: MNIST (inside the package), Fashion-MNIST, a folder of one's own images, clouds of points."""

from ddpm_lib.data.images import (
    ASSETS,
    Batches,
    DataError,
    ImageData,
    fashion_mnist,
    image_folder,
    load_data,
    mnist,
    to_pixels,
    to_x0,
    verified,
)

__all__ = [
    "ASSETS",
    "Batches",
    "DataError",
    "ImageData",
    "fashion_mnist",
    "image_folder",
    "load_data",
    "mnist",
    "to_pixels",
    "to_x0",
    "verified",
]
