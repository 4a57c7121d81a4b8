/* methods.h: the rows of rpc_methods[], each defined in the file named beside it. */
#ifndef UJRAT_RPC_METHODS_H
#define UJRAT_RPC_METHODS_H

#include "gateway/rpc/rpc.h"

#endif
