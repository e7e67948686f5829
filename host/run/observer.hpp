// What a run tells while it goes on, and how it is ended early. A run never prints; whoever starts it derives from Observer what
// it wants to know, and leaves out the rest.
//
//   struct Printer : Observer {
//     void on_progress(std::uint64_t done, const std::string& note) override { std::printf("%ju %s\n", done, note.c_str()); }
//     bool is_cancelled() override { return stop_button_pressed; }
//   };
#pragma once

#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>

#include "host/execute/evaluator.hpp"

namespace exarch {

// Thrown by a run whose observer cancelled it. Not an Error: nothing is wrong. A store has all that was done, and the same run
// goes on from there.
class Cancelled : public std::runtime_error {
 public:
  Cancelled() : std::runtime_error("cancelled") {}
};

// A new best design of a search.
struct FoundBetter {
  std::uint64_t generation;              // from 0
  std::uint64_t requested;               // evaluations up to and with this generation
  std::span<const double> values;        // by objective; valid during the call
  std::span<const std::int64_t> design;  // by parameter; valid during the call
};

// What a sweep has evaluated: candidates [first, first + outcomes.size()) of a workload. All of it is valid during the call;
// score() of host/execute/scoring.hpp makes metrics and costs of it.
struct SweptBatch {
  std::uint32_t workload;
  std::uint64_t first;
  std::span<const std::int64_t> designs;  // (candidate, parameter)
  std::span<const Evaluator::OutcomeId> outcomes;
  const Evaluator& evaluator;
};

// One thread at a time calls these functions, not always the one that started the run. One that throws ends the run as a
// cancellation does; the exception
// reaches whoever started it.
class Observer {
 public:
  virtual ~Observer() = default;

  // The run is about to open its store, and to write; what was wrong with its spec has been found by now.
  virtual void on_open(const std::string& /*store*/) {}
  // `total` units of work follow, of which `done` are done already: "evaluations", "generations", "times taken".
  virtual void on_start(const std::string& /*unit*/, std::uint64_t /*total*/, std::uint64_t /*done*/) {}
  // So many are done. `note`: "best 1.25e6".
  virtual void on_progress(std::uint64_t /*done*/, const std::string& /*note*/) {}
  // What on_start() announced has ended.
  virtual void on_end() {}
  // Called if wants_results(): the outcomes of a sweep then stay in memory, some 500 bytes a run.
  virtual void on_results(const SweptBatch& /*batch*/) {}
  [[nodiscard]] virtual bool wants_results() const { return false; }
  virtual void on_improvement(const FoundBetter& /*better*/) {}
  // What the user should know: that a workload has something unusual; that a store is continued.
  virtual void on_warning(const std::string& /*text*/) {}
  virtual void on_note(const std::string& /*text*/) {}
  // Asked between batches; true ends the run with Cancelled.
  virtual bool is_cancelled() { return false; }
};

// Reports the progress of one piece of work to an observer, and throws Cancelled where that asks for it.
class Reporter {
 public:
  Reporter(Observer& observer, const std::string& unit, std::uint64_t total, std::uint64_t done = 0) : observer_(observer) {
    observer_.on_start(unit, total, done);
  }
  ~Reporter() { observer_.on_end(); }
  Reporter(const Reporter&) = delete;
  Reporter& operator=(const Reporter&) = delete;

  void update(std::uint64_t done, const std::string& note = {}) {
    observer_.on_progress(done, note);
    if (observer_.is_cancelled()) throw Cancelled();
  }

 private:
  Observer& observer_;
};

}  // namespace exarch
