/*
 * question_id.h: what names a question to a bank of files, an inquiry or a recall: "UJQ-MUCB-17", by its number among the
 * bank's questions. It is StsReqId of a pacs.028, and CxlId and Case/Id of a camt.056.
 */
#ifndef UJRAT_SETTLE_QUESTION_ID_H
#define UJRAT_SETTLE_QUESTION_ID_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

enum { QUESTION_ID_SIZE = 40 };

void question_id_write(const char *bank, int64_t question_no, char out[QUESTION_ID_SIZE]);

/* False: it is not the id of a question to this bank, as question_id_write() writes it. */
bool question_id_read(struct slice id, const char *bank, int64_t *question_no);

#endif
