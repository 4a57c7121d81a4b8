/* exit_code.h: how ujrat-settle ends, by sysexits(3) where that has a number; as ujratd does. */
#ifndef UJRAT_SETTLE_EXIT_CODE_H
#define UJRAT_SETTLE_EXIT_CODE_H

/* X(number, name, meaning) */
#define EXIT_CODE_TABLE(X)                                                                         \
    X(0, DONE, "ended as asked (SIGTERM, SIGINT, --once), or printed what was asked for")          \
    X(64, USAGE, "the command line is not understood")                                             \
    X(69, LEDGER, "the ledger cannot be reached")                                                  \
    X(71, SYSTEM, "the system refused something: no memory, a folder that cannot be written to")   \
    X(75, AGAIN, "--once: somebody else leads, or not all could be done; the log says what")       \
    X(76, SCHEMA, "the ledger's schema is of another version: run `ujrat db migrate`")             \
    X(78, CONFIG, "the configuration, or a key or folder it names, is not usable")

enum exit_code {
#define EXIT_CODE_ENUM(number, name, meaning) EXIT_##name = (number),
    EXIT_CODE_TABLE(EXIT_CODE_ENUM)
#undef EXIT_CODE_ENUM
};

#endif
