#include "iso20022/schema.h"

#include "iso20022/shape.h"

#include <dirent.h>
#include <libxml/xmlschemas.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SCHEMAS_MAX 32 /* messages times versions, and the header's */
#define FOLDER_SIZE 4096

struct iso_schemas {
    char folder[FOLDER_SIZE];
    struct {
        char name[ISO_NAME_SIZE];
        xmlSchemaPtr schema;
    } at[SCHEMAS_MAX];
    size_t n;
};

err_t iso_schemas_new(const char *folder, struct iso_schemas **out)
{
    DIR *dir = opendir(folder);
    struct iso_schemas *s = NULL;
    err_t err;

    *out = NULL;
    if (dir == NULL)
        return err_sys("open the folder of XSDs");
    (void)closedir(dir);
    s = calloc(1, sizeof *s);
    if (s == NULL)
        return err_make(ERR_NO_MEMORY, "XSDs");
    err = slice_copy(slice_str(folder), s->folder, sizeof s->folder);
    if (err_failed(err)) {
        free(s);
        return err_make(ERR_LIMIT, "path of the folder of XSDs");
    }
    *out = s;
    return err_none();
}

void iso_schemas_free(struct iso_schemas **schemas)
{
    struct iso_schemas *s = *schemas;
    if (s == NULL)
        return;
    for (size_t i = 0; i < s->n; i++)
        xmlSchemaFree(s->at[i].schema);
    free(s);
    *schemas = NULL;
}

static void say_nothing(void *user, xmlErrorPtr e)
{
    (void)user;
    (void)e;
}

static xmlSchemaPtr load(const char *folder, const char *name)
{
    char path[FOLDER_SIZE + ISO_NAME_SIZE + 8];
    xmlSchemaParserCtxtPtr parser = NULL;
    xmlSchemaPtr schema = NULL;

    (void)snprintf(path, sizeof path, "%s/%s.xsd", folder, name);
    parser = xmlSchemaNewParserCtxt(path);
    if (parser == NULL)
        return NULL;
    xmlSchemaSetParserStructuredErrors(parser, say_nothing, NULL);
    schema = xmlSchemaParse(parser);
    xmlSchemaFreeParserCtxt(parser);
    return schema;
}

xmlSchemaPtr iso_schemas_get(struct iso_schemas *s, const char *name)
{
    for (size_t i = 0; i < s->n; i++)
        if (strcmp(s->at[i].name, name) == 0)
            return s->at[i].schema;
    if (s->n == SCHEMAS_MAX)
        return NULL;
    s->at[s->n].schema = load(s->folder, name);
    if (s->at[s->n].schema == NULL ||
        err_failed(slice_copy(slice_str(name), s->at[s->n].name, ISO_NAME_SIZE))) {
        xmlSchemaFree(s->at[s->n].schema);
        return NULL;
    }
    return s->at[s->n++].schema;
}
