"""Ask an NKR.

python -m graphs.ask --nkr runs/nkrs/talk-1a2b3c4d "What is shown at 00:30?"
python -m graphs.ask --nkr runs/nkrs/talk-1a2b3c4d --questions questions.jsonl --json
"""

import sys

if __name__ == "__main__":
    from graphs.commands.main import main

    sys.exit(main(["ask", *sys.argv[1:]]))
