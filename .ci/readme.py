"""Print a command of the README: the block after the comment `<!-- command: NAME -->`."""

import re
import sys
from pathlib import Path

name = sys.argv[1]
readme = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
block = re.search(rf"<!-- command: {re.escape(name)} -->\s*```bash\n(.*?)```", readme, re.DOTALL)
if block is None:
    sys.exit(f"README.md has no command named {name!r}")
print(block[1])
