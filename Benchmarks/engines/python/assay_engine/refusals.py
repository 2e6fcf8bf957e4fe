"""What an engine raises instead of answering. Any other exception is a failure of the engine."""

CATEGORIES = ("shape_mismatch", "invalid_argument", "unsupported_dtype", "index_out_of_range")


class Unsupported(Exception):
    """The engine cannot do what was asked; the text says why."""


class Refused(Exception):
    """The input has no result. `category` is one of CATEGORIES, which Fixtures/FORMAT.md explains."""

    def __init__(self, category, message):
        super().__init__(message)
        if category not in CATEGORIES:
            raise ValueError(f"category: expected one of {', '.join(CATEGORIES)}, found {category!r}")
        self.category = category
