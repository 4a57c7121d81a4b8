/*
 * The consolidated list of the UN's Security Council, XML: CONSOLIDATED_LIST / INDIVIDUALS / INDIVIDUAL / fields / values, and ENTITIES in the
 * same way. Read as a stream. What could name an entity is refused before the parser sees it: the list has no DOCTYPE.
 */
#include "screen/list.h"

#include "domain/cnic.h"

#include <libxml/xmlreader.h>
#include <stdio.h>
#include <stdlib.h>

#define TEXT_MAX  4096 /* of one element that we know; of others the text is passed over */
#define DEPTH_MAX 8

struct reading {
    struct screen_list *list;
    struct screen_fault *fault;
    xmlTextReaderPtr xml;
    char error[160];
    unsigned error_line;
    bool in_entry, in_root, ended;
    struct screen_draft draft;
    char full_name[SCREEN_FIELD_MAX]; /* FIRST_NAME to FOURTH_NAME */
    char group[64];                   /* the field that we are in */
    char name[64];                    /* the value in it */
    char text[TEXT_MAX];
    size_t text_len;
    bool wanted, too_long;
    /* of the group */
    char alias[TEXT_MAX], quality[32];
    char document_type[256], number[TEXT_MAX];
    char date[32], year[8], from_year[8], to_year[8], date_type[32];
};

static unsigned line_of(const struct reading *r)
{
    /* Of the element; the parser itself is ahead. */
    xmlNodePtr node = xmlTextReaderCurrentNode(r->xml);
    long line = node == NULL ? xmlTextReaderGetParserLineNumber(r->xml) : xmlGetLineNo(node);

    return line < 0 ? 0 : (unsigned)line;
}

/* The fault that was set without a line gets ours. */
static bool here(struct reading *r)
{
    r->fault->line = line_of(r);
    (void)snprintf(r->fault->where, sizeof r->fault->where, "%s%s%s", r->group,
                   r->group[0] != '\0' && r->name[0] != '\0' ? "/" : "", r->name);
    return false;
}

