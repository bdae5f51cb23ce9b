/* Settings of SQLite whose functions take variable arguments, and a question to its files: neither can be called from
 * Swift. */
#ifndef METERD_SQLITE_SETTINGS_H
#define METERD_SQLITE_SETTINGS_H

#include <sqlite3.h>

/* Counting the memory that SQLite takes costs two locks an allocation, and nobody reads the count. To be called before
 * the first connection; later it changes nothing. */
static inline int meterd_sqlite_count_no_memory(void) { return sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); }

/* Closing the connection, also as the last one, does not move its log into the file. */
static inline int meterd_sqlite_keep_log(sqlite3 *connection) {
    return sqlite3_db_config(connection, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, (int *)0);
}

/* The error number of the last call to the system that failed on the database's file, or on its log; 0 for none. */
static inline int meterd_sqlite_last_error(sqlite3 *connection, int of_log) {
    sqlite3_file *file = 0;
    int error = 0;
    sqlite3_file_control(
        connection, "main", of_log ? SQLITE_FCNTL_JOURNAL_POINTER : SQLITE_FCNTL_FILE_POINTER, &file);
    if (file != 0 && file->pMethods != 0) file->pMethods->xFileControl(file, SQLITE_FCNTL_LAST_ERRNO, &error);
    return error;
}

#endif
