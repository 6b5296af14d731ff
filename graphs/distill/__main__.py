"""Distil a video into an NKR.

python -m graphs.distill --video talk.mp4
python -m graphs.distill --video talk.mp4 --max-minutes 10 --json
"""

import sys

from graphs.commands.main import main

sys.exit(main(["distill", *sys.argv[1:]]))
