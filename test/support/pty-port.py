"""A pseudo-terminal in the place of a serial port: says its name, then carries bytes from and to its own two ends."""

import os
import pty
import select
import sys
import tty

ours, theirs = pty.openpty()
tty.setraw(theirs)
print(os.ttyname(theirs), file=sys.stderr, flush=True)
while True:
    for source in select.select([0, ours], [], [])[0]:
        data = os.read(source, 65536)
        if not data:
            sys.exit(0)
        while data:
            data = data[os.write(ours if source == 0 else 1, data) :]
