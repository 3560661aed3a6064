"""A course on vanishing and exploding gradients: the code behind its notebooks.

Importing this package costs little more than NumPy: import the module you need,
e.g. ``from course_utils.chain_rule import partial_products``.
"""

__version__ = "0.1.0"
