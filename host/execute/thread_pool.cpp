#include "host/execute/thread_pool.hpp"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace exarch {
namespace {

unsigned usable_threads() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return std::max(1, CPU_COUNT(&set));
  return std::max(1u, std::thread::hardware_concurrency());
}

}  // namespace

struct ThreadPool::Impl {
  std::mutex mutex;
  std::condition_variable work_ready, work_done;
  std::vector<std::jthread> workers;
  const std::function<void(std::size_t, unsigned)>* body = nullptr;
  std::size_t count = 0;
  std::atomic<std::size_t> next{0};
  unsigned generation = 0, busy = 0;
  bool stopping = false;
  std::exception_ptr failure;

  void drain(unsigned worker) {
    for (std::size_t i = next.fetch_add(1); i < count; i = next.fetch_add(1)) {
      try {
        (*body)(i, worker);
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (!failure) failure = std::current_exception();
        next.store(count);
      }
    }
  }

  void work(unsigned worker) {
    unsigned seen = 0;
    std::unique_lock lock(mutex);
    while (true) {
      work_ready.wait(lock, [&] { return stopping || generation != seen; });
      if (stopping) return;
      seen = generation;
      lock.unlock();
      drain(worker);
      lock.lock();
      if (--busy == 0) work_done.notify_one();
    }
  }
};

ThreadPool::ThreadPool(unsigned threads) : impl_(std::make_unique<Impl>()) {
  const unsigned n = threads == 0 ? usable_threads() : threads;
  // The calling thread is worker 0.
  for (unsigned i = 1; i < n; ++i) impl_->workers.emplace_back([this, i] { impl_->work(i); });
}

ThreadPool::~ThreadPool() {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->stopping = true;
  }
  impl_->work_ready.notify_all();
}

unsigned ThreadPool::threads() const {
  return static_cast<unsigned>(impl_->workers.size()) + 1;
}

void ThreadPool::for_each(std::size_t count, const std::function<void(std::size_t, unsigned)>& body) {
  if (count == 0) return;
  if (count == 1) return body(0, 0);  // not worth waking anybody
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->body = &body;
    impl_->count = count;
    impl_->next = 0;
    impl_->failure = nullptr;
    impl_->busy = static_cast<unsigned>(impl_->workers.size());
    ++impl_->generation;
  }
  impl_->work_ready.notify_all();
  impl_->drain(0);
  std::unique_lock lock(impl_->mutex);
  impl_->work_done.wait(lock, [&] { return impl_->busy == 0; });
  if (impl_->failure) std::rethrow_exception(impl_->failure);
}

}  // namespace exarch
