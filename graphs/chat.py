"""Chat with NKRs in the terminal; what was said is remembered.

python -m graphs.chat --nkr-dir runs/nkrs
"""

import sys

if __name__ == "__main__":
    from graphs.commands.main import main

    sys.exit(main(["chat", *sys.argv[1:]]))
