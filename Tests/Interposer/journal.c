// Which files are minded, and the journal of what happens to them.

#define _GNU_SOURCE
#include "journal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
// Without a slash at the end; empty when nothing is minded.
static char root[PATH_MAX];
static size_t root_length;
static int journal = -1;

#define DESCRIPTORS 65536
static struct minded table[DESCRIPTORS];
static struct minded none;

static void fail(const char *what, const char *value) {
    dprintf(2, "interposer: %s: %s: %s\n", what, value, strerror(errno));
    _exit(70);
}

static void prepare(void) {
    const char *folder = getenv("INTERPOSER_FOLDER");
    if (folder == NULL) {
        // A test whose setting is forgotten would prove nothing.
        if (getenv("INTERPOSER_JOURNAL") == NULL && getenv("INTERPOSER_FAULT") == NULL) return;
        errno = EINVAL;
        fail("INTERPOSER_FOLDER", "is not set");
    }
    if (realpath(folder, root) == NULL) fail("INTERPOSER_FOLDER", folder);
    root_length = strlen(root);
    const char *path = getenv("INTERPOSER_JOURNAL");
    if (path == NULL) return;
    journal = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (journal < 0) fail("INTERPOSER_JOURNAL", path);
    // Out of the way of programs that count on low numbers.
    int high = (int)syscall(SYS_fcntl, journal, F_DUPFD_CLOEXEC, 1000);
    if (high < 0) return;
    syscall(SYS_close, journal);
    journal = high;
}

// MARK: Names

struct minded *minded(int descriptor) {
    pthread_once(&once, prepare);
    return root_length > 0 && descriptor >= 0 && descriptor < DESCRIPTORS ? &table[descriptor] : &none;
}

// The name below the folder of a path that holds no links.
static bool relative(const char *path, char *name, size_t size) {
    if (strncmp(path, root, root_length) != 0) return false;
    const char *rest = path + root_length;
    if (*rest != '/' && *rest != 0) return false;
    while (*rest == '/') rest++;
    if (strlen(rest) >= size) return false;
    strcpy(name, rest);
    return true;
}

bool name_of(int folder, const char *path, char *name, size_t size) {
    pthread_once(&once, prepare);
    if (root_length == 0 || path == NULL || *path == 0) return false;
    int saved = errno;
    char whole[PATH_MAX * 2], parent[PATH_MAX], resolved[PATH_MAX + NAME_MAX + 2];
    if (path[0] == '/') {
        snprintf(whole, sizeof whole, "%s", path);
    } else {
        char link[64], start[PATH_MAX];
        snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
        ssize_t length = readlink(folder == AT_FDCWD ? "/proc/self/cwd" : link, start, sizeof start - 1);
        if (length < 0) length = 0;
        start[length] = 0;
        snprintf(whole, sizeof whole, "%s/%s", start, path);
    }
    // The last part may not be there, or may be a link that is meant itself.
    char *slash = strrchr(whole, '/');
    *slash = 0;
    bool is_known = realpath(*whole == 0 ? "/" : whole, parent) != NULL;
    errno = saved;
    if (!is_known) return false;
    snprintf(resolved, sizeof resolved, "%s/%s", strcmp(parent, "/") == 0 ? "" : parent, slash + 1);
    return relative(resolved, name, size);
}

// MARK: Descriptors

void mind(int descriptor) {
    struct minded *entry = minded(descriptor);
    if (entry == &none) return;
    int saved = errno;
    struct stat status;
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, sizeof path - 1);
    entry->is_minded = false;
    if (length > 0 && fstat(descriptor, &status) == 0 && (S_ISREG(status.st_mode) || S_ISDIR(status.st_mode))) {
        path[length] = 0;
        entry->is_folder = S_ISDIR(status.st_mode);
        entry->inode = status.st_ino;
        entry->is_minded = relative(path, entry->name, sizeof entry->name);
    }
    errno = saved;
}

void forget(int descriptor) { minded(descriptor)->is_minded = false; }

void copy(int from, int to) {
    struct minded *target = minded(to);
    if (target != &none) *target = *minded(from);
}

// MARK: Records

void begin(void) {
    pthread_mutex_lock(&lock);
    if (journal < 0) return;
    int saved = errno;
    while (syscall(SYS_flock, journal, LOCK_EX) != 0 && errno == EINTR) {}
    errno = saved;
}

void end(void) {
    int saved = errno;
    if (journal >= 0) syscall(SYS_flock, journal, LOCK_UN);
    errno = saved;
    pthread_mutex_unlock(&lock);
}

void record(
    enum interposer_kind kind, uint64_t inode, int64_t offset, const char *name, const char *other,
    const struct iovec *data, int parts, size_t length
) {
    if (journal < 0) return;
    int saved = errno;
    struct interposer_record head = {
        .magic = INTERPOSER_MAGIC,
        .kind = kind,
        .inode = inode,
        .offset = offset,
        .name_length = name == NULL ? 0 : (uint32_t)strlen(name),
        .other_length = other == NULL ? 0 : (uint32_t)strlen(other),
        .data_length = length,
    };
    struct iovec pieces[IOV_MAX];
    int count = 0;
    pieces[count++] = (struct iovec){&head, sizeof head};
    pieces[count++] = (struct iovec){(void *)name, head.name_length};
    pieces[count++] = (struct iovec){(void *)other, head.other_length};
    size_t left = length;
    for (int part = 0; part < parts && left > 0 && count < IOV_MAX; part++) {
        size_t piece = data[part].iov_len < left ? data[part].iov_len : left;
        pieces[count++] = (struct iovec){data[part].iov_base, piece};
        left -= piece;
    }
    ssize_t whole = (ssize_t)(sizeof head + head.name_length + head.other_length + length);
    // A journal with a gap would prove nothing.
    if (syscall(SYS_writev, journal, pieces, count) != whole) fail("the journal can't be written", root);
    errno = saved;
}
