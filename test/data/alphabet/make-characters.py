"""Writes characters-255.txt and characters-256.txt, lists that hold exactly so many different characters.

    python3 make-characters.py

Each line takes its letters from one alphabet (Latin, Greek or Cyrillic), as words do; about one in five has a space
inside it. The second list is the first with one more line, which brings the one character too many.
"""

import random
from pathlib import Path

FOLDER = Path(__file__).parent
LINES = 210
SHORTEST, LONGEST = 2, 8
ONE_TOO_MANY = "ж\u0490"  # the second letter, Ukrainian ghe with upturn, is in no other line


def characters(first, last):
    """The letters from first to last, in the order of their code points."""
    return [chr(code) for code in range(ord(first), ord(last) + 1) if chr(code).isalpha()]


ALPHABETS = [
    characters("A", "Z") + characters("a", "z") + characters("À", "ÿ") + characters("Ā", "Ċ"),
    characters("Α", "Ω") + characters("α", "ω"),
    characters("А", "я") + characters("ѐ", "џ"),
]


def words(alphabet, count, rng):
    """count words in which every letter of the alphabet occurs."""
    lengths = [rng.randint(SHORTEST, LONGEST) for _ in range(count)]
    letters = []
    while len(letters) < sum(lengths):
        letters += rng.sample(alphabet, len(alphabet))
    assert sum(lengths) >= len(alphabet)
    made = []
    for length in lengths:
        word, letters = letters[:length], letters[length:]
        if length >= 5 and rng.random() < 0.3:
            word[rng.randint(1, length - 2)] = " "
        made.append("".join(word))
    return made


def write(name, lines, different):
    text = "".join(line + "\n" for line in lines)
    assert len(set(text) - {"\n"}) == different, len(set(text) - {"\n"})
    assert len(set(lines)) == len(lines)
    assert all(SHORTEST <= len(line) <= LONGEST and line == line.strip() for line in lines)
    (FOLDER / name).write_bytes(text.encode("utf-8"))


def main():
    rng = random.Random(255)
    total = sum(len(alphabet) for alphabet in ALPHABETS)
    lines = []
    for alphabet in ALPHABETS:
        lines += words(alphabet, round(LINES * len(alphabet) / total), rng)
    rng.shuffle(lines)
    write("characters-255.txt", lines, 255)
    write("characters-256.txt", lines + [ONE_TOO_MANY], 256)


if __name__ == "__main__":
    main()
