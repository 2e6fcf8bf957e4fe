"""Writes python.safetensors: a file of the safetensors package's own making, with every type that the tests read.

    python make.py                 needs safetensors and torch
    python make.py FILE            reads FILE instead, one that Assay wrote, and prints what is in it
"""

import sys

import torch
from safetensors import safe_open
from safetensors.torch import save_file

if len(sys.argv) > 1:
    with safe_open(sys.argv[1], "pt") as file:
        print(file.metadata())
        for name in sorted(file.keys()):
            tensor = file.get_tensor(name)
            print(name, tensor.dtype, tuple(tensor.shape), float(tensor.double().sum()))
    sys.exit()

floats = torch.tensor([[1.5, -0.0, 2.0**-24], [float("inf"), -65504.0, 0.1]], dtype=torch.float64)
tensors = {
    "f64": floats, "f32": floats.float(), "f16": floats.half(), "bf16": floats.bfloat16(),
    "i64": torch.tensor([-2**63, 2**63 - 1]), "i32": torch.tensor([-2**31, 7], dtype=torch.int32),
    "i16": torch.tensor([-2**15, 7, 1], dtype=torch.int16), "i8": torch.tensor([-128, 127, 1], dtype=torch.int8),
    "u64": torch.tensor([5, 2**62], dtype=torch.uint64), "u32": torch.tensor([2**32 - 1], dtype=torch.uint32),
    "u16": torch.tensor([2**16 - 1], dtype=torch.uint16), "u8": torch.tensor([255, 0, 1], dtype=torch.uint8),
    "mask": torch.tensor([True, False, True]), "scalar": torch.tensor(7), "empty": torch.zeros(0, 3),
    'na"me\\\n\u00fc': torch.tensor([1.0]),
}
save_file(tensors, "python.safetensors", metadata={"format": "pt", "text": "Gr\u00fc\u00dfe \U0001f600 \"quoted\""})
