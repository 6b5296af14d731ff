"""Read a video with decord, the faster decoder where it has a wheel and knows the codec."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import decord
import numpy as np

from tools.video_pyav import SEEK_OVER, THREADS, PyAVReader

DENSE = 3  # decord is faster where at least one in so many frames is wanted


class DecordReader(PyAVReader):
    """Reads with decord straight forwards from the first frame, and with PyAV everything else.

    decord is never made to seek, and its `skip_frames` seeks too: behind a seek it gives wrong
    frames in open groups of pictures and repeats frames at the end of a file. It seeks back to
    the start when it opens a file, and loses the start of a transport stream by that. PyAV also
    takes over where decord does not see the frames that the index lists, and at the first
    damaged packet, where decord stops for good.
    """

    def _decode(
        self, wanted: Sequence[int], width: int, height: int
    ) -> Iterator[tuple[int, np.ndarray]]:
        done = 0
        dense = wanted and wanted[0] <= SEEK_OVER and len(wanted) * DENSE > wanted[-1]
        if dense and self._index.exact_seek:
            for found in self._forwards(wanted, width, height):
                yield found
                done += 1
        yield from super()._decode(wanted[done:], width, height)

    def _forwards(
        self, wanted: Sequence[int], width: int, height: int
    ) -> Iterator[tuple[int, np.ndarray]]:
        """Yield the wanted frames up to the first one that decord cannot give."""
        decord.logging.set_level(decord.logging.QUIET)
        chosen = set(wanted)
        try:
            reader = decord.VideoReader(
                str(self.info.path),
                width=width,
                height=height,
                num_threads=THREADS,
                fault_tol=1,  # or it repeats the frame before a damaged one in silence
            )
            if not self._agrees(reader):
                return
            for position in range(wanted[-1] + 1):
                image = reader.next()
                if image.shape != (height, width, 3):
                    return
                if position in chosen:
                    yield position, image.asnumpy()
        except (decord.DECORDError, decord.DECORDLimitReachedError):
            return

    def _agrees(self, reader: decord.VideoReader) -> bool:
        """Whether decord sees the same stream: it picks one by rules of its own."""
        if len(reader) != len(self._index.times):
            return False
        times = reader.get_frame_timestamp(range(len(reader)))[:, 0] + self.info.start
        return bool(np.abs(times - self._index.times).max() < 0.01)
