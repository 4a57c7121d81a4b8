#include "domain/text.h"

/* What looks like nothing: a name made of these only is no name. */
static bool is_blank(uint32_t code)
{
    return code == ' ' || code == 0xA0 || (code >= 0x2000 && code <= 0x200F) || code == 0x202F ||
           code == 0x205F || code == 0x2060 || code == 0x3000 || code == 0xFEFF;
}

static bool all_blank(struct slice text)
{
    while (text.len > 0)
        if (!is_blank(utf8_next(&text)))
            return false;
    return true;
}

reason_t text_check(struct slice text, size_t chars_max)
{
    size_t chars = 0;
    switch (utf8_check(text, &chars)) {
    case UTF8_BROKEN:
        return REASON_TEXT_NOT_UTF8;
    case UTF8_NUL:
    case UTF8_CONTROL:
        return REASON_TEXT_HAS_NUL;
    case UTF8_OK:
        break;
    }
    if (chars > chars_max)
        return REASON_TEXT_TOO_LONG;
    if (text.len > 0 && (text.p[0] == ' ' || text.p[text.len - 1] == ' '))
        return REASON_FIELD_INVALID;
    return REASON_NONE;
}

reason_t text_check_name(struct slice name)
{
    reason_t reason = text_check(name, TEXT_NAME_CHARS_MAX);
    if (reason == REASON_TEXT_TOO_LONG)
        return REASON_NAME_TOO_LONG;
    if (reason == REASON_NONE || reason == REASON_FIELD_INVALID)
        return all_blank(name) ? REASON_NAME_EMPTY : reason;
    return reason;
}

reason_t text_check_reference(struct slice reference)
{
    if (reference.len == 0)
        return REASON_REFERENCE_EMPTY;
    if (reference.len > TEXT_REFERENCE_BYTES_MAX)
        return REASON_REFERENCE_SHAPE;
    for (size_t i = 0; i < reference.len; i++)
        if (reference.p[i] < 0x21 || reference.p[i] > 0x7e)
            return REASON_REFERENCE_SHAPE;
    return REASON_NONE;
}

reason_t text_check_ascii(struct slice text, size_t chars_max)
{
    reason_t reason = text_check(text, chars_max);
    for (size_t i = 0; i < text.len && reason == REASON_NONE; i++)
        if (((unsigned char)text.p[i] & 0x80U) != 0)
            reason = REASON_TEXT_NOT_UTF8;
    return reason;
}
