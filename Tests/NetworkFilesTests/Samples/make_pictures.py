"""Writes pictures/: small pictures of every kind that is read, by class, and what torchvision makes of them.

    python make_pictures.py             needs NumPy, Pillow and torchvision

pictures24.raw has, for each picture of `train` and then of `test`, by class and name, the 3×24×24 bytes after Resize(27) and
CenterCrop(24), without ToTensor. Two kinds of PNG that Pillow does not write are written here, chunk by chunk.
"""

import pathlib
import shutil
import struct
import zlib

import numpy as np
from PIL import Image
from torchvision import datasets, transforms

SIDE, RESIZED = 24, 27
folder = pathlib.Path(__file__).with_name("pictures")
random = np.random.default_rng(1)


def pixels(height, width):
    y, x = np.mgrid[0:height, 0:width]
    values = np.stack([(x * 3 + y) % 256, (y * 5) % 256, ((x - width / 2)**2 + (y - height / 2)**2) % 256], -1)
    return (values + random.integers(0, 20, values.shape)).clip(0, 255).astype(np.uint8)


def png(path, height, width, depth, rows, interlaced=False):
    """RGB of `depth` bits; `rows` are the bytes of its scanlines, each behind a 0 for no filter."""
    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
    header = struct.pack(">IIBBBBB", width, height, depth, 2, 0, 0, int(interlaced))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
                     + chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row for row in rows))) + chunk(b"IEND", b""))


def adam7(values):
    for y, x, dy, dx in ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)):
        yield from (row.tobytes() for row in values[y::dy, x::dx] if row.size)


def save(name, height, width, mode="RGB", **options):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(pixels(height, width))
    if mode == "LA":
        image.putalpha(Image.fromarray(pixels(height, width)[..., 0]))
    image.convert(mode).save(path, **options)


shutil.rmtree(folder, ignore_errors=True)
save("train/cat/grey.png", 40, 52, "L")
save("train/cat/palette.png", 31, 29, "P", transparency=3)
save("train/cat/photo.jpg", 50, 30, quality=90)
save("train/cat/small.png", 11, 7)
save("train/dog/bits.png", 30, 30, "1")
save("train/dog/grey.jpeg", 25, 60, "L", quality=70)
save("train/dog/progressive.JPG", 64, 40, quality=60, progressive=True, subsampling=2)
save("train/dog/transparent.png", 33, 40, "LA")
save("test/cat/exact.png", 24, 27)
deep = pixels(26, 30).astype(">u2") * 256 + random.integers(0, 256, (26, 30, 3)).astype(">u2")
png(folder / "test/cat/sixteen.png", 26, 30, 16, [row.astype(">u2").tobytes() for row in deep])
(folder / "test/dog").mkdir()
laced = pixels(29, 35)
png(folder / "test/dog/interlaced.png", 29, 35, 8, adam7(laced), interlaced=True)

transform = transforms.Compose([transforms.Resize(RESIZED), transforms.CenterCrop(SIDE)])
sets = [datasets.ImageFolder(str(folder / part), transform) for part in ("train", "test")]
planes = [np.asarray(image).transpose(2, 0, 1) for images in sets for image, _ in images]
folder.with_name("pictures24.raw").write_bytes(b"".join(plane.tobytes() for plane in planes))
print(len(planes), "pictures")
# Inks, which no network takes.
Image.fromarray(pixels(16, 16)).convert("CMYK").save(folder.with_name("cmyk.jpg"), quality=50)
