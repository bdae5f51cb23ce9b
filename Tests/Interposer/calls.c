// The calls of the C library through which a program changes and reads files, put before the library's own (LD_PRELOAD).
// What is read is not on record; it can be made to fail.
//
// INTERPOSER_FOLDER=/folder   minds the files below it; everything else goes its way
// INTERPOSER_JOURNAL=/file    appends what happens to them, in order, so that the journal survives the program
// INTERPOSER_FAULT=…          makes calls fail, see faults.c
// INTERPOSER_CLOCK=/file      sets the wall clock ahead or back, see clock.c
//
// What goes past it: what the C library does within itself (`fopen`, `fwrite`), and pages written through a mapping.
// SQLite maps only its WAL-index (`-shm`), which it makes anew after a crash; that a file was mapped is on record.
// `sync_file_range` makes nothing certain, so it is no sync here.

#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "journal.h"

// For calls that only look at a descriptor that may be anybody's.
#define MINDED_FILE(descriptor, file) \
    struct minded *file = minded(descriptor); \
    if (file->is_minded && !file->is_folder)

static int failed(int error) {
    errno = error;
    return -1;
}

// MARK: Opening and closing

static int open_at(int folder, const char *path, int flags, mode_t mode) {
    char name[NAME_SIZE];
    if (!name_of(folder, path, name, sizeof name)) {
        int descriptor = (int)syscall(SYS_openat, folder, path, flags, mode);
        // A link may lead into the folder.
        if (descriptor >= 0) mind(descriptor);
        return descriptor;
    }
    struct verdict verdict = judge(CALL_OPEN, name);
    if (verdict.error != 0) return failed(verdict.error);
    begin();
    int saved = errno;
    bool is_there = (flags & O_CREAT) == 0 || faccessat(folder, path, F_OK, 0) == 0;
    errno = saved;
    int descriptor = (int)syscall(SYS_openat, folder, path, flags, mode);
    if (descriptor >= 0) {
        mind(descriptor);
        bool may_write = (flags & O_ACCMODE) != O_RDONLY;
        MINDED_FILE(descriptor, file) {
            if (!is_there || may_write) {
                enum interposer_kind kind = is_there ? INTERPOSER_OPEN : INTERPOSER_CREATE;
                record(kind, file->inode, 0, file->name, NULL, NULL, 0, 0);
            }
            if (is_there && may_write && (flags & O_TRUNC) != 0) {
                record(INTERPOSER_TRUNCATE, file->inode, 0, file->name, NULL, NULL, 0, 0);
            }
        }
    }
    end();
    return descriptor;
}

static mode_t mode_of(int flags, va_list rest) {
    return (flags & (O_CREAT | __O_TMPFILE)) != 0 ? va_arg(rest, mode_t) : 0;
}

int open(const char *path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    mode_t mode = mode_of(flags, rest);
    va_end(rest);
    return open_at(AT_FDCWD, path, flags, mode);
}

int openat(int folder, const char *path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    mode_t mode = mode_of(flags, rest);
    va_end(rest);
    return open_at(folder, path, flags, mode);
}

int open64(const char *path, int flags, ...) __attribute__((alias("open")));
int openat64(int folder, const char *path, int flags, ...) __attribute__((alias("openat")));
// What programs call that were built with the checks of the C library's headers.
int __open_2(const char *path, int flags) { return open_at(AT_FDCWD, path, flags, 0); }
int __open64_2(const char *path, int flags) { return open_at(AT_FDCWD, path, flags, 0); }
int __openat_2(int folder, const char *path, int flags) { return open_at(folder, path, flags, 0); }
int __openat64_2(int folder, const char *path, int flags) { return open_at(folder, path, flags, 0); }

