"""Serve NKRs: an OpenAI-compatible API, every video a model, and a page to ask them on.

python -m graphs.serve --nkr-dir runs/nkrs --port 8000
python -m graphs.serve --nkr-dir runs/nkrs --videos ~/lectures
"""

import sys

if __name__ == "__main__":
    from graphs.commands.main import main

    sys.exit(main(["serve", *sys.argv[1:]]))
