/* Preloaded into a program, it makes every call that changes a store a point where the program may die: before the call, in its
 * middle, or after it. A store is a file whose path has ".db" in it.
 *
 *   EXARCH_CRASH_LOG=FILE   a line for each such call
 *   EXARCH_CRASH_AT=N       dies at the N-th call, from 1 ...
 *   EXARCH_CRASH_HOW=0|1|2  ... before it, after half of it (writes), or after it */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static long calls;

static int path_of(int fd, char* path, size_t size) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const ssize_t length = readlink(link, path, size - 1);
  path[length < 0 ? 0 : length] = 0;
  return strstr(path, ".db") != NULL;
}

/* 0: go on; else how to die. */
static int dies_here(const char* call, const char* path) {
  const char* log = getenv("EXARCH_CRASH_LOG");
  const char* at = getenv("EXARCH_CRASH_AT");
  ++calls;
  if (log != NULL) {
    FILE* file = fopen(log, "a");
    if (file != NULL) {
      fprintf(file, "%s %s\n", call, path);
      fclose(file);
    }
  }
  if (at == NULL || atol(at) != calls) return 0;
  const char* how = getenv("EXARCH_CRASH_HOW");
  return how == NULL ? 1 : 1 + atoi(how);
}

static void die(void) {
  kill(getpid(), SIGKILL);
  for (;;) pause();
}

#define NEXT(type, name, ...)       \
  static type (*next)(__VA_ARGS__); \
  if (next == NULL) next = (type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name)

/* `half` writes the first half; `whole` does all of it. */
#define CRASH(call, path, half, whole) \
  switch (dies_here(call, path)) {     \
    case 0:                            \
      break;                           \
    case 2:                            \
      (void)!(half);                   \
      die();                           \
      break;                           \
    case 3:                            \
      (void)!(whole);                  \
      die();                           \
      break;                           \
    default:                           \
      die();                           \
  }

ssize_t pwrite64(int fd, const void* bytes, size_t size, off64_t at) {
  NEXT(ssize_t, pwrite64, int, const void*, size_t, off64_t);
  char path[512];
  if (path_of(fd, path, sizeof path)) CRASH("pwrite", path, next(fd, bytes, size / 2, at), next(fd, bytes, size, at));
  return next(fd, bytes, size, at);
}
ssize_t pwrite(int fd, const void* bytes, size_t size, off_t at) {
  return pwrite64(fd, bytes, size, at);
}

ssize_t write(int fd, const void* bytes, size_t size) {
  NEXT(ssize_t, write, int, const void*, size_t);
  char path[512];
  if (fd > 2 && path_of(fd, path, sizeof path)) CRASH("write", path, next(fd, bytes, size / 2), next(fd, bytes, size));
  return next(fd, bytes, size);
}

int ftruncate64(int fd, off64_t size) {
  NEXT(int, ftruncate64, int, off64_t);
  char path[512];
  if (path_of(fd, path, sizeof path)) CRASH("ftruncate", path, 0, next(fd, size));
  return next(fd, size);
}
int ftruncate(int fd, off_t size) {
  return ftruncate64(fd, size);
}

int fsync(int fd) {
  NEXT(int, fsync, int);
  char path[512];
  if (path_of(fd, path, sizeof path)) CRASH("fsync", path, 0, next(fd));
  return next(fd);
}
int fdatasync(int fd) {
  NEXT(int, fdatasync, int);
  char path[512];
  if (path_of(fd, path, sizeof path)) CRASH("fdatasync", path, 0, next(fd));
  return next(fd);
}

int unlink(const char* path) {
  NEXT(int, unlink, const char*);
  if (strstr(path, ".db") != NULL) CRASH("unlink", path, 0, next(path));
  return next(path);
}
