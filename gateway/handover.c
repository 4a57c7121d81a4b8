#include "gateway/handover.h"

#include <sys/socket.h>

#include "seal/handover.h"

void handover_init(struct handover *h, int fd, struct log *log)
{
    *h = (struct handover){.fd = fd, .log = log};
    seal_handover_buf_init(&h->message);
}

void handover_deinit(struct handover *h)
{
    buf_deinit(&h->message);
}

void handover_block(void *user, const struct ledger_block *block)
{
    struct handover *h = user;
    err_t err = err_none();
    if (h->fd < 0)
        return;
    if (!seal_handover_encode(block, &h->message))
        err = err_make(ERR_LIMIT, "message");
    else if (send(h->fd, buf_data(&h->message), buf_len(&h->message), MSG_DONTWAIT | MSG_NOSIGNAL) <
             0)
        err = err_sys("send");
    if (err_failed(err))
        log_debug(h->log, "worker.not_handed_over", log_int("book_id", block->book_id),
                  log_int("block", block->block_no), log_uint("payouts", block->n), log_err(err));
}
