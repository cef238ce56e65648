"""Where x_0 comes from: MNIST (inside the package), Fashion-MNIST, a folder of one's own images, clouds of points."""

from ddpm_lib.data.errors import DataError
from ddpm_lib.data.folder import image_folder, load_data
from ddpm_lib.data.idx import fashion_mnist, mnist
from ddpm_lib.data.images import Batches, ImageData, to_pixels, to_x0
from ddpm_lib.data.shipped import ASSETS, verified

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
