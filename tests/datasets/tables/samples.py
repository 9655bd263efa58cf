"""Tables that tests read: the same pictures and captions as Parquet, as a WebDataset shard and as saved by datasets."""

import io
import json
import tarfile

from PIL import Image

CAPTIONS = ("A red bus beside a green bench", "A man in a blue shirt", "A white cat")


def png(color, size=(40, 30)):
    """A picture of one color with a corner of another, as PNG."""
    image = Image.new("RGB", size, color)
    image.paste("yellow", (0, 0, 9, 9))
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def pictures(number=3):
    return [png((200 - 20 * at, 30 * at % 256, 40)) for at in range(number)]


def write_parquet(path, columns, **options):
    import pyarrow
    import pyarrow.parquet

    pyarrow.parquet.write_table(pyarrow.table(columns), path, **options)
    return path


def write_shard(path, samples, mode="w"):
    """Write samples, each a name and its members by suffix."""
    with tarfile.open(path, mode) as tar:
        for name, members in samples:
            for suffix, content in members.items():
                content = json.dumps(content).encode() if isinstance(content, dict | list) else content
                content = content.encode() if isinstance(content, str) else content
                member = tarfile.TarInfo(f"{name}.{suffix}")
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
    return path


def samples(captions=CAPTIONS):
    return [(f"{at:04}", {"png": png((10 * at, 90, 40)), "txt": text}) for at, text in enumerate(captions)]
