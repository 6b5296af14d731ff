"""Register the command line's runs with a LangGraph server, so that Studio can open them.

make studio
python -m graphs.register      # in the same folder, whenever there are new runs
"""

import sys

if __name__ == "__main__":
    from graphs.commands.main import main

    sys.exit(main(["register", *sys.argv[1:]]))