static bool is(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

static void copy(char *out, size_t out_size, const char *text)
{
    size_t len = strnlen(text, out_size - 1);

    memcpy(out, text, len);
    out[len] = '\0';
}

/* ---------------------------------------------------------------- values */

static void append_name(struct reading *r)
{
    struct slice part = slice_trim(slice_of(r->text, r->text_len));
    size_t len = strlen(r->full_name);

    if (part.len > 0)
        (void)snprintf(r->full_name + len, sizeof r->full_name - len, "%s%.*s", len == 0 ? "" : " ",
                       SLICE_ARG(part));
}

static bool take_field(struct reading *r)
{
    struct slice text = slice_of(r->text, r->text_len);

    if (is(r->name, "FIRST_NAME") || is(r->name, "SECOND_NAME") || is(r->name, "THIRD_NAME") ||
        is(r->name, "FOURTH_NAME"))
        append_name(r);
    else if (is(r->name, "NAME_ORIGINAL_SCRIPT"))
        return screen_draft_add_names(r->list, &r->draft, false, text, r->fault) || here(r);
    else if (is(r->name, "UN_LIST_TYPE"))
        return screen_draft_add(r->list, &r->draft, SCREEN_PROGRAM, text, r->fault) || here(r);
    else if (is(r->name, "REFERENCE_NUMBER")) {
        if (!arena_slice_dup(&r->list->arena, slice_trim(text), &r->draft.id))
            return screen_fail(r->fault, line_of(r), r->name, "the list is too large");
    }
    return true;
}

static bool take_value(struct reading *r)
{
    struct slice text = slice_of(r->text, r->text_len);

    if (is(r->name, "ALIAS_NAME"))
        copy(r->alias, sizeof r->alias, r->text);
    else if (is(r->name, "QUALITY"))
        copy(r->quality, sizeof r->quality, r->text);
    else if (is(r->name, "NUMBER"))
        copy(r->number, sizeof r->number, r->text);
    else if (is(r->name, "TYPE_OF_DOCUMENT"))
        copy(r->document_type, sizeof r->document_type, r->text);
    else if (is(r->name, "DATE"))
        copy(r->date, sizeof r->date, r->text);
    else if (is(r->name, "YEAR"))
        copy(r->year, sizeof r->year, r->text);
    else if (is(r->name, "FROM_YEAR"))
        copy(r->from_year, sizeof r->from_year, r->text);
    else if (is(r->name, "TO_YEAR"))
        copy(r->to_year, sizeof r->to_year, r->text);
    else if (is(r->name, "TYPE_OF_DATE"))
        copy(r->date_type, sizeof r->date_type, r->text);
    else if (is(r->group, "NATIONALITY") && is(r->name, "VALUE"))
        return screen_draft_add(r->list, &r->draft, SCREEN_COUNTRY, text, r->fault) || here(r);
    else if ((is(r->group, "INDIVIDUAL_ADDRESS") || is(r->group, "ENTITY_ADDRESS")) &&
             is(r->name, "COUNTRY") && r->draft.lists[SCREEN_COUNTRY].n == 0)
        return screen_draft_add(r->list, &r->draft, SCREEN_COUNTRY, text, r->fault) || here(r);
    return true;
}

/* ---------------------------------------------------------------- groups */

static void take_date(struct reading *r)
{
    char span[72];
    struct screen_dob dob;

    if (r->from_year[0] != '\0' && r->to_year[0] != '\0')
        (void)snprintf(span, sizeof span, "%s..%s", r->from_year, r->to_year);
    else
        (void)snprintf(span, sizeof span, "%s", r->date[0] != '\0' ? r->date : r->year);
    span[strcspn(span, "T")] = '\0'; /* some have a time */
    if (err_failed(screen_dob_parse(slice_str(span), &dob)))
        return; /* a note in words: of no use to a program */
    if (is(r->date_type, "APPROXIMATELY")) {
        dob.first -= 10000;
        dob.last += 10000;
    }
    screen_draft_add_dob(&r->draft, dob);
}

/* In English, Spanish and French, whatever else the type says. */
static bool is_passport(const char *type)
{
    return strstr(type, "assport") != NULL || strstr(type, "asaporte") != NULL ||
           strstr(type, "asseport") != NULL;
}

static bool take_document(struct reading *r)
{
    enum screen_field field = SCREEN_PASSPORT;
    const bool passport = is_passport(r->document_type);
    char cnic[CNIC_SIZE];

    if (cnic_normalise(slice_trim(slice_str(r->number)), cnic) == REASON_NONE)
        field = SCREEN_CNIC;
    else if (!passport)
        return true;
    return screen_draft_add(r->list, &r->draft, field, slice_str(r->number), r->fault) || here(r);
}

static bool end_of_group(struct reading *r)
{
    if (is(r->group, "INDIVIDUAL_ALIAS") || is(r->group, "ENTITY_ALIAS"))
        return screen_draft_add_names(r->list, &r->draft, is(r->quality, "Low"),
                                      slice_str(r->alias), r->fault) ||
               here(r);
    if (is(r->group, "INDIVIDUAL_DATE_OF_BIRTH"))
        take_date(r);
    else if (is(r->group, "INDIVIDUAL_DOCUMENT") && r->number[0] != '\0')
        return take_document(r);
    return true;
}

static void begin_group(struct reading *r, const char *name)
{
    copy(r->group, sizeof r->group, name);
    r->alias[0] = r->quality[0] = r->document_type[0] = r->number[0] = '\0';
    r->date[0] = r->year[0] = r->from_year[0] = r->to_year[0] = r->date_type[0] = '\0';
}

/* ---------------------------------------------------------------- entries */

static bool end_of_entry(struct reading *r)
{
    struct screen_texts *names = &r->draft.lists[SCREEN_NAME];
    size_t others = names->n, first;

    r->group[0] = r->name[0] = '\0';
    if (!screen_draft_add_names(r->list, &r->draft, false, slice_str(r->full_name), r->fault))
        return here(r);
    /* The name it is listed under comes first. */
    first = names->n - others;
    for (size_t i = 0; i < first; i++) {
        struct slice name = names->p[others + i];

        memmove(&names->p[i + 1], &names->p[i], others * sizeof *names->p);
        names->p[i] = name;
    }
    return screen_list_add(r->list, &r->draft, r->fault) || here(r);
}

static bool is_known(const char *name)
{
    static const char *const known[] = {"REFERENCE_NUMBER",
                                        "FIRST_NAME",
                                        "SECOND_NAME",
                                        "THIRD_NAME",
                                        "FOURTH_NAME",
                                        "UN_LIST_TYPE",
                                        "NAME_ORIGINAL_SCRIPT",
                                        "ALIAS_NAME",
                                        "QUALITY",
                                        "NUMBER",
                                        "TYPE_OF_DOCUMENT",
                                        "DATE",
                                        "YEAR",
                                        "FROM_YEAR",
                                        "TO_YEAR",
                                        "TYPE_OF_DATE",
                                        "VALUE",
                                        "COUNTRY"};

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (is(name, known[i]))
            return true;
    return false;
}

static bool begin_element(struct reading *r, int depth, const char *name)
{
    r->name[0] = '\0';
    r->text_len = 0;
    r->text[0] = '\0';
    r->too_long = false;
    r->wanted = r->in_entry && is_known(name);
    if (depth == 0) {
        xmlChar *published = xmlTextReaderGetAttribute(r->xml, BAD_CAST "dateGenerated");

        if (published != NULL)
            (void)snprintf(r->list->published, sizeof r->list->published, "%.10s",
                           (const char *)published);
        xmlFree(published);
        r->in_root = is(name, "CONSOLIDATED_LIST");
        return r->in_root ||
               screen_fail(r->fault, line_of(r), name, "the root is not CONSOLIDATED_LIST");
    }
    if (depth == 2) {
        bool person = is(name, "INDIVIDUAL");

        if (!person && !is(name, "ENTITY"))
            return screen_fail(r->fault, line_of(r), name, "INDIVIDUAL or ENTITY is wanted here");
        screen_draft_init(&r->draft);
        r->draft.kind = person ? SCREEN_PERSON : SCREEN_ORGANISATION;
        r->full_name[0] = '\0';
        r->in_entry = true;
    } else if (depth == 3)
        begin_group(r, name);
    if (depth >= 3)
        copy(r->name, sizeof r->name, name);
    return true;
}

static bool end_element(struct reading *r, int depth, const char *name)
{
    bool good = true;

    if (r->wanted && r->too_long)
        return screen_fail(r->fault, line_of(r), name, "its text is longer than %d bytes",
                           TEXT_MAX - 1);
    if (r->in_entry && r->wanted && is(r->name, name))
        good = depth == 3 ? take_field(r) : depth == 4 ? take_value(r) : true;
    if (good && depth == 3)
        good = end_of_group(r);
    r->wanted = false;
    r->text_len = 0;
    if (good && depth == 2) {
        r->in_entry = false;
        good = end_of_entry(r);
    }
    r->ended = r->ended || depth == 0;
    return good;
}

static void take_text(struct reading *r, const char *text)
{
    size_t len = strlen(text);

    if (!r->wanted)
        return;
    if (len >= sizeof r->text - r->text_len) {
        r->too_long = true;
        return;
    }
    memcpy(r->text + r->text_len, text, len + 1);
    r->text_len += len;
}

/* ---------------------------------------------------------------- the file */

static void on_error(void *user, xmlErrorPtr e)
{
    struct reading *r = user;

    if (r->error[0] != '\0' || e->level < XML_ERR_ERROR)
        return;
    copy(r->error, sizeof r->error, e->message == NULL ? "it is no XML" : e->message);
    r->error[strcspn(r->error, "\r\n")] = '\0';
    r->error_line = e->line < 0 ? 0 : (unsigned)e->line;
}

static bool step(struct reading *r)
{
    int depth = xmlTextReaderDepth(r->xml);
    const char *name = (const char *)xmlTextReaderConstLocalName(r->xml);
    bool empty;

    switch (xmlTextReaderNodeType(r->xml)) {
    case XML_READER_TYPE_ELEMENT:
        if (depth > DEPTH_MAX)
            return screen_fail(r->fault, line_of(r), name, "elements are nested too deeply");
        empty = xmlTextReaderIsEmptyElement(r->xml) == 1;
        return begin_element(r, depth, name) && (!empty || end_element(r, depth, name));
    case XML_READER_TYPE_END_ELEMENT:
        return end_element(r, depth, name);
    case XML_READER_TYPE_TEXT:
    case XML_READER_TYPE_CDATA:
        take_text(r, (const char *)xmlTextReaderConstValue(r->xml));
        return true;
    case XML_READER_TYPE_DOCUMENT_TYPE:
    case XML_READER_TYPE_ENTITY_REFERENCE:
        return screen_fail(r->fault, line_of(r), "",
                           "it has a DOCTYPE or an entity, which no list needs");
    default:
        return true;
    }
}

/* A DOCTYPE can make a small file large, or read others: a list has none. Looked for in the bytes, before they are parsed. */
static bool has_doctype(struct slice xml, struct screen_fault *fault)
{
    static const char *const signs[] = {"<!DOCTYPE", "<!ENTITY"};

    for (size_t i = 0; i < 2; i++) {
        const char *at = memmem(xml.p, xml.len, signs[i], strlen(signs[i]));
        unsigned line = 1;

        if (at == NULL)
            continue;
        for (const char *p = xml.p; p < at; p++)
            line += *p == '\n';
        (void)screen_fail(fault, line, "", "it has a %s, which no list needs", signs[i] + 2);
        return true;
    }
    return false;
}

static bool read_all(struct reading *r)
{
    int more;

    while ((more = xmlTextReaderRead(r->xml)) == 1)
        if (!step(r))
            return false;
    if (more < 0 || r->error[0] != '\0' || !r->ended)
        return screen_fail(r->fault, r->error_line, "", "%s",
                           r->error[0] == '\0' ? "it ends too early" : r->error);
    return true;
}

bool screen_list_read_un(struct screen_list *list, struct slice xml, struct screen_fault *fault)
{
    struct reading *r;
    const xmlChar *encoding;
    bool good = false;

    if (!screen_check_text(xml, fault) || has_doctype(xml, fault))
        return false;
    r = calloc(1, sizeof *r);
    if (r == NULL)
        return screen_fail(fault, 0, "", "out of memory");
    r->list = list;
    r->fault = fault;
    /* The encoding is given, so that a declaration cannot make other characters of the bytes that were checked. */
    r->xml = xmlReaderForMemory(xml.p == NULL ? "" : xml.p, (int)xml.len, NULL, "UTF-8",
                                XML_PARSE_NONET | XML_PARSE_NOCDATA | XML_PARSE_BIG_LINES);
    if (r->xml == NULL)
        (void)screen_fail(fault, 0, "", "out of memory");
    else {
        xmlTextReaderSetStructuredErrorHandler(r->xml, on_error, r);
        good = read_all(r);
        encoding = xmlTextReaderConstEncoding(r->xml);
        if (good && encoding != NULL && xmlStrcasecmp(encoding, BAD_CAST "UTF-8") != 0)
            good = screen_fail(fault, 1, "", "it says that it is %s, and UTF-8 is wanted",
                               (const char *)encoding);
        xmlFreeTextReader(r->xml);
    }
    free(r);
    return good;
}
