// The module itself: errors, Ctrl-C, and what listens to runs.
#include <chrono>

#include "host/error.hpp"
#include "host/files/data_dir.hpp"
#include "python/src/bind.hpp"

namespace exarch::python {

void check_signals() {
  const nb::gil_scoped_acquire acquired;
  if (PyErr_CheckSignals() != 0) throw nb::python_error();
}

void InterruptibleExecutor::simulate(const Environment& environment, const Workload& workload,
                                     std::span<const std::int64_t> designs, Engine engine, Outcomes& outcomes) {
  using Clock = std::chrono::steady_clock;
  constexpr double kPartSeconds = 0.05;
  const std::size_t parameters = environment.parameters().size(), count = designs.size() / parameters;
  // A device gets its batch whole, which is short anyway.
  std::size_t part = local_.wanted(count) > 0 ? count : std::size_t{8} * local_.pool().threads();
  for (std::size_t first = 0; first < count;) {
    check_signals();
    const auto start = Clock::now();
    const std::size_t some = std::min(part, count - first);
    local_.simulate(environment, workload, designs.subspan(first * parameters, some * parameters), engine, outcomes);
    first += some;
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    if (seconds < kPartSeconds / 2) part *= 2;
    if (seconds > kPartSeconds * 2 && part > local_.pool().threads()) part /= 2;
  }
}

PythonObserver::PythonObserver(nb::object listener) {
  constexpr const char* kNames[] = {"on_start",   "on_progress", "on_end",      "on_improvement",
                                    "on_warning", "on_note",     "is_cancelled"};
  for (int i = 0; i < kCalls; ++i) calls_[i] = nb::getattr(listener, kNames[i], nb::none());
}

PythonObserver::~PythonObserver() {
  const nb::gil_scoped_acquire acquired;
  for (nb::object& call : calls_) call.reset();
}

template <class... Arguments>
void PythonObserver::call(Call which, Arguments&&... arguments) {
  if (calls_[which].is_none()) return;
  const nb::gil_scoped_acquire acquired;
  calls_[which](std::forward<Arguments>(arguments)...);
}

void PythonObserver::on_start(const std::string& unit, std::uint64_t total, std::uint64_t done) {
  call(kStart, unit, total, done);
}
void PythonObserver::on_progress(std::uint64_t done, const std::string& note) {
  call(kProgress, done, note);
}
void PythonObserver::on_improvement(const FoundBetter& better) {
  if (calls_[kImprovement].is_none()) return;
  const nb::gil_scoped_acquire acquired;
  nb::list values;
  for (const double value : better.values) values.append(value);
  calls_[kImprovement](better.generation, better.requested, values,
                       give(std::vector<std::int64_t>(better.design.begin(), better.design.end())));
}
void PythonObserver::on_warning(const std::string& text) {
  call(kWarning, text);
}
void PythonObserver::on_note(const std::string& text) {
  call(kNote, text);
}
// Runs in a destructor: what the listener raises is shown, and goes no further.
void PythonObserver::on_end() {
  if (calls_[kEnd].is_none()) return;
  const nb::gil_scoped_acquire acquired;
  try {
    calls_[kEnd]();
  } catch (nb::python_error& error) {
    error.discard_as_unraisable("on_end");
  }
}
bool PythonObserver::is_cancelled() {
  check_signals();
  if (calls_[kCancelled].is_none()) return false;
  const nb::gil_scoped_acquire acquired;
  return nb::cast<bool>(calls_[kCancelled]());
}

namespace {

// Python's classes for our exceptions; they live as long as the interpreter.
PyObject *error_class = nullptr, *usage_error_class = nullptr, *cancelled_class = nullptr;

PyObject* add_exception(nb::module_& m, const char* name, const char* doc, nb::tuple bases) {
  PyObject* const made = PyErr_NewExceptionWithDoc((std::string("exarch.") + name).c_str(), doc, bases.ptr(), nullptr);
  if (made == nullptr) throw nb::python_error();
  m.attr(name) = nb::handle(made);
  return made;
}

void add_errors(nb::module_& m) {
  error_class = add_exception(m, "Error", "What cannot be done, and why; the command line says the same.",
                              nb::make_tuple(nb::handle(PyExc_Exception)));
  usage_error_class =
      add_exception(m, "UsageError", "A request that makes no sense: an unknown name, a value out of range. Also a ValueError.",
                    nb::make_tuple(nb::handle(error_class), nb::handle(PyExc_ValueError)));
  cancelled_class = add_exception(m, "Cancelled", "A run that its listener ended; a store has all that was done.",
                                  nb::make_tuple(nb::handle(PyExc_Exception)));
  nb::register_exception_translator([](const std::exception_ptr& thrown, void*) {
    try {
      std::rethrow_exception(thrown);
    } catch (const UsageError& error) {
      PyErr_SetString(usage_error_class, error.what());
    } catch (const Error& error) {
      PyErr_SetString(error_class, error.what());
    } catch (const Cancelled& cancelled) {
      PyErr_SetString(cancelled_class, cancelled.what());
    }
  });
}

}  // namespace
}  // namespace exarch::python

NB_MODULE(_core, m) {
  using namespace exarch::python;
  m.doc() = "The engine: what exarch's Python functions are made of.";
  // Environments and executors live in module state until the end; nothing is lost by that.
  nb::set_leak_warnings(false);
  add_errors(m);
  m.def("version", &exarch::exarch_version, "The version of this build.");
  m.def(
      "use_data_dir", [](const std::string& dir) { exarch::use_data_dir(dir); }, "dir"_a,
      "The folder of traces and networks, unless the environment variable EXARCH_DATA names one.");
  m.def("data_dir", [] { return exarch::data_dir().string(); });
  nb::class_<Machine>(m, "Machine", "Where candidates are evaluated.")
      .def(nb::init<const std::string&, unsigned>(), "backend"_a = "auto", "threads"_a = 0)
      .def("threads", [](Machine& machine) { return machine.executor->pool().threads(); })
      .def("description", [](Machine& machine) { return work_on(machine, [&] { return machine.executor->description(); }); });
  add_describe(m);
  add_designs(m);
  add_evaluate(m);
  add_agents(m);
  add_runs(m);
  add_stores(m);
  add_model(m);
}
