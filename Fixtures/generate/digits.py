"""Writes ../data/digits.h5: scikit-learn's 1,797 handwritten digits with a fixed split."""
import pathlib

import h5py
import numpy as np
from sklearn.datasets import load_digits

from golden_case import SEED

PATH = pathlib.Path(__file__).resolve().parent.parent / "data" / "digits.h5"
HELD_OUT = 360


def load():
    """Images (1797, 1, 8, 8) as integers from 0 to 16, labels, and 1 where an image is held out for validation."""
    digits = load_digits()
    images = digits.images.astype(np.uint8).reshape(-1, 1, 8, 8)
    split = np.zeros(len(images), dtype=np.int64)
    split[np.random.Generator(np.random.PCG64(SEED)).permutation(len(images))[:HELD_OUT]] = 1
    return images, digits.target.astype(np.int64), split


def network_input(images):
    """3×32×32 float32: x/16, nearest-neighbour enlargement by 4, three equal channels."""
    enlarged = (images / 16).astype(np.float32).repeat(4, axis=2).repeat(4, axis=3)
    return np.repeat(enlarged, 3, axis=1)


def write():
    images, labels, split = load()
    PATH.parent.mkdir(exist_ok=True)
    with h5py.File(PATH, "w", libver=("v108", "v108")) as file:
        file.attrs["description"] = "Handwritten digits, 8x8, 0 to 16; split: 0 train, 1 held out"
        file.attrs["source"] = ("scikit-learn load_digits; Alpaydin and Kaynak, Optical Recognition of Handwritten "
                                "Digits, UCI Machine Learning Repository, 1998, doi:10.24432/C50P49")
        file.attrs["license"] = "CC BY 4.0"
        for name, value in (("images", images), ("labels", labels), ("split", split)):
            file.create_dataset(name, data=value, chunks=value.shape, shuffle=True, compression="gzip",
                                compression_opts=9, fletcher32=True, track_times=False)
        file["images"].attrs["max_value"] = 16  # What stands for 1: without it integers are divided by 255.


if __name__ == "__main__":
    write()
