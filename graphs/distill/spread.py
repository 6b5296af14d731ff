"""An order of work that covers the whole video at any moment at which the clock stops it."""


def spread(count: int) -> list[int]:
    """Return 0 ... count - 1 so that every beginning of the list lies evenly over the range.

    The van der Corput sequence in base 2; 0 comes first.
    """
    bits = max(1, (count - 1).bit_length())
    order = [int(f"{i:0{bits}b}"[::-1], 2) for i in range(1 << bits)]
    return [i for i in order if i < count]
