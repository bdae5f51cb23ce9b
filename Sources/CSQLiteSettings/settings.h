/* Settings of SQLite as a whole, whose function takes variable arguments and so can't be called from Swift. */
#ifndef METERD_SQLITE_SETTINGS_H
#define METERD_SQLITE_SETTINGS_H

#include <sqlite3.h>

/* Counting the memory that SQLite takes costs two locks an allocation, and nobody reads the count. To be called before
 * the first connection; later it changes nothing. */
static inline int meterd_sqlite_count_no_memory(void) { return sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); }

#endif
