// Saves what a run has found while the run goes on: transactions one at a time, in order, beside the thread that computes.
//
//   Saver saver(store);
//   saver.save([&store, rows = std::move(rows)] { for (const auto& row : rows) store.add_result(row); });
//   ...                // the run goes on; nobody else touches the store
//   saver.wait();      // everything is saved
//
// What is saved must belong to the work: the run changes its own data meanwhile. A kill loses the transaction under way, as it
// would if the run had waited for it.
#pragma once

#include <functional>
#include <future>
#include <utility>

#include "host/store/run_store.hpp"

namespace exarch {

class Saver {
 public:
  explicit Saver(RunStore& store) : store_(store) {}
  Saver(const Saver&) = delete;
  Saver& operator=(const Saver&) = delete;
  // Waits; a failure is lost. Whoever wants to know calls wait().
  ~Saver() {
    if (pending_.valid()) pending_.wait();
  }

  // Starts a transaction as soon as the one before has ended. Throws what that one threw.
  void save(std::function<void()> work) {
    wait();
    pending_ = std::async(std::launch::async, [this, work = std::move(work)] { store_.transaction(work); });
  }
  // Waits for the transaction under way, and throws what it threw.
  void wait() {
    if (pending_.valid()) pending_.get();
  }

 private:
  RunStore& store_;
  std::future<void> pending_;
};

}  // namespace exarch
