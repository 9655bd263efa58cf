"""Print a command of the README or of docs/: the block after the comment `<!-- command: NAME -->`."""

import re
import sys
from pathlib import Path

name = sys.argv[1]
root = Path(__file__).parent.parent
text = "\n".join(
    page.read_text(encoding="utf-8") for page in (root / "README.md", *sorted((root / "docs").rglob("*.md")))
)
block = re.search(rf"<!-- command: {re.escape(name)} -->\s*```bash\n(.*?)```", text, re.DOTALL)
if block is None:
    sys.exit(f"neither README.md nor docs/ has a command named {name!r}")
print(block[1])
