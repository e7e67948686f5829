// A pool of worker threads for uneven work: indices are handed out one at a time, results go to their own slots, so the
// outcome never depends on the number of threads or on timing.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

namespace exarch {

class ThreadPool {
 public:
  // `threads` = 0: one per hardware thread the process may use. Error if one cannot be started.
  explicit ThreadPool(unsigned threads = 0);
  ~ThreadPool();

  [[nodiscard]] unsigned threads() const;

  // Calls body(index, worker) for every index in [0, count); worker < threads(). Blocks until all are done. The first
  // exception stops the hand-out and is rethrown here.
  void for_each(std::size_t count, const std::function<void(std::size_t index, unsigned worker)>& body);

 private:
  void stop();

  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace exarch
