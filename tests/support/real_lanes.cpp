#include "tests/support/real_lanes.hpp"

#include <ucontext.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <numeric>
#include <random>
#include <string_view>
#include <utility>
#include <vector>

#include "kernels/dram/simulate.hpp"

#if defined(__SANITIZE_THREAD__)
#include <sanitizer/tsan_interface.h>
#endif

namespace exarch::testing {
namespace {

// A context that another can be left for. ThreadSanitizer is told of every change.
class Context {
 public:
  Context() = default;
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  void start(void (*body)()) {
    if (!stack_) stack_ = std::make_unique_for_overwrite<std::byte[]>(kStack);
    getcontext(&context_);
    context_.uc_stack.ss_sp = stack_.get();
    context_.uc_stack.ss_size = kStack;
    context_.uc_link = nullptr;
    makecontext(&context_, body, 0);
#if defined(__SANITIZE_THREAD__)
    fiber_ = __tsan_create_fiber(0);
#endif
  }

  void leave_for(Context& other) {
#if defined(__SANITIZE_THREAD__)
    if (fiber_ == nullptr) fiber_ = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(other.fiber_, 0);
#endif
    swapcontext(&context_, &other.context_);
  }

  // To be called from elsewhere, after start().
  void end() {
#if defined(__SANITIZE_THREAD__)
    __tsan_destroy_fiber(std::exchange(fiber_, nullptr));
#endif
  }

 private:
  static constexpr std::size_t kStack = 256 << 10;

  ucontext_t context_{};
  std::unique_ptr<std::byte[]> stack_;
#if defined(__SANITIZE_THREAD__)
  void* fiber_ = nullptr;
#endif
};

enum class State : std::uint8_t { started, shuffle, shuffle_xor, ballot, sync, finished };

// Of one lane, of several.
constexpr std::string_view kNames[][2] = {{"has not begun", "have not begun"},
                                          {"waits in a shuffle", "wait in a shuffle"},
                                          {"waits in a shuffle_xor", "wait in a shuffle_xor"},
                                          {"waits in a ballot", "wait in a ballot"},
                                          {"waits in a sync", "wait in a sync"},
                                          {"has finished", "have finished"}};

struct Lane {
  Context context;
  State state = State::started;
  std::source_location where;

  [[nodiscard]] bool stands_with(const Lane& other) const {
    return state == other.state &&
           (state == State::finished ||
            (where.line() == other.where.line() && where.column() == other.where.column() &&
             (where.file_name() == other.where.file_name() || std::string_view(where.file_name()) == other.where.file_name())));
  }
};

// The name of a function without its type, its arguments and what it is a member of.
std::string_view short_name(std::string_view function) {
  function = function.substr(0, function.find('('));
  const std::size_t before = function.find_last_of(" :");
  return before == std::string_view::npos ? function : function.substr(before + 1);
}

// From the folder of the project on.
std::string_view short_path(std::string_view file) {
  for (const std::string_view folder : {"kernels/", "tests/"}) {
    if (const std::size_t at = file.rfind(folder); at != std::string_view::npos) return file.substr(at);
  }
  return file;
}

class Warp {
 public:
  std::string run(std::uint64_t seed, const std::function<void()>& body) {
    rng_.seed(seed);
    body_ = &body;
    fault_.clear();
    turn_ = 0;
    meetings_.fill(0);
    std::iota(order_.begin(), order_.end(), 0u);
    std::ranges::shuffle(order_, rng_);
    for (Lane& lane : lanes_) {
      lane.state = State::started;
      lane.context.start([] { warp().run_lane(); });
    }
    running_ = order_[0];
    home_.leave_for(lanes_[running_].context);
    for (Lane& lane : lanes_) lane.context.end();
    return fault_;
  }

  [[nodiscard]] std::uint32_t running() const { return running_; }

  // The calling lane brings `own` and goes on when all lanes stand where it stands; what they brought.
  const std::array<std::uint64_t, kLanes>& meet(State operation, const std::source_location& where, std::uint64_t own) {
    // Two rooms are enough: who enters the next one but one knows that all have left this one.
    auto& brought = brought_[meetings_[running_]++ % 2];
    brought[running_] = own;
    lanes_[running_].where = where;
    stop(operation);
    return brought;
  }

  // One for each thread that runs tests.
  static Warp& warp() {
    static thread_local Warp one;
    return one;
  }

 private:
  void run_lane() {
    (*body_)();
    stop(State::finished);
  }

