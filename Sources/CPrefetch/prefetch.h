/* The one instruction that Swift has no word for: asks for the cache line of an address without waiting for it. */
#ifndef METERD_PREFETCH_H
#define METERD_PREFETCH_H

static inline void meterd_prefetch(const void *address) { __builtin_prefetch(address); }

#endif
