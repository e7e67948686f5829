#include "host/store/writer_lock.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <mutex>
#include <set>
#include <system_error>

#include "host/error.hpp"

namespace exarch {
namespace {

constexpr off_t kLockByte = off_t{1} << 62;

[[noreturn]] void refuse(const std::string& path, int cause) {
  if (cause == EISDIR) throw Error(path + ": a folder, where a store is needed; check that the path is a file");
  throw Error(path + ": cannot write there: " + std::system_category().message(cause) +
              "; check that the folder exists and its permissions");
}

[[noreturn]] void refuse_second(const std::string& path) {
  throw Error(path + ": another process is writing to this store; wait for it to end, or choose another file");
}

// The files that this process has locked. A second descriptor on one of them must not even be opened: closing it would drop the
// locks that SQLite holds on the file, since those belong to the process.
struct Locked {
  std::mutex mutex;
  std::set<std::pair<dev_t, ino_t>> inodes;
};
Locked& locked() {
  static Locked all;
  return all;
}

}  // namespace

WriterLock::WriterLock(const std::string& path, const std::string& file) : path_(path), file_(file) {
  while (!claim()) {
  }
}

bool WriterLock::claim() {
  Locked& all = locked();
  const std::lock_guard guard(all.mutex);
  struct stat named {};
  if (::stat(file_.c_str(), &named) == 0 && all.inodes.contains({named.st_dev, named.st_ino})) refuse_second(path_);
  // O_NONBLOCK: opening a pipe must not wait for its other end.
  constexpr int kFlags = O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
  fd_ = ::open(file_.c_str(), kFlags | O_CREAT | O_EXCL, 0644);
  created_ = fd_ >= 0;
  if (fd_ < 0 && errno == EEXIST) fd_ = ::open(file_.c_str(), kFlags | O_CREAT, 0644);  // a dangling link names a file to create
  if (fd_ < 0) refuse(path_, errno);
  struct stat opened {};
  const int stat_code = ::fstat(fd_, &opened);
  if (stat_code == 0 && !S_ISREG(opened.st_mode)) {
    ::close(fd_);
    throw Error(path_ + ": not a regular file; a store needs a file of its own");
  }
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  lock.l_start = kLockByte;
  lock.l_len = 1;
  if (stat_code != 0 || ::fcntl(fd_, F_OFD_SETLK, &lock) != 0) {
    const int cause = errno;
    ::close(fd_);
    if (cause == EAGAIN || cause == EACCES) refuse_second(path_);
    refuse(path_, cause);
  }
  inode_ = {opened.st_dev, opened.st_ino};
  if (file_state() != File::there) {
    ::close(fd_);
    return false;
  }
  all.inodes.insert(inode_);
  return true;
}

WriterLock::~WriterLock() {
  Locked& all = locked();
  const std::lock_guard guard(all.mutex);
  struct stat now {};
  if (created_ && ::fstat(fd_, &now) == 0 && now.st_size == 0 && file_state() == File::there) ::unlink(file_.c_str());
  all.inodes.erase(inode_);
  ::close(fd_);
}

WriterLock::File WriterLock::file_state() const {
  struct stat ours {
  }, named{};
  if (::fstat(fd_, &ours) != 0 || ours.st_nlink == 0) {
    return ::stat(file_.c_str(), &named) == 0 ? File::replaced : File::deleted;
  }
  if (::stat(file_.c_str(), &named) != 0) return File::moved;
  return named.st_dev == ours.st_dev && named.st_ino == ours.st_ino ? File::there : File::replaced;
}

}  // namespace exarch
