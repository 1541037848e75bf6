"""Item calibration: runs, what they say of every item, and an item's life from draft to retired."""