  // The calling lane's turn is over. The last lane of a turn compares where all stand.
  void stop(State state) {
    Lane& own = lanes_[running_];
    own.state = state;
    if (++turn_ == kLanes) {
      turn_ = 0;
      const bool together = std::ranges::all_of(lanes_, [&](const Lane& lane) { return lane.stands_with(own); });
      if (!together) fault_ = describe();
      if (!together || state == State::finished) {
        own.context.leave_for(home_);  // for ever
      }
      std::ranges::shuffle(order_, rng_);
    }
    const std::uint32_t next = order_[turn_];
    if (next == running_) return;
    running_ = next;
    own.context.leave_for(lanes_[next].context);
  }

  [[nodiscard]] std::string describe() const {
    std::string text;
    std::array<bool, kLanes> told{};
    for (std::uint32_t first = 0; first < kLanes; ++first) {
      if (told[first]) continue;
      std::string which;
      unsigned count = 0;
      for (std::uint32_t lane = first; lane < kLanes; ++lane) {
        if (!lanes_[lane].stands_with(lanes_[first])) continue;
        told[lane] = true;
        ++count;
        which += (which.empty() ? "" : ",") + std::to_string(lane);
      }
      text += std::string(text.empty() ? "" : "; ") + (count == 1 ? "lane " : "lanes ") + which + " ";
      text += kNames[static_cast<std::size_t>(lanes_[first].state)][count == 1 ? 0 : 1];
      if (lanes_[first].state == State::finished) continue;
      const std::source_location& where = lanes_[first].where;
      text += " at " + std::string(short_path(where.file_name())) + ":" + std::to_string(where.line()) + ":" +
              std::to_string(where.column()) + " (" + std::string(short_name(where.function_name())) + ")";
    }
    return text;
  }

  std::array<Lane, kLanes> lanes_;
  Context home_;
  std::mt19937_64 rng_;
  const std::function<void()>* body_ = nullptr;
  std::string fault_;
  std::uint32_t running_ = 0;
  std::array<std::uint32_t, kLanes> order_{};
  std::uint32_t turn_ = 0;  // lanes that have stopped since all went on
  std::array<std::uint32_t, kLanes> meetings_{};
  std::array<std::array<std::uint64_t, kLanes>, 2> brought_{};
};

}  // namespace

std::uint32_t RealWarp::lane() {
  return Warp::warp().running();
}

std::uint32_t RealWarp::shuffle(std::uint32_t own, const Place& place) {
  return static_cast<std::uint32_t>(Warp::warp().meet(State::shuffle, place.where, own)[place.lane % kLanes]);
}

std::uint64_t RealWarp::shuffle_xor(std::uint64_t own, std::uint32_t distance, const Here& here) {
  const std::uint32_t partner = lane() ^ distance;
  return Warp::warp().meet(State::shuffle_xor, here.where, own)[partner];
}

std::uint32_t RealWarp::ballot(bool own, const Here& here) {
  const auto& all = Warp::warp().meet(State::ballot, here.where, own ? 1 : 0);
  std::uint32_t set = 0;
  for (std::uint32_t i = 0; i < kLanes; ++i) set |= static_cast<std::uint32_t>(all[i]) << i;
  return set;
}

void RealWarp::sync(const Here& here) {
  (void)Warp::warp().meet(State::sync, here.where, 0);
}

std::string run_lanes(std::uint64_t seed, const std::function<void()>& body) {
  return Warp::warp().run(seed, body);
}

}  // namespace exarch::testing

namespace exarch::dram::testing {
namespace {

template <PagePolicy kPolicy, Choice kChoice, bool kWrites>
using RealLanesPass = SinglePass<exarch::testing::RealLanes, kPolicy, kChoice, kWrites>;

template <class T>
std::vector<T> garbage(std::size_t count) {
  std::vector<T> values(count);
  if (count > 0) std::memset(static_cast<void*>(values.data()), 0xA5, count * sizeof(T));
  return values;
}

}  // namespace

std::string run_in_real_lanes(const DramWorkload& workload, const ControllerParams& params, std::uint64_t seed,
                              RunResult& result) {
  ScratchSize size = usual_scratch(workload.view, params);
  while (true) {
    auto slots = garbage<BufferSlot>(size.slots);
    auto pending = garbage<PendingResponse>(size.pending);
    const Scratch scratch{slots.data(), size.slots, pending.data(), size.pending, nullptr, nullptr, nullptr, 0};
    std::array<RunResult, kLanes> results{};
    const std::string fault = exarch::testing::run_lanes(seed, [&] {
      RunResult own;
      simulate_with<RealLanesPass>(workload.view, params, workload.distances, scratch, workload.step_budget, own);
      results[exarch::testing::RealWarp::lane()] = own;
    });
    if (!fault.empty()) return fault;
    result = results[0];  // the leader's
    for (const RunResult& other : results) {
      if (other.status != result.status) return "the lanes end with different statuses";
    }
    if (result.status != Status::out_of_space) return "";
    size = larger_scratch(workload.view, size);
  }
}

}  // namespace exarch::dram::testing
