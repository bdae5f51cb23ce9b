// What the interposer writes down: the records of its journal, for it and for those who read them.

#ifndef INTERPOSER_RECORD_H
#define INTERPOSER_RECORD_H

#include <stdint.h>

// A record is this head, then `name_length` and `other_length` bytes of names relative to the folder, then
// `data_length` bytes. Numbers are in the machine's own byte order.
struct interposer_record {
    uint32_t magic;
    uint32_t kind;
    // The inode of the file; 0 where only names are concerned.
    uint64_t inode;
    // In bytes: where a write begins, how long a file becomes.
    int64_t offset;
    uint32_t name_length;
    uint32_t other_length;
    uint64_t data_length;
};

#define INTERPOSER_MAGIC 0x6c6e726au

enum interposer_kind {
    // A file was opened for writing, or made: binds its inode to a name.
    INTERPOSER_OPEN = 1,
    INTERPOSER_CREATE = 2,
    // Data at an offset.
    INTERPOSER_WRITE = 3,
    // The file has `offset` bytes from now on: a truncation, or an extension by zeros.
    INTERPOSER_TRUNCATE = 4,
    // The file has at least `offset` bytes from now on.
    INTERPOSER_EXTEND = 5,
    // All writes to the file before this are on the disk.
    INTERPOSER_SYNC = 6,
    // All names of a folder are on the disk as they are.
    INTERPOSER_SYNC_FOLDER = 7,
    // The name, and the other name that the file has from now on.
    INTERPOSER_RENAME = 8,
    INTERPOSER_LINK = 9,
    INTERPOSER_UNLINK = 10,
    // The file was mapped for writing: what is written to it from now on is not in the journal.
    INTERPOSER_MAP = 11,
    // Put in by whoever watches from outside: its data says what.
    INTERPOSER_MARK = 12,
};

#endif
