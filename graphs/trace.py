"""Show a run as a tree: what each span cost, what was rejected and why, where an answer came from.

python -m graphs.trace runs/talk-1a2b3c4d
python -m graphs.trace runs/talk-1a2b3c4d --record q-000004.00-0012
"""

import sys

if __name__ == "__main__":
    from graphs.commands.main import main

    sys.exit(main(["trace", *sys.argv[1:]]))
