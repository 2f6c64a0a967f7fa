"""How much one property list may describe; it is counted before anything is built."""

# The largest `/info` known has about 300 values, four deep.
MAX_VALUES = 20_000
MAX_DEPTH = 32
# Of all texts and bytes together, each counted as often as it is named.
MAX_CONTENT_BYTES = 4 * 1024 * 1024
# Of one text. To decode UTF-16 that is none takes so long that other threads notice.
MAX_TEXT_BYTES = 16 * 1024
# No receiver is known to send more than a few KB as XML, whose reader is the slower one.
MAX_XML_BYTES = 256 * 1024


class Budget:
    """What one property list may still describe."""

    def __init__(self) -> None:
        self._values = MAX_VALUES
        self._content_bytes = MAX_CONTENT_BYTES

    def count(self, values: int, depth: int) -> None:
        """Count values at a depth, before they are read.

        Raises ValueError: it is too much.
        """
        if depth > MAX_DEPTH:
            raise ValueError("too deep")
        self._values -= values
        if self._values < 0:
            raise ValueError("too many values")

    def count_content(self, content_bytes: int) -> None:
        """Count the bytes of one value, before they are copied.

        Raises ValueError: it is too much.
        """
        self._content_bytes -= content_bytes
        if self._content_bytes < 0:
            raise ValueError("too many values")
