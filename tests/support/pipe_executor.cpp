#include "tests/support/pipe_executor.hpp"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "host/error.hpp"

namespace exarch::testing {
namespace {

// False at the end of the pipe.
bool get(int from, void* data, std::size_t size) {
  auto* bytes = static_cast<char*>(data);
  while (size > 0) {
    const ssize_t count = ::read(from, bytes, size);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    bytes += count;
    size -= static_cast<std::size_t>(count);
  }
  return true;
}

bool put(int to, const void* data, std::size_t size) {
  const auto* bytes = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t count = ::write(to, bytes, size);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    bytes += count;
    size -= static_cast<std::size_t>(count);
  }
  return true;
}

template <class T>
bool get_column(int from, std::vector<T>& column) {
  std::uint64_t count = 0;
  if (!get(from, &count, sizeof count)) return false;
  const std::size_t before = column.size();
  column.resize(before + count);
  return get(from, column.data() + before, count * sizeof(T));
}

template <class T>
bool put_column(int to, std::span<const T> column) {
  const std::uint64_t count = column.size();
  return put(to, &count, sizeof count) && put(to, column.data(), count * sizeof(T));
}

bool get_texts(int from, std::vector<std::string>& texts) {
  std::uint64_t count = 0;
  if (!get(from, &count, sizeof count)) return false;
  for (; count > 0; --count) {
    std::vector<char> text;
    if (!get_column(from, text)) return false;
    texts.emplace_back(text.begin(), text.end());
  }
  return true;
}

bool put_texts(int to, const std::vector<std::string>& texts) {
  const std::uint64_t count = texts.size();
  if (!put(to, &count, sizeof count)) return false;
  return std::ranges::all_of(texts, [to](const std::string& text) { return put_column(to, std::span<const char>(text)); });
}

}  // namespace

PipeExecutor::PipeExecutor(const Environment& environment, std::vector<WorkloadOptions> workloads) {
  ::signal(SIGPIPE, SIG_IGN);
  for (const WorkloadOptions& options : workloads) identities_.push_back(environment.load_workload(options)->identity);
  int down[2], up[2];
  if (::pipe(down) != 0 || ::pipe(up) != 0) throw Error("no pipe");
  child_ = ::fork();
  if (child_ < 0) throw Error("no child process");
  if (child_ == 0) {
    ::close(down[1]);
    ::close(up[0]);
    serve(environment, workloads, down[0], up[1]);
  }
  ::close(down[0]);
  ::close(up[1]);
  to_child_ = down[1];
  from_child_ = up[0];
}

PipeExecutor::~PipeExecutor() {
  ::close(to_child_);  // which ends the child
  ::close(from_child_);
  ::waitpid(child_, nullptr, 0);
}

void PipeExecutor::kill_child() const {
  ::kill(child_, SIGKILL);
}

void PipeExecutor::serve(const Environment& environment, const std::vector<WorkloadOptions>& workloads, int in, int out) {
  Backend backend("cpu", 1);
  std::vector<std::shared_ptr<const Workload>> loaded;
  for (const WorkloadOptions& options : workloads) loaded.push_back(environment.load_workload(options));
  std::uint64_t workload = 0;
  Engine engine{};
  while (get(in, &workload, sizeof workload) && get(in, &engine, sizeof engine)) {
    std::vector<std::int64_t> designs;
    Outcomes outcomes;
    if (!get_column(in, designs)) break;
    environment.simulate(*loaded.at(workload), designs, engine, backend, outcomes);
    if (!put_column(out, std::span<const std::uint8_t>(outcomes.status)) ||
        !put_column(out, std::span<const std::uint64_t>(outcomes.counters)) ||
        !put_column(out, std::span<const std::byte>(outcomes.detail)) || !put_texts(out, outcomes.artifacts)) {
      break;
    }
  }
  std::_Exit(0);
}

void PipeExecutor::simulate(const Environment& /*environment*/, const Workload& workload, std::span<const std::int64_t> designs,
                            Engine engine, Outcomes& outcomes) {
  const auto known = std::ranges::find(identities_, workload.identity);
  if (known == identities_.end()) throw Error("the child process has no workload '" + workload.name + "'");
  const auto number = static_cast<std::uint64_t>(known - identities_.begin());
  if (!put(to_child_, &number, sizeof number) || !put(to_child_, &engine, sizeof engine) || !put_column(to_child_, designs) ||
      !get_column(from_child_, outcomes.status) || !get_column(from_child_, outcomes.counters) ||
      !get_column(from_child_, outcomes.detail) || !get_texts(from_child_, outcomes.artifacts)) {
    throw Error("the child process has ended");
  }
  simulated_ += designs.size();
}

}  // namespace exarch::testing
