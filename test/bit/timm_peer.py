"""What a comparison with timm needs of Python: timm itself, safetensors and torch. Exit status 77 (skipped) without them."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "bench" / "peers"))
try:
    try:
        import tvshim  # noqa: F401  (timm imports torchvision, which need not be installed)
    except ImportError:
        pass
    import numpy as np  # noqa: F401
    import safetensors.torch  # noqa: F401
    import timm  # noqa: F401
    import torch  # noqa: F401
except ImportError as missing:
    print(f"SKIP: {missing}")
    sys.exit(77)
