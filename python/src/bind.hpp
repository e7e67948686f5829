// The Python module: what its parts share. Each add_...() defines the classes and functions of one file; module.cpp calls them.
//
// Everything that may take long runs without the global interpreter lock. It comes back for it to call a progress function, a
// model written in Python, or to ask whether the user pressed Ctrl-C.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "host/execute/executor.hpp"
#include "host/run/observer.hpp"

namespace exarch::python {

namespace nb = nanobind;
using namespace nb::literals;

// Arrays that Python hands over: C-contiguous, in this process's memory, not written to. The Python side makes them so.
template <class T, std::size_t kDimensions>
using In = nb::ndarray<const T, nb::numpy, nb::ndim<kDimensions>, nb::c_contig, nb::device::cpu>;
// Arrays that Python gets: it owns their memory, which the module filled.
template <class T>
using Out = nb::ndarray<nb::numpy, T>;

// Moves a column or table into Python, without copying it.
template <class T>
[[nodiscard]] Out<T> give(std::vector<T> values, std::initializer_list<std::size_t> shape) {
  auto owned = std::make_unique<std::vector<T>>(std::move(values));
  T* const data = owned->data();
  nb::capsule owner(owned.get(), [](void* p) noexcept { delete static_cast<std::vector<T>*>(p); });
  (void)owned.release();
  return Out<T>(data, shape, owner);
}
template <class T>
[[nodiscard]] Out<T> give(std::vector<T> values) {
  const std::size_t count = values.size();
  return give(std::move(values), {count});
}

template <class Array>
[[nodiscard]] auto span_of(const Array& array) {
  return std::span(array.data(), array.size());
}

// Throws KeyboardInterrupt (or what else a signal handler raises) where a signal has come for this thread. Without the lock.
void check_signals();

// This machine as an executor that Ctrl-C ends: between parts of a batch that take some 50 ms.
class InterruptibleExecutor final : public Executor {
 public:
  InterruptibleExecutor(const std::string& backend, unsigned threads) : local_(backend, threads) {}
  void simulate(const Environment& environment, const Workload& workload, std::span<const std::int64_t> designs, Engine engine,
                Outcomes& outcomes) override;
  [[nodiscard]] std::size_t wanted(std::size_t candidates) override { return local_.wanted(candidates); }
  [[nodiscard]] ThreadPool& pool() override { return local_.pool(); }
  [[nodiscard]] const rank::Functions& ranking(std::size_t candidates) override { return local_.ranking(candidates); }
  [[nodiscard]] std::string description() override { return local_.description(); }

 private:
  LocalExecutor local_;
};

// What Python holds: an executor, and a lock, since one thread at a time may use it. The lock may be taken again by its thread: a
// progress function, or a model in Python, may evaluate something itself.
struct Machine {
  Machine(const std::string& backend, unsigned threads) : executor(std::make_shared<InterruptibleExecutor>(backend, threads)) {}
  std::shared_ptr<InterruptibleExecutor> executor;
  std::recursive_mutex busy;
};

// Runs `body` on a machine without the interpreter's lock, alone.
template <class Body>
auto work_on(Machine& machine, const Body& body) {
  const nb::gil_scoped_release released;
  const std::lock_guard alone(machine.busy);
  return body();
}

// An observer whose functions are those of a Python object, as far as it has them: on_start, on_progress, on_end, on_improvement,
// on_warning, on_note, is_cancelled. None: nobody listens, and Ctrl-C still ends the run.
class PythonObserver : public Observer {
 public:
  explicit PythonObserver(nb::object listener);
  ~PythonObserver() override;
  void on_start(const std::string& unit, std::uint64_t total, std::uint64_t done) override;
  void on_progress(std::uint64_t done, const std::string& note) override;
  void on_end() override;
  void on_improvement(const FoundBetter& better) override;
  void on_warning(const std::string& text) override;
  void on_note(const std::string& text) override;
  bool is_cancelled() override;

 private:
  enum Call { kStart, kProgress, kEnd, kImprovement, kWarning, kNote, kCancelled, kCalls };
  template <class... Arguments>
  void call(Call which, Arguments&&... arguments);

  nb::object calls_[kCalls];  // None: the listener does not have it
};

// Parameter values of a design as Python has them: labels, or whole numbers.
[[nodiscard]] nb::dict design_dict(const Environment& environment, std::span<const std::int64_t> design);

void add_describe(nb::module_& m);
void add_designs(nb::module_& m);
void add_evaluate(nb::module_& m);
void add_agents(nb::module_& m);
void add_runs(nb::module_& m);
void add_stores(nb::module_& m);
void add_model(nb::module_& m);

}  // namespace exarch::python
