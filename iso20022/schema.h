/*
 * schema.h: the XSDs of ISO 20022 messages, read from a folder: pacs.008.001.08.xsd, head.001.001.02.xsd and so on, as
 * iso20022.org publishes them (they are not ours to ship). Each is read when it is first needed, and kept. Nothing but
 * files of that folder is opened; the folder is the operator's, so what is in it is trusted.
 *
 * For one thread. Reading validates with them as it streams: reader.h.
 */
#ifndef UJRAT_ISO20022_SCHEMA_H
#define UJRAT_ISO20022_SCHEMA_H

#include "base/err.h"

struct iso_schemas;

/* ERR_SYS if the folder cannot be entered, ERR_LIMIT if its path is too long, ERR_NO_MEMORY. */
MUST_CHECK err_t iso_schemas_new(const char *folder, struct iso_schemas **out);
void iso_schemas_free(struct iso_schemas **schemas);

/* name: "pacs.008.001.08". An xmlSchemaPtr that lives as long as schemas; NULL: there is none or it is no XSD. */
struct _xmlSchema *iso_schemas_get(struct iso_schemas *schemas, const char *name);

#endif
