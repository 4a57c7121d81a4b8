/* event_id.h: the names of events: "WH-0000002A-0000000000007", of a book and a number in it. Pure. */
#ifndef UJRAT_HOOK_EVENT_ID_H
#define UJRAT_HOOK_EVENT_ID_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

enum { HOOK_EVENT_ID_SIZE = 26 };

/* book_id and event_no are above zero, event_no under 2^52 (asserted). Returns out. */
const char *hook_event_id_write(int32_t book_id, int64_t event_no, char out[HOOK_EVENT_ID_SIZE]);
/* False: no id of ours, to the letter. */
MUST_CHECK bool hook_event_id_read(struct slice text, int32_t *book_id, int64_t *event_no);

#endif
