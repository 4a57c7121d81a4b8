/*
 * Payouts as JSON Lines: one object a line, its members named like the columns of the CSV. Values are strings, amounts
 * too: "1234.50" is what it says, 1234.50 is whatever a program's floating point made of it.
 */
#include "cli/payout_file_reader.h"

#include <jansson.h>
#include <string.h>

#define JSON_LINE_MAX 16384

static int column_of(const char *name)
{
    for (int i = 0; i < COL_COUNT; i++)
        if (strcmp(name, payout_column_names[i]) == 0)
            return i;
    return -1;
}

static void take_object(struct payout_reader *r, unsigned number, json_t *object)
{
    struct payout_line line = {.number = number};
    const char *name;
    json_t *value;
    unsigned before = r->complaints;

    json_object_foreach(object, name, value)
    {
        int column = column_of(name);

        if (column < 0)
            payout_reader_complain(r, number, "no such member:", name);
        else if (json_is_string(value))
            line.at[column] = slice_of(json_string_value(value), json_string_length(value));
        else if (!json_is_null(value))
            payout_reader_complain(r, number, "it must be a string in quotes:", name);
    }
    if (r->complaints == before)
        payout_reader_add(r, &line);
}

static void take_line(struct payout_reader *r, unsigned number, struct slice text)
{
    json_error_t error;
    json_t *object = NULL;

    if (text.len > JSON_LINE_MAX) {
        payout_reader_complain(r, number, "the line is too long", "");
        return;
    }
    object = json_loadb(text.p, text.len, JSON_REJECT_DUPLICATES, &error);
    if (object == NULL)
        payout_reader_complain(r, number, "it is not JSON:", error.text);
    else if (!json_is_object(object))
        payout_reader_complain(r, number, "a line is one object, {...}", "");
    else
        take_object(r, number, object);
    json_decref(object);
}

bool payout_file_read_json(struct payout_reader *r, struct slice text)
{
    struct slice line;
    unsigned number = 0;

    if (slice_starts_with(text, SLICE("\xef\xbb\xbf")))
        text = slice_of(text.p + 3, text.len - 3);
    while (text.len > 0) {
        number++;
        (void)slice_cut(text, '\n', &line, &text);
        if (line.len > 0 && line.p[line.len - 1] == '\r')
            line.len--;
        line = slice_trim(line);
        if (line.len > 0)
            take_line(r, number, line);
    }
    return true;
}
