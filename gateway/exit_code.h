/* exit_code.h: how ujratd ends, by sysexits(3) where that has a number. */
#ifndef UJRAT_GATEWAY_EXIT_CODE_H
#define UJRAT_GATEWAY_EXIT_CODE_H

/* X(number, name, meaning) */
#define EXIT_CODE_TABLE(X)                                                                         \
    X(0, DONE, "ended as asked (SIGTERM, SIGINT), or printed what was asked for")                  \
    X(64, USAGE, "the command line is not understood")                                             \
    X(69, LEDGER, "the ledger cannot be reached")                                                  \
    X(70, INTERNAL, "something is wrong on our side")                                              \
    X(71, SYSTEM, "the system refused something: a port in use, too few files, no memory")         \
    X(76, SCHEMA, "the ledger's schema is of another version: run `ujrat db migrate`")             \
    X(78, CONFIG, "the configuration, or a certificate it names, is not usable")

enum exit_code {
#define EXIT_CODE_ENUM(number, name, meaning) EXIT_##name = (number),
    EXIT_CODE_TABLE(EXIT_CODE_ENUM)
#undef EXIT_CODE_ENUM
};

#endif
