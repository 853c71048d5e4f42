"""Does with littlefs what the firmware was seen to do with its files, and cuts the power meanwhile.

Reads a question from standard input and writes the answer to standard output, both JSON. What is found in the
flash is reported, not judged: that is done in littlefs.test.ts.
"""

import base64
import collections
import functools
import json
import random
import sys

from littlefs import LFSConfig, LFSFilesystem, LittleFSError, UserContext, lfs

BLOCK = 4096
# Bytes that the flash of an ESP32 is given at a time.
PROGRAM = 64
IO_ERROR = LittleFSError.Error.LFS_ERR_IO
FULL = LittleFSError.Error.LFS_ERR_NOSPC


class PowerCut(Exception):
    pass


def some_bits(before, after):
    """Some bits have changed and others have not, as in a flash that was interrupted."""
    mask = random.Random(bytes(after)).randbytes(len(after))
    return bytes(old ^ ((old ^ new) & bits) for old, new, bits in zip(before, after, mask))


# What an operation has done when the power fails in it.
CUTS = {
    "nothing": lambda before, after: before,
    "first half": lambda before, after: after[: len(after) // 2] + before[len(after) // 2 :],
    "second half": lambda before, after: before[: len(after) // 2] + after[len(after) // 2 :],
    "some bits": some_bits,
    "all": lambda before, after: after,
}


class Flash(UserContext):
    """NOR flash: programming clears bits, and erasing a block sets them."""

    def __init__(self, memory):
        super().__init__(buffer=bytearray(memory))
        self.operations = 0
        self.cut_at = None
        self.cut = None
        self.is_off = False
        # Programmings of bytes that were not erased.
        self.overwrites = 0
        self.cost = collections.Counter()
        self.bytes_read = 0

    def read(self, cfg, block, off, size):
        # The class above says each read to a log: that would take most of the time.
        self.bytes_read += size
        start = block * BLOCK + off
        return self.buffer[start : start + size]

    def prog(self, cfg, block, off, data):
        start = block * BLOCK + off
        self.cost["programs"] += -(-len(data) // PROGRAM)
        before = self.buffer[start : start + len(data)]
        after = bytes(data)
        if before.count(0xFF) != len(before):
            self.overwrites += 0 if self.is_off else 1
            after = bytes(old & new for old, new in zip(before, data))
        return self._change(start, before, after)

    def erase(self, cfg, block):
        start = block * BLOCK
        self.cost["erases"] += 1
        return self._change(start, self.buffer[start : start + BLOCK], b"\xff" * BLOCK)

    def _change(self, start, before, after):
        if self.is_off:
            return IO_ERROR
        if self.operations == self.cut_at:
            self.is_off = True
            after = CUTS[self.cut](before, after)
        self.operations += 1
        self.buffer[start : start + len(after)] = after
        return IO_ERROR if self.is_off else 0


class Chip:
    """A start of the firmware, on what is in the flash."""

    def __init__(self, question, flash):
        self.flash = flash
        self.question = question
        self.fs = LFSFilesystem()
        self.config = configuration(question, flash)
        self.file = None
        # Where the SDK's own call fails it formats the flash, and all is lost; here the test ends.
        lfs.mount(self.fs, self.config)
        self.do(question["start"])

    def do(self, operations):
        """Returns the number of the first operation that finds the flash full, and goes no further."""
        for number, operation in enumerate(operations):
            arguments = {name: value for name, value in operation.items() if name != "do"}
            try:
                getattr(self, operation["do"])(**arguments)
            except LittleFSError as error:
                if not self.flash.is_off:
                    if error.code != FULL:
                        raise
                    return number
            if self.flash.is_off:
                raise PowerCut
        return None

    def createDirectory(self, path):
        if not self.has(path):
            lfs.mkdir(self.fs, path)

    def delete(self, path):
        if self.has(path):
            lfs.remove(self.fs, path)

    def create(self, path):
        self.file = lfs.file_open(self.fs, path, "w")

    def write(self, position, data):
        lfs.file_seek(self.fs, self.file, position, 0)
        lfs.file_write(self.fs, self.file, decoded(data))

    def flush(self):
        lfs.file_sync(self.fs, self.file)

    def close(self):
        # The SDK does not say whether it has worked.
        try:
            if self.file:
                lfs.file_close(self.fs, self.file)
        except LittleFSError:
            pass
        self.file = None

    def move(self, **names):
        lfs.rename(self.fs, names["from"], names["to"])

    def has(self, path):
        try:
            lfs.stat(self.fs, path)
            return True
        except LittleFSError as error:
            if error.code != LittleFSError.Error.LFS_ERR_NOENT:
                raise
            return False

    def read(self, path):
        file = lfs.file_open(self.fs, path, "r")
        data = lfs.file_read(self.fs, file, lfs.file_size(self.fs, file))
        lfs.file_close(self.fs, file)
        return data

    def files(self):
        """What is in the folder, by name."""
        folder = self.question["folder"]
        directory = lfs.dir_open(self.fs, folder)
        names = []
        while entry := lfs.dir_read(self.fs, directory):
            if entry.name not in (".", ".."):
                names.append(entry.name)
        lfs.dir_close(self.fs, directory)
        return {name: self.read(f"{folder}/{name}") for name in sorted(names)}

    def used(self):
        """Blocks."""
        return lfs.fs_size(self.fs)


def configuration(question, flash):
    return LFSConfig(
        context=flash,
        block_size=BLOCK,
        block_count=question["blocks"],
        read_size=16,
        prog_size=16,
        cache_size=256,
        lookahead_size=16,
        block_cycles=question["blockCycles"],
        disk_version=question["diskVersion"],
    )


@functools.cache
def decoded(text):
    return base64.b64decode(text)


def formatted(question):
    flash = Flash(b"\xff" * BLOCK * question["blocks"])
    lfs.format(LFSFilesystem(), configuration(question, flash))
    return flash.buffer


def told(files, contents):
    """The files in a line, each with the name of what it holds."""
    names = {data: name for name, data in contents.items()}
    return " ".join(f"{name}={names.get(data, f'{len(data)} unknown bytes')}" for name, data in files.items()) or "none"


def without_leftovers(files):
    return {name: data for name, data in files.items() if not name.endswith(".new")}


def every_cut(question):
    """Cuts the power in every operation on the flash, in every way; then starts again and saves once more."""
    contents = {name: decoded(text) for name, text in question["contents"].items()}
    outcomes, used, overwrites = collections.Counter(), collections.defaultdict(set), collections.Counter()
    cuts = leftovers = 0
    memory = formatted(question)
    flash = Flash(memory)
    # Without, the first start of all is cut as well.
    if question["before"]:
        Chip(question, flash).do(question["before"])
    for turn in question["turns"]:
        memory = flash.buffer
        flash = Flash(memory)
        chip = Chip(question, flash)
        chip.do(turn["save"])
        used[told(chip.files(), contents)].add(chip.used())
        for cut_at in range(flash.operations):
            for cut in CUTS:
                torn = Flash(memory)
                torn.cut_at, torn.cut = cut_at, cut
                try:
                    Chip(question, torn).do(turn["save"])
                    raise AssertionError(f"Nobody has noticed that operation {cut_at} failed.")
                except PowerCut:
                    cuts += 1
                again = Flash(torn.buffer)
                chip = Chip(question, again)
                files = chip.files()
                kept = without_leftovers(files)
                leftovers += len(files) - len(kept)
                found = told(kept, contents)
                if found in turn["next"]:
                    chip.do(turn["next"][found])
                    end = told(chip.files(), contents)
                    used[end].add(chip.used())
                    found += f" -> {end}"
                outcomes[found] += 1
                overwrites[cut] += torn.overwrites + again.overwrites
    return {
        "cuts": cuts,
        "outcomes": outcomes,
        "leftovers": leftovers,
        "used": {files: sorted(blocks) for files, blocks in used.items()},
        "overwrites": overwrites,
    }


def random_cuts(question):
    """One flash, whose power is cut at random moments of one save after another."""
    contents = [decoded(text) for text in question["contents"].values()]
    draw = random.Random(question["seed"])
    saves = question["saves"]
    memory = formatted(question)
    Chip(question, flash := Flash(memory)).do(saves[0])
    operations, memory = flash.operations, flash.buffer
    held, outcomes, used, cuts = 0, collections.Counter(), set(), 0
    for _ in range(question["cycles"]):
        flash = Flash(memory)
        # Now and then it comes too late.
        flash.cut_at, flash.cut = draw.randrange(operations * 5 // 4), draw.choice(list(CUTS))
        goal = (held + 1) % len(saves)
        try:
            chip = Chip(question, flash)
            chip.do(saves[goal])
            used.add(chip.used())
        except PowerCut:
            cuts += 1
        memory = flash.buffer
        files = without_leftovers(Chip(question, Flash(memory)).files())
        outcomes[told(files, {"old": contents[held], "new": contents[goal]})] += 1
        if contents[goal] in files.values():
            held = goal
    return {"cuts": cuts, "outcomes": outcomes, "used": sorted(used)}


def cost(question):
    """What each of several saves, one after the other, does to the flash."""
    chip = Chip(question, flash := Flash(formatted(question)))
    costs = []
    for save in question["saves"]:
        flash.cost.clear()
        flash.bytes_read = 0
        chip.do(save)
        costs.append({**flash.cost, "bytesRead": flash.bytes_read})
    return costs


def full(question):
    """Saves where the flash has from no free block on ever more, until there is room."""
    contents = {name: decoded(text) for name, text in question["contents"].items()}
    memory = formatted(question)
    Chip(question, flash := Flash(memory)).do(question["before"])
    results = []
    while not results or results[-1]["failed"] is not None:
        chip = Chip(question, filled := Flash(flash.buffer))
        used = question["blocks"] - len(results)
        chip.create("filler")
        # Somewhat less than a block each: littlefs keeps pointers in them.
        lfs.file_write(chip.fs, chip.file, bytes(4080 * (used - chip.used())))
        chip.close()
        assert chip.used() == used
        failed = chip.do(question["save"])
        stuck = chip.do(question["afterFailure"][failed]) if failed is not None else None
        chip = Chip(question, Flash(filled.buffer))
        left, grown = told(chip.files(), contents), chip.used() - used
        chip.delete("filler")
        chip.do(question["save"])
        results.append(
            {"failed": failed, "stuck": stuck, "left": left, "grown": grown, "next": told(chip.files(), contents)}
        )
    return results


question = json.load(sys.stdin)
ANSWERS = {"everyCut": every_cut, "randomCuts": random_cuts, "cost": cost, "full": full}
json.dump(ANSWERS[question["ask"]](question), sys.stdout)
