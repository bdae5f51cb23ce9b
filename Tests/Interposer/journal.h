// Between the parts of the interposer: which files it minds, what is recorded of them, what is to fail.

#ifndef JOURNAL_H
#define JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "../CInterposerJournal/record.h"

// The kinds of calls, of which a fault chooses.
enum call { CALL_WRITE = 1, CALL_SYNC = 2, CALL_OPEN = 4, CALL_NAME = 8, CALL_READ = 16 };

// A file or folder that an open descriptor stands for.
struct minded {
    // Whether it lies in the folder; all else is for nobody then.
    bool is_minded;
    bool is_folder;
    uint64_t inode;
    // Relative to the folder, as it was when it was opened.
    char name[216];
};

// The state of a descriptor; never NULL.
struct minded *minded(int descriptor);

// The name of a path relative to the folder; false if it is not in it. `size` bytes are enough for `name`.
bool name_of(int folder, const char *path, char *name, size_t size);
#define NAME_SIZE 216

// Notes what a descriptor stands for, if it lies in the folder.
void mind(int descriptor);
void forget(int descriptor);
void copy(int from, int to);

// One call at a time, in all processes that share the journal, so that its order is the order of what happened.
void begin(void);
void end(void);

void record(
    enum interposer_kind kind, uint64_t inode, int64_t offset, const char *name, const char *other,
    const struct iovec *data, int parts, size_t length);

// What is to become of a call: kills, waits, fails. To be asked before the call, outside of begin and end.
struct verdict {
    // 0: the call goes on.
    int error;
    // Only a part is to be written.
    bool is_short;
};
struct verdict judge(enum call call, const char *name);

#endif
