/* bank_files.h: the sandbox bank by files: it reads what ujrat-settle writes, and answers in files of its own. */
#ifndef UJRAT_CLI_BANK_FILES_H
#define UJRAT_CLI_BANK_FILES_H

#include "cli/bank_run.h"
#include "settle/bank_folders.h"
#include "settle/sign_key.h"

#define BANK_FILE_BYTES_MAX (256u * 1024 * 1024)

struct bank_files {
    struct bank *bank;
    struct bank_folders folders;
    struct sign_key *key;     /* the bank's: signs what it writes */
    struct sign_key *our_key; /* the gateway's public one; NULL: what is read is not checked */
    struct event *timer;
    long long poll_ms;
};

/* Reads what is new in out/, in order. False: something is wrong that will not pass; complained. */
bool bank_files_read(struct bank_files *f);

/* A file that was being written when the bank died is written again; then what there is to say is said in files. False:
 * a file could not be written; complained. *due_us as bank_work_next() has it. */
bool bank_files_write(struct bank_files *f, int64_t *due_us);

/* Until it is interrupted. The bank's books are open. */
enum exit_code bank_files_run(const struct args *args, struct bank *b, long long seconds);

#endif
