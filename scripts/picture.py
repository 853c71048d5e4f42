"""Takes a screenshot of a terminal program, such as docs/monitor.png.

    python3 -m pip install pyte pillow
    python3 scripts/picture.py docs/monitor.png 100x32 --seconds 14 \\
        --keys 5:'status\\r' --keys 10:'generate 3\\r' --keys 13:'generate 5 0.6 mar' -- \\
        npm run monitor -- --simulate -- --engine xs ops=typescript steps=5000 holdout=5 log_every=250

Runs the program in a pty; pyte emulates the terminal, Pillow draws it.
"""

import argparse
import fcntl
import math
import os
import pty
import select
import signal
import struct
import termios
import time

import pyte
from PIL import Image, ImageDraw, ImageFont

FONT_SIZE = 14
ROW_HEIGHT = 18
MARGIN = 8
PAPER = "#16181d"
INK = "#d8dee9"
COLOURS = {"cyan": "#56b6c2", "brown": "#e5c07b"}


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output")
    parser.add_argument("size", help="COLUMNSxROWS")
    parser.add_argument("--seconds", type=float, default=5, help="when to take the screenshot")
    parser.add_argument("--keys", action="append", default=[], help="SECONDS:TEXT, when to type what")
    parser.add_argument("--font", default="DejaVuSansMono.ttf")
    parser.add_argument("command", nargs="+")
    return parser.parse_args()


def watch(command, columns, rows, seconds, keys):
    """Runs the command and returns the screen after `seconds`."""
    screen = pyte.Screen(columns, rows)
    stream = pyte.ByteStream(screen)
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ["TERM"] = "xterm-256color"
        os.execvp(command[0], command)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    begin = time.monotonic()
    while True:
        now = time.monotonic() - begin
        while keys and keys[0][0] <= now:
            os.write(terminal, keys.pop(0)[1])
        if not select.select([terminal], [], [], 0.02)[0]:
            # No output is pending, so the screen is completely drawn.
            if now > seconds:
                break
            continue
        try:
            stream.feed(os.read(terminal, 65536))
        except OSError:
            break
    os.kill(pid, signal.SIGTERM)
    os.close(terminal)
    os.waitpid(pid, 0)
    return screen


def paint(screen, font):
    width = font.getlength("M")
    size = (math.ceil(screen.columns * width) + 2 * MARGIN, screen.lines * ROW_HEIGHT + 2 * MARGIN)
    image = Image.new("RGB", size, PAPER)
    draw = ImageDraw.Draw(image)
    for y in range(screen.lines):
        for x in range(screen.columns):
            cell = screen.buffer[y][x]
            left, top = MARGIN + x * width, MARGIN + y * ROW_HEIGHT
            ink = COLOURS.get(cell.fg, INK)
            if cell.reverse:
                draw.rectangle([left, top, left + width, top + ROW_HEIGHT], fill=ink)
                ink = PAPER
            if cell.data.strip():
                draw.text((left, top + 1), cell.data, font=font, fill=ink)
    left, top = MARGIN + screen.cursor.x * width, MARGIN + screen.cursor.y * ROW_HEIGHT
    draw.rectangle([left, top + 1, left + width - 1, top + ROW_HEIGHT - 2], outline=INK)
    return image


def main():
    options = parse()
    columns, rows = (int(part) for part in options.size.split("x"))
    keys = [key.split(":", 1) for key in options.keys]
    typed = sorted((float(when), text.encode().decode("unicode_escape").encode("latin1")) for when, text in keys)
    screen = watch(options.command, columns, rows, options.seconds, typed)
    image = paint(screen, ImageFont.truetype(options.font, FONT_SIZE))
    image.quantize(64).save(options.output, optimize=True)


main()
