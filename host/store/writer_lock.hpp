// One writer per store, for as long as the lock lives: SQLite itself only keeps two transactions apart, not two runs.
//
// The lock is the operating system's, on the database file itself (its inode, whatever name it is reached by): a symbolic link,
// a hard link or a removed helper file lets no second writer in. It ends with the process however that dies. It lies on a byte
// far behind those that SQLite locks, and is an open-file lock, so SQLite's own locks and it do not meet.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <utility>

namespace exarch {

class WriterLock {
 public:
  // Locks `file`, which is created empty where there is none. Errors name it `path`: another writer has it, it is no regular
  // file, or it cannot be written there.
  WriterLock(const std::string& path, const std::string& file);
  // A file that this lock created and nobody filled is removed.
  ~WriterLock();
  WriterLock(const WriterLock&) = delete;
  WriterLock& operator=(const WriterLock&) = delete;

  enum class File : std::uint8_t { there, deleted, moved, replaced };
  // What became of the locked file: whether its name still leads to it.
  [[nodiscard]] File file_state() const;

 private:
  using Inode = std::pair<dev_t, ino_t>;

  bool claim();  // false: somebody replaced the file between its opening and its locking

  std::string path_, file_;
  Inode inode_{};
  int fd_ = -1;
  bool created_ = false;
};

}  // namespace exarch
