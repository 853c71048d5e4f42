/*
 * words.c: text for error messages.
 */

#include "words.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

const char *reasonOf(int error)
{
    static const struct {
        int error;
        const char *reason;
    } reasons[] = {
        { ENOENT, "there is no such file or folder" },
        { ENOTDIR, "a part of its path is not a folder" },
        { EISDIR, "it is a folder" },
        { EACCES, "access is denied" },
        { EPERM, "access is denied" },
        { EROFS, "the file system is read-only" },
        { ENOSPC, "the disk is full" },
        { EDQUOT, "the disk quota is used up" },
        { EFBIG, "it would be larger than a file may be here" },
        { ELOOP, "its symbolic links go in a circle" },
        { EINVAL, "this kind of file cannot be used so" },
        { ENXIO, "nobody is at the other end" },
        { ENODEV, "there is no such device" },
        { EIO, "the device has failed" },
        { EMFILE, "too many files are open" },
        { ENFILE, "too many files are open" },
        { ENAMETOOLONG, "its name is too long" },
        { ETXTBSY, "it is a running program" },
        { EBUSY, "it is in use" },
        { EPIPE, "the reader has left" },
        { ECONNRESET, "the reader has left" },
        { EXDEV, "it is on another disk" },
        { EEXIST, "something else has its name" },
        { ENOMEM, "this computer has no memory left" },
        { EBADF, "it is closed" },
        { ESTALE, "the disk that it was on is gone" },
        { ETIMEDOUT, "the disk that it is on does not answer" },
        { ENOTSUP, "this kind of file cannot be used so" },
        { EOPNOTSUPP, "this kind of file cannot be used so" },
    };
    size_t i;
    for (i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
        if (reasons[i].error == error)
            return reasons[i].reason;
    return strerror(error);
}

size_t utf8Sequence(const unsigned char *at, const unsigned char *end)
{
    size_t size = at[0] < 0x80 ? 1 : at[0] < 0xC2 ? 0 : at[0] < 0xE0 ? 2 : at[0] < 0xF0 ? 3 : at[0] < 0xF5 ? 4 : 0;
    size_t i;
    if (size > (size_t)(end - at))
        return 0;
    for (i = 1; i < size; i++)
        if ((at[i] & 0xC0) != 0x80)
            return 0;
    if ((at[0] == 0xE0 && at[1] < 0xA0) || (at[0] == 0xED && at[1] > 0x9F) || (at[0] == 0xF0 && at[1] < 0x90)
        || (at[0] == 0xF4 && at[1] > 0x8F))
        return 0;
    return size;
}

/* Whether a character is visible: the same table as in src/gpt/base/errors.ts. */
static bool isVisible(uint32_t character)
{
    static const uint32_t invisible[][2] = {
        { 0x00, 0x1F },
        { 0x7F, 0xA0 },
        { 0xAD, 0xAD },
        { 0x34F, 0x34F },
        { 0x61C, 0x61C },
        { 0x115F, 0x1160 },
        { 0x1680, 0x1680 },
        { 0x17B4, 0x17B5 },
        { 0x180B, 0x180F },
        { 0x2000, 0x200F },
        { 0x2028, 0x202F },
        { 0x205F, 0x206F },
        { 0x3000, 0x3000 },
        { 0x3164, 0x3164 },
        { 0xD800, 0xF8FF },
        { 0xFE00, 0xFE0F },
        { 0xFEFF, 0xFEFF },
        { 0xFFA0, 0xFFA0 },
        { 0xFFF0, 0xFFFB },
        { 0xFFFE, 0xFFFF },
        { 0x1D173, 0x1D17A },
        { 0xE0000, 0x10FFFF },
    };
    size_t i;
    for (i = 0; i < sizeof(invisible) / sizeof(invisible[0]); i++)
        if (character >= invisible[i][0] && character <= invisible[i][1])
            return false;
    return true;
}

static uint32_t decode(const unsigned char *at, size_t size)
{
    uint32_t character = size == 1 ? at[0] : at[0] & (0x7Fu >> size);
    size_t i;
    for (i = 1; i < size; i++)
        character = character << 6 | (at[i] & 0x3Fu);
    return character;
}

const char *printable(const char *text, int most)
{
    static char results[4][4 * QUOTED_MOST + 4];
    static unsigned turn;
    char *result = results[turn++ % 4], *to = result;
    const unsigned char *at = (const unsigned char *)text, *end = at + strlen(text);
    int count = 0;
    while (at < end) {
        char shown[16];
        size_t size = utf8Sequence(at, end), bytes;
        if (size == 0)
            bytes = (size_t)snprintf(shown, sizeof(shown), "\\x{%x}", (unsigned)*at);
        else if (isVisible(decode(at, size)))
            memcpy(shown, at, bytes = size);
        else
            bytes = (size_t)snprintf(shown, sizeof(shown), "\\u{%x}", (unsigned)decode(at, size));
        /* Count UTF-16 code units, as src/gpt/base/errors.ts does. */
        count += bytes == size ? (size == 4 ? 2 : 1) : (int)bytes;
        if (count > most) {
            memcpy(to, "\xE2\x80\xA6", 3);
            to += 3;
            break;
        }
        memcpy(to, shown, bytes);
        to += bytes;
        at += size > 0 ? size : 1;
    }
    *to = 0;
    return result;
}
