"""Runs a program in a pseudo-terminal of COLUMNS x ROWS: what is read is typed, what it shows is written."""

import fcntl
import os
import pty
import select
import struct
import sys
import termios

columns, rows, *command = sys.argv[1:]
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(command[0], command)


def resize(columns, rows):
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", int(rows), int(columns), 0, 0))


resize(columns, rows)
sources = [0, terminal]
while True:
    for source in select.select(sources, [], [])[0]:
        try:
            data = os.read(source, 65536)
        except OSError:
            data = b""
        if source == 0 and not data:
            sources.remove(0)
        elif source == 0:
            while data:
                data = data[os.write(terminal, data) :]
        elif data:
            while data:
                data = data[os.write(1, data) :]
        else:
            status = os.waitpid(pid, 0)[1]
            sys.exit(os.waitstatus_to_exitcode(status) & 0xFF)
