/* A file is held against its XSD while it is read. */
#include "iso20022/reader_parts.h"

#include <libxml/xmlschemas.h>
#include <stdio.h>
#include <string.h>

/* "Element '{namespace}Name': ..." without what is in braces. */
static void drop_namespaces(const char *text, char *out, size_t size)
{
    size_t n = 0;
    for (; *text != '\0' && n + 1 < size; text++) {
        if (*text == '{')
            text += strcspn(text, "}");
        else
            out[n++] = *text;
        if (*text == '\0')
            break;
    }
    out[n] = '\0';
}

static void on_schema_error(void *user, xmlErrorPtr e)
{
    struct reader *r = user;
    char text[400];
    const char *name = NULL;
    const char *facet = NULL;
    const char *rest = NULL;
    int name_len = 0;

    drop_namespaces(e->message == NULL ? "" : e->message, text, sizeof text);
    name = text + strcspn(text, "'");
    name += *name == '\0' ? 0 : 1;
    name_len = (int)strcspn(name, "'");
    facet = strstr(text, "[facet '");
    rest = strstr(text, "': ");
    /* Of the validator's words only those are taken that do not quote the value. */
    if (facet != NULL)
        (void)fail(r, ISO_RULE_SCHEMA, "%.*s: %.*s", name_len, name, (int)strcspn(facet, "]") - 1,
                   facet + 1);
    else if (e->code == XML_SCHEMAV_ELEMENT_CONTENT && rest != NULL)
        (void)fail(r, ISO_RULE_SCHEMA, "%.*s: %.*s", name_len, name, (int)strcspn(rest + 3, "\n"),
                   rest + 3);
    else
        (void)fail(r, ISO_RULE_SCHEMA, "%.*s: the value or an attribute", name_len, name);
}

bool iso_reader_valid_begin(struct reader *r, const char *name)
{
    xmlSchemaPtr schema = NULL;

    if (r->options.schemas == NULL)
        return true;
    schema = iso_schemas_get(r->options.schemas, name);
    if (schema == NULL)
        return fail(r, ISO_RULE_SCHEMA_MISSING, "%s.xsd", name);
    r->valid = xmlSchemaNewValidCtxt(schema);
    if (r->valid == NULL)
        return fail(r, ISO_RULE_NO_MEMORY, "%s", "");
    xmlSchemaSetValidStructuredErrors(r->valid, on_schema_error, r);
    r->valid_sax = NULL; /* with no handlers of ours to call, its own can be called one by one */
    r->valid_user = NULL;
    r->plug = xmlSchemaSAXPlug(r->valid, &r->valid_sax, &r->valid_user);
    if (r->plug == NULL)
        return fail(r, ISO_RULE_NO_MEMORY, "%s", "");
    return true;
}

void iso_reader_valid_end(struct reader *r)
{
    if (r->plug != NULL)
        (void)xmlSchemaSAXUnplug(r->plug);
    xmlSchemaFreeValidCtxt(r->valid);
    r->plug = NULL;
    r->valid = NULL;
}
