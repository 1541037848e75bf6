"""Residual blocks of 3-D convolutions on the CPU, compiled for sixteen positions side by side."""
