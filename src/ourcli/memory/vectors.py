"""Vectors as the room passes them around."""

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float32]
"""Shape [384], unit length."""

Matrix = NDArray[np.float32]
"""Shape [n, 384], unit rows."""
