"""Vectors as the room passes them around."""

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float32]
"""Shape [dims], unit length."""

Matrix = NDArray[np.float32]
"""Shape [n, dims], unit rows."""

Places = NDArray[np.intp]
"""Shape [n], positions."""