int creat(const char *path, mode_t mode) { return open_at(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }
int creat64(const char *path, mode_t mode) __attribute__((alias("creat")));

// Files with names of their own: the library would make them within itself.
int mkostemp(char *template, int flags) {
    int (*next)(char *, int) = (int (*)(char *, int))dlsym(RTLD_NEXT, "mkostemp");
    begin();
    int descriptor = next(template, flags);
    if (descriptor >= 0) {
        mind(descriptor);
        MINDED_FILE(descriptor, file) record(INTERPOSER_CREATE, file->inode, 0, file->name, NULL, NULL, 0, 0);
    }
    end();
    return descriptor;
}

int mkstemp(char *template) { return mkostemp(template, 0); }
int mkstemp64(char *template) __attribute__((alias("mkstemp")));
int mkostemp64(char *template, int flags) __attribute__((alias("mkostemp")));

int close(int descriptor) {
    forget(descriptor);
    return (int)syscall(SYS_close, descriptor);
}

int fclose(FILE *stream) {
    int (*next)(FILE *) = (int (*)(FILE *))dlsym(RTLD_NEXT, "fclose");
    forget(fileno(stream));
    return next(stream);
}

int closedir(DIR *stream) {
    int (*next)(DIR *) = (int (*)(DIR *))dlsym(RTLD_NEXT, "closedir");
    forget(dirfd(stream));
    return next(stream);
}

int dup(int from) {
    int to = (int)syscall(SYS_dup, from);
    if (to >= 0) copy(from, to);
    return to;
}

int dup3(int from, int to, int flags) {
    int result = (int)syscall(SYS_dup3, from, to, flags);
    if (result >= 0) copy(from, to);
    return result;
}

int dup2(int from, int to) {
    // dup3 refuses what dup2 takes for nothing to do.
    if (from == to) return syscall(SYS_fcntl, from, F_GETFD) < 0 ? -1 : to;
    return dup3(from, to, 0);
}

int fcntl(int descriptor, int command, ...) {
    va_list rest;
    va_start(rest, command);
    long argument = va_arg(rest, long);
    va_end(rest);
    int result = (int)syscall(SYS_fcntl, descriptor, command, argument);
    if (result >= 0 && (command == F_DUPFD || command == F_DUPFD_CLOEXEC)) copy(descriptor, result);
    return result;
}

int fcntl64(int descriptor, int command, ...) __attribute__((alias("fcntl")));

// MARK: Writing

// - offset: negative for the descriptor's own position.
static ssize_t put(int descriptor, struct minded *file, const struct iovec *data, int parts, off_t offset) {
    struct verdict verdict = judge(CALL_WRITE, file->name);
    if (verdict.error != 0) return failed(verdict.error);
    struct iovec half;
    if (verdict.is_short && parts > 0 && data[0].iov_len > 1) {
        half = (struct iovec){data[0].iov_base, data[0].iov_len / 2};
        data = &half;
        parts = 1;
    }
    begin();
    ssize_t count = offset < 0 ? syscall(SYS_writev, descriptor, data, parts)
                               : syscall(SYS_pwritev, descriptor, data, parts, offset, 0L);
    if (count > 0) {
        off_t start = offset < 0 ? lseek(descriptor, 0, SEEK_CUR) - count : offset;
        record(INTERPOSER_WRITE, file->inode, start, NULL, NULL, data, parts, (size_t)count);
    }
    end();
    return count;
}

ssize_t write(int descriptor, const void *bytes, size_t count) {
    MINDED_FILE(descriptor, file) {
        struct iovec data = {(void *)bytes, count};
        return put(descriptor, file, &data, 1, -1);
    }
    return syscall(SYS_write, descriptor, bytes, count);
}

ssize_t pwrite(int descriptor, const void *bytes, size_t count, off_t offset) {
    MINDED_FILE(descriptor, file) {
        if (offset < 0) return failed(EINVAL);
        struct iovec data = {(void *)bytes, count};
        return put(descriptor, file, &data, 1, offset);
    }
    return syscall(SYS_pwrite64, descriptor, bytes, count, offset);
}

ssize_t pwrite64(int descriptor, const void *bytes, size_t count, off64_t offset) __attribute__((alias("pwrite")));

ssize_t writev(int descriptor, const struct iovec *data, int parts) {
    MINDED_FILE(descriptor, file) return put(descriptor, file, data, parts, -1);
    return syscall(SYS_writev, descriptor, data, parts);
}

ssize_t pwritev(int descriptor, const struct iovec *data, int parts, off_t offset) {
    MINDED_FILE(descriptor, file) return offset < 0 ? failed(EINVAL) : put(descriptor, file, data, parts, offset);
    return syscall(SYS_pwritev, descriptor, data, parts, offset, 0L);
}

ssize_t pwritev64(int descriptor, const struct iovec *data, int parts, off64_t offset)
    __attribute__((alias("pwritev")));

// What the kernel has copied into a file is read back from it.
static void record_range(int descriptor, struct minded *file, off_t start, ssize_t count) {
    static char bytes[1 << 16];
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", descriptor);
    int reader = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
    while (count > 0) {
        ssize_t part = syscall(SYS_pread64, reader, bytes, count < (ssize_t)sizeof bytes ? count : sizeof bytes, start);
        if (part <= 0) break;
        struct iovec data = {bytes, (size_t)part};
        record(INTERPOSER_WRITE, file->inode, start, NULL, NULL, &data, 1, (size_t)part);
        start += part;
        count -= part;
    }
    if (reader >= 0) syscall(SYS_close, reader);
}

ssize_t copy_file_range(int from, off64_t *from_offset, int to, off64_t *to_offset, size_t size, unsigned flags) {
    MINDED_FILE(to, file) {
        struct verdict verdict = judge(CALL_WRITE, file->name);
        if (verdict.error != 0) return failed(verdict.error);
        begin();
        ssize_t count = syscall(SYS_copy_file_range, from, from_offset, to, to_offset, size, flags);
        if (count > 0) {
            off_t stop = to_offset == NULL ? lseek(to, 0, SEEK_CUR) : *to_offset;
            record_range(to, file, stop - count, count);
        }
        end();
        return count;
    }
    return syscall(SYS_copy_file_range, from, from_offset, to, to_offset, size, flags);
}

ssize_t sendfile(int to, int from, off_t *offset, size_t size) {
    MINDED_FILE(to, file) {
        struct verdict verdict = judge(CALL_WRITE, file->name);
        if (verdict.error != 0) return failed(verdict.error);
        begin();
        ssize_t count = syscall(SYS_sendfile, to, from, offset, size);
        if (count > 0) record_range(to, file, lseek(to, 0, SEEK_CUR) - count, count);
        end();
        return count;
    }
    return syscall(SYS_sendfile, to, from, offset, size);
}

ssize_t sendfile64(int to, int from, off64_t *offset, size_t size) __attribute__((alias("sendfile")));

int ftruncate(int descriptor, off_t length) {
    MINDED_FILE(descriptor, file) {
        struct verdict verdict = judge(CALL_WRITE, file->name);
        if (verdict.error != 0) return failed(verdict.error);
        begin();
        int result = (int)syscall(SYS_ftruncate, descriptor, length);
        if (result == 0) record(INTERPOSER_TRUNCATE, file->inode, length, NULL, NULL, NULL, 0, 0);
        end();
        return result;
    }
    return (int)syscall(SYS_ftruncate, descriptor, length);
}

int ftruncate64(int descriptor, off64_t length) __attribute__((alias("ftruncate")));

int truncate(const char *path, off_t length) {
    int descriptor = open_at(AT_FDCWD, path, O_WRONLY | O_CLOEXEC, 0);
    if (descriptor < 0) return -1;
    int result = ftruncate(descriptor, length);
    int saved = errno;
    close(descriptor);
    errno = saved;
    return result;
}

int truncate64(const char *path, off64_t length) __attribute__((alias("truncate")));

int fallocate(int descriptor, int mode, off_t offset, off_t length) {
    MINDED_FILE(descriptor, file) {
        // Holes and the like are not recorded, so they are refused; who asks for them has another way.
        if ((mode & ~FALLOC_FL_KEEP_SIZE) != 0) return failed(EOPNOTSUPP);
        struct verdict verdict = judge(CALL_WRITE, file->name);
        if (verdict.error != 0) return failed(verdict.error);
        begin();
        int result = (int)syscall(SYS_fallocate, descriptor, mode, offset, length);
        if (result == 0 && mode == 0) {
            record(INTERPOSER_EXTEND, file->inode, offset + length, NULL, NULL, NULL, 0, 0);
        }
        end();
        return result;
    }
    return (int)syscall(SYS_fallocate, descriptor, mode, offset, length);
}

int fallocate64(int descriptor, int mode, off64_t offset, off64_t length) __attribute__((alias("fallocate")));

int posix_fallocate(int descriptor, off_t offset, off_t length) {
    int saved = errno;
    int error = fallocate(descriptor, 0, offset, length) == 0 ? 0 : errno;
    errno = saved;
    return error;
}

int posix_fallocate64(int descriptor, off64_t offset, off64_t length) __attribute__((alias("posix_fallocate")));

void *mmap(void *address, size_t length, int protection, int flags, int descriptor, off_t offset) {
    if ((flags & MAP_ANONYMOUS) == 0 && (protection & PROT_WRITE) != 0 && (flags & MAP_TYPE) != MAP_PRIVATE) {
        MINDED_FILE(descriptor, file) {
            begin();
            record(INTERPOSER_MAP, file->inode, offset, file->name, NULL, NULL, 0, 0);
            end();
        }
    }
    return (void *)syscall(SYS_mmap, address, length, protection, flags, descriptor, offset);
}

void *mmap64(void *address, size_t length, int protection, int flags, int descriptor, off64_t offset)
    __attribute__((alias("mmap")));

// MARK: Reading

ssize_t read(int descriptor, void *bytes, size_t count) {
    MINDED_FILE(descriptor, file) {
        struct verdict verdict = judge(CALL_READ, file->name);
        if (verdict.error != 0) return failed(verdict.error);
    }
    return syscall(SYS_read, descriptor, bytes, count);
}

ssize_t pread(int descriptor, void *bytes, size_t count, off_t offset) {
    MINDED_FILE(descriptor, file) {
        struct verdict verdict = judge(CALL_READ, file->name);
        if (verdict.error != 0) return failed(verdict.error);
    }
    return syscall(SYS_pread64, descriptor, bytes, count, offset);
}

ssize_t pread64(int descriptor, void *bytes, size_t count, off64_t offset) __attribute__((alias("pread")));

// MARK: Syncs

static int sync_with(long call, int descriptor) {
    struct minded *file = minded(descriptor);
    if (!file->is_minded) return (int)syscall(call, descriptor);
    struct verdict verdict = judge(CALL_SYNC, file->name);
    if (verdict.error != 0) return failed(verdict.error);
    begin();
    int result = (int)syscall(call, descriptor);
    if (result == 0) {
        enum interposer_kind kind = file->is_folder ? INTERPOSER_SYNC_FOLDER : INTERPOSER_SYNC;
        record(kind, file->inode, 0, file->name, NULL, NULL, 0, 0);
    }
    end();
    return result;
}

int fsync(int descriptor) { return sync_with(SYS_fsync, descriptor); }
int fdatasync(int descriptor) { return sync_with(SYS_fdatasync, descriptor); }

// MARK: Names

int renameat2(int from_folder, const char *from, int to_folder, const char *to, unsigned flags) {
    char name[NAME_SIZE], other[NAME_SIZE];
    bool leaves = name_of(from_folder, from, name, sizeof name);
    bool enters = name_of(to_folder, to, other, sizeof other);
    if (!leaves && !enters) return (int)syscall(SYS_renameat2, from_folder, from, to_folder, to, flags);
    struct verdict verdict = judge(CALL_NAME, enters ? other : name);
    if (verdict.error != 0) return failed(verdict.error);
    begin();
    int result = (int)syscall(SYS_renameat2, from_folder, from, to_folder, to, flags);
    // What comes from outside, or leaves, has no other name here.
    if (result == 0) record(INTERPOSER_RENAME, 0, 0, leaves ? name : NULL, enters ? other : NULL, NULL, 0, 0);
    end();
    return result;
}

int renameat(int from_folder, const char *from, int to_folder, const char *to) {
    return renameat2(from_folder, from, to_folder, to, 0);
}

int rename(const char *from, const char *to) { return renameat2(AT_FDCWD, from, AT_FDCWD, to, 0); }

int linkat(int from_folder, const char *from, int to_folder, const char *to, int flags) {
    char name[NAME_SIZE], other[NAME_SIZE];
    if (!name_of(to_folder, to, other, sizeof other) || !name_of(from_folder, from, name, sizeof name)) {
        return (int)syscall(SYS_linkat, from_folder, from, to_folder, to, flags);
    }
    struct verdict verdict = judge(CALL_NAME, other);
    if (verdict.error != 0) return failed(verdict.error);
    begin();
    int result = (int)syscall(SYS_linkat, from_folder, from, to_folder, to, flags);
    if (result == 0) record(INTERPOSER_LINK, 0, 0, name, other, NULL, 0, 0);
    end();
    return result;
}

int link(const char *from, const char *to) { return linkat(AT_FDCWD, from, AT_FDCWD, to, 0); }

int unlinkat(int folder, const char *path, int flags) {
    char name[NAME_SIZE];
    if ((flags & AT_REMOVEDIR) != 0 || !name_of(folder, path, name, sizeof name)) {
        return (int)syscall(SYS_unlinkat, folder, path, flags);
    }
    struct verdict verdict = judge(CALL_NAME, name);
    if (verdict.error != 0) return failed(verdict.error);
    begin();
    int result = (int)syscall(SYS_unlinkat, folder, path, flags);
    if (result == 0) record(INTERPOSER_UNLINK, 0, 0, name, NULL, NULL, 0, 0);
    end();
    return result;
}

int unlink(const char *path) { return unlinkat(AT_FDCWD, path, 0); }

int remove(const char *path) {
    int result = unlinkat(AT_FDCWD, path, 0);
    return result != 0 && errno == EISDIR ? unlinkat(AT_FDCWD, path, AT_REMOVEDIR) : result;
}
