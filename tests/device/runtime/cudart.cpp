// The calls of the CUDA runtime that the project makes, and no others: a missing one is an undefined symbol when a program is
// linked. What they promise to tests stands in standin.hpp.
#include <cuda_runtime_api.h>
#include <sys/mman.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <stdexcept>
#include <unordered_map>
#include <utility>
#include <vector>

#include "tests/device/runtime/grid.hpp"
#include "tests/device/runtime/standin.hpp"

namespace exarch::standin {

namespace {

constexpr size_t kArena = size_t(1) << 36;  // address space of a device's memory
constexpr size_t kAlign = 256, kGap = 512;

long variable(const char* name, long otherwise) {
  const char* value = std::getenv(name);
  return value != nullptr ? std::atol(value) : otherwise;
}

// ---- state

struct Device {
  uint8_t* base = nullptr;
  uint8_t* shadow = nullptr;             // for each 8 bytes of the arena: how many of them are allocated
  std::map<uint64_t, size_t> allocated;  // address -> bytes asked for
  std::map<uint64_t, size_t> free;
  size_t used = 0, limit = 0;
  int sticky = 0;  // the error that every call returns from now on
};

// One operation of a stream.
struct Op {
  std::string what;
  std::function<void()> run;
  std::vector<std::shared_ptr<Op>> waits_for;
  int device;
  bool done = false;
};

struct Stream {
  int device;
  std::deque<std::shared_ptr<Op>> queue;
};

struct Event {
  int device;
  std::shared_ptr<Op> recorded;
};

struct PlannedFailure {
  long at = -1;  // counted over all calls, or over those named `only`
  int code = 0;
  bool sticky = false;
  std::string only, happened;
};

std::recursive_mutex mutex;
std::vector<Device> devices;
std::map<int, Stream> default_streams;
std::set<Stream*> streams;
std::set<Event*> events;
std::map<uint64_t, size_t> pinned;
// By the host's stub; filled before main().
std::unordered_map<const void*, std::string>& kernel_names() {
  static auto* names = new std::unordered_map<const void*, std::string>;
  return *names;
}
thread_local int current = 0;
thread_local cudaError_t last_error = cudaSuccess;
std::mt19937_64 rng;
Settings settings;
PlannedFailure failure;
std::string faults;
long calls = 0, launches = 0, operations = 0;
std::map<std::string, long> calls_by_name;
std::map<std::string, std::pair<long, long>> launches_by_kernel;  // launches, threads
std::string running;                                              // the kernel, for who stops the process

void* address_space(size_t bytes) {
  return mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
}

void say_what_ran(int) {  // a time-out
  std::fprintf(stderr, "[stand-in] stopped while running %s\n", running.empty() ? "no kernel" : readable(running).c_str());
  _exit(124);
}

void make_devices() {
  for (Device& d : devices) {
    munmap(d.base, kArena);
    munmap(d.shadow, kArena / 8);
  }
  devices.assign(static_cast<size_t>(variable("EXARCH_STANDIN_DEVICES", 2)), {});
  default_streams.clear();
  for (size_t i = 0; i < devices.size(); ++i) {
    Device& d = devices[i];
    d.limit = settings.bytes;
    d.base = (uint8_t*)address_space(kArena);
    d.shadow = (uint8_t*)address_space(kArena / 8);
    d.free[(uint64_t)d.base + 4096] = kArena - 8192;
    default_streams[(int)i].device = (int)i;
  }
  rng.seed(settings.seed);
  schedule_lanes(settings.any_lanes, settings.seed);
}

void initialize() {
  static bool done = false;
  if (done) return;
  done = true;
  std::signal(SIGTERM, say_what_ran);
  settings = environment_settings();
  make_devices();
}

cudaError_t result(cudaError_t error) {
  if (error != cudaSuccess) last_error = error;
  return error;
}

cudaError_t sticky_error(int device) {
  return devices.empty() ? cudaSuccess : static_cast<cudaError_t>(devices[device].sticky);
}

// Counts a call; true if it is the one to fail.
bool counts_as_failure(const char* name) {
  initialize();
  ++calls;
  const long of_name = ++calls_by_name[name];
  const bool now =
      failure.at >= 0 && (failure.only.empty() ? calls == failure.at : failure.only == name && of_name == failure.at);
  if (!now) return false;
  failure.happened = name;
  if (failure.sticky && !devices.empty()) devices[current].sticky = failure.code;
  return true;
}

// ---- streams

Stream* stream_of(cudaStream_t s) {
  if (s == nullptr || s == cudaStreamLegacy || s == cudaStreamPerThread) return &default_streams[current];
  return reinterpret_cast<Stream*>(s);
}
bool exists(Stream* s) {
  return s == &default_streams[current] || streams.count(s) != 0;
}

std::vector<Stream*> all_streams() {
  std::vector<Stream*> out;
  for (auto& [i, s] : default_streams) out.push_back(&s);
  out.insert(out.end(), streams.begin(), streams.end());
  return out;
}

void execute(Op& op) {
  ++operations;
  running = op.what;
  if (devices[op.device].sticky == 0) {
    try {
      op.run();
    } catch (const Fault& fault) {
      const std::string text = readable(op.what) + ": " + fault.what + "\n";
      std::fprintf(stderr, "[stand-in] fault in %s", text.c_str());
      faults += text;
      devices[op.device].sticky = cudaErrorIllegalAddress;
    }
  }
  running.clear();
  op.done = true;
  op.run = nullptr;
  op.waits_for.clear();
}

std::shared_ptr<Op> take(Stream* s) {
  auto op = s->queue.front();
  s->queue.pop_front();
  return op;
}

// Runs the next operation of some stream that can go on.
bool run_any() {
  std::vector<Stream*> ready;
  for (Stream* s : all_streams()) {
    if (s->queue.empty()) continue;
    bool waits = false;
    for (const auto& op : s->queue.front()->waits_for) waits = waits || !op->done;
    if (!waits) ready.push_back(s);
  }
  if (ready.empty()) return false;
  execute(*take(ready[rng() % ready.size()]));
  return true;
}

// Runs the next operation of one stream, and before it no more than it waits for.
void run_next_of(Stream* s) {
  const auto op = s->queue.front();
  for (const auto& needed : std::vector(op->waits_for)) {
    while (!needed->done) {
      Stream* home = nullptr;
      for (Stream* other : all_streams()) {
        for (const auto& queued : other->queue) home = queued == needed ? other : home;
      }
      if (home == nullptr) std::abort();
      run_next_of(home);
    }
  }
  execute(*take(s));
}

void run_until(Stream* of, const std::function<bool()>& done) {
  while (!done()) {
    if (settings.order == Order::lazy && of != nullptr) {
      run_next_of(of);
    } else if (!run_any()) {
      std::fprintf(stderr, "[stand-in] streams wait for each other for ever\n");
      std::abort();
    }
  }
}
void drain(Stream* s) {
  run_until(s, [&] { return s->queue.empty(); });
}
void drain_device(int device) {
  run_until(nullptr, [&] {
    for (const Stream* s : all_streams()) {
      if (s->device == device && !s->queue.empty()) return false;
    }
    return true;
  });
}

std::shared_ptr<Op> enqueue(Stream* s, std::string what, std::function<void()> run,
                            std::vector<std::shared_ptr<Op>> waits_for = {}) {
  auto op = std::make_shared<Op>(Op{std::move(what), std::move(run), std::move(waits_for), s->device});
  s->queue.push_back(op);
  if (settings.order == Order::eager) drain(s);
  return op;
}

// ---- memory

int device_of(const void* p) {
  for (size_t i = 0; i < devices.size(); ++i) {
    if ((const uint8_t*)p >= devices[i].base && (const uint8_t*)p < devices[i].base + kArena) return (int)i;
  }
  return -1;
}

bool inside(const std::map<uint64_t, size_t>& ranges, const void* p, size_t n) {
  auto after = ranges.upper_bound((uint64_t)p);
  if (after == ranges.begin()) return n == 0;
  --after;
  return (uint64_t)p + n <= after->first + after->second;
}

void mark(Device& d, uint64_t address, size_t n, bool allocated) {
  uint8_t* shadow = d.shadow + (address - (uint64_t)d.base) / 8;
  std::memset(shadow, allocated ? 8 : 0, n / 8);
  if (n % 8) shadow[n / 8] = allocated ? n % 8 : 0;
}

size_t reserved_for(size_t n) {
  return (n + kAlign - 1) / kAlign * kAlign + kGap;
}

void fill_with_garbage(uint64_t address, size_t n) {
  const unsigned fill = settings.fill;
  if (fill <= 255) {
    std::memset((void*)address, (int)fill, std::min(n, size_t(256) << 20));
  } else {
    for (size_t i = 0; i < std::min(n, size_t(64) << 20) / 8; ++i) ((uint64_t*)address)[i] = rng();
  }
}

// First fit; null if there is no room.
void* allocate(Device& d, size_t n) {
  const size_t need = reserved_for(n);
  if (d.used + need > d.limit) return nullptr;
  for (auto hole = d.free.begin(); hole != d.free.end(); ++hole) {
    const uint64_t address = (hole->first + kAlign - 1) / kAlign * kAlign, end = hole->first + hole->second;
    if (address + need > end) continue;
    d.free.erase(hole);
    if (end > address + need) d.free[address + need] = end - address - need;
    d.allocated[address] = n;
    d.used += need;
    mark(d, address, n, true);
    fill_with_garbage(address, n);
    return (void*)address;
  }
  return nullptr;
}

void release(Device& d, uint64_t address) {
  const size_t n = d.allocated[address];
  d.allocated.erase(address);
  mark(d, address, n, false);
  d.used -= reserved_for(n);
  if (n > 8192) madvise((void*)((address + 4095) / 4096 * 4096), n - 8192, MADV_DONTNEED);
  d.free[address] = reserved_for(n);
}

cudaError_t copy(void* to, const void* from, size_t n, cudaMemcpyKind kind, Stream* s, bool synchronous) {
  if (n == 0) return cudaSuccess;
  const int to_device = device_of(to), from_device = device_of(from);
  if (kind == cudaMemcpyDefault) {
    kind = to_device >= 0 ? (from_device >= 0 ? cudaMemcpyDeviceToDevice : cudaMemcpyHostToDevice)
                          : (from_device >= 0 ? cudaMemcpyDeviceToHost : cudaMemcpyHostToHost);
  }
  const bool writes_device = kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice;
  const bool reads_device = kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice;
  if (writes_device != (to_device >= 0) || reads_device != (from_device >= 0) ||
      (writes_device && !inside(devices[to_device].allocated, to, n)) ||
      (reads_device && !inside(devices[from_device].allocated, from, n))) {
    std::fprintf(stderr, "[stand-in] a copy of %zu bytes to or from memory that is not allocated\n", n);
    return cudaErrorInvalidValue;
  }
  if (kind == cudaMemcpyHostToDevice && !inside(pinned, from, n)) {
    // Staged: the source may be reused at once, but the data may arrive after the call has returned.
    const auto staged = std::make_shared<std::vector<uint8_t>>((const uint8_t*)from, (const uint8_t*)from + n);
    if (synchronous && !settings.late_copies) drain(s);
    enqueue(s, "a copy from pageable memory", [=] { std::memcpy(to, staged->data(), n); });
    if (synchronous && !settings.late_copies) drain(s);
    return cudaSuccess;
  }
  enqueue(s, "a copy", [=] { std::memcpy(to, from, n); });
  if (synchronous || (kind == cudaMemcpyDeviceToHost && !inside(pinned, to, n))) drain(s);
  return cudaSuccess;
}

// ---- launches

cudaError_t launch(const void* stub, dim3 grid, dim3 block, void** arguments, size_t shared, cudaStream_t stream) {
  const auto name = kernel_names().find(stub);
  if (name == kernel_names().end()) return cudaErrorInvalidDeviceFunction;
  const auto found = translated_kernels().find(name->second);
  if (found == translated_kernels().end() || found->second.missing != nullptr) {
    std::fprintf(stderr, "[stand-in] no translation of %s%s%s\n", readable(name->second).c_str(),
                 found == translated_kernels().end() ? "" : ": ",
                 found == translated_kernels().end() ? "" : found->second.missing);
    return cudaErrorInvalidDeviceFunction;
  }
  const KernelEntry& kernel = found->second;
  if (grid.x == 0 || grid.y == 0 || grid.z == 0 || block.x == 0 || grid.y > 65535) return cudaErrorInvalidConfiguration;
  if (block.x * block.y * block.z > (unsigned)kernel.max_threads) return cudaErrorInvalidConfiguration;
  if (block.y != 1 || block.z != 1 || grid.z != 1) {
    std::fprintf(stderr, "[stand-in] %s: only blocks of one and grids of two dimensions are modelled\n",
                 readable(kernel.name).c_str());
    return cudaErrorInvalidConfiguration;
  }
  Stream* s = stream_of(stream);
  if (!exists(s) || s->device != current) {
    std::fprintf(stderr, "[stand-in] a launch on a stream that does not exist, or of another device\n");
    return cudaErrorInvalidResourceHandle;
  }
  const auto parameters = std::make_shared<std::vector<uint8_t>>(8192);
  for (int i = 0; i < kernel.parameter_count; ++i) {
    std::memcpy(parameters->data() + kernel.parameters[i].offset, arguments[i], kernel.parameters[i].size);
  }
  ++launches;
  auto& [count, threads] = launches_by_kernel[kernel.name];
  ++count;
  threads += (long)grid.x * grid.y * block.x;
  const int device = current;
  enqueue(s, kernel.name, [=, &kernel] {
    run_grid(kernel, Launch{{grid.x, grid.y}, block.x, shared, parameters->data(), device});
  });
  return cudaSuccess;
}

// At the end, with EXARCH_STANDIN_REPORT=1: what has happened and what is left over; 2: also by kernel and by call.
struct Report {
  ~Report() {
    const long level = variable("EXARCH_STANDIN_REPORT", 0);
    if (!level) return;
    size_t live = 0, bytes = 0, pending = 0;
    for (const Device& d : devices) {
      live += d.allocated.size();
      for (const auto& [address, n] : d.allocated) bytes += n;
    }
    for (const Stream* s : all_streams()) pending += s->queue.size();
    std::fprintf(
        stderr,
        "[stand-in] %ld calls, %ld launches, %ld operations; undefined shuffles %llu; left: %zu allocations (%zu B), %zu pinned, "
        "%zu streams, %zu events, %zu operations\n",
        calls, launches, operations, (unsigned long long)undefined_shuffles, live, bytes, pinned.size(), streams.size(),
        events.size(), pending);
    if (level < 2) return;
    for (const auto& [name, n] : launches_by_kernel) {
      std::fprintf(stderr, "[stand-in] %8ld launches %10ld threads %s\n", n.first, n.second, readable(name).c_str());
    }
    for (const auto& [name, n] : calls_by_name) std::fprintf(stderr, "[stand-in] %8ld %s\n", n, name.c_str());
  }
} report;

struct Configuration {
  dim3 grid, block;
  size_t shared;
  void* stream;
};
thread_local std::vector<Configuration> configurations;

int attribute(cudaDeviceAttr a) {
  switch (a) {  // of an H100
    case cudaDevAttrComputeCapabilityMajor:
      return settings.major;
    case cudaDevAttrComputeCapabilityMinor:
      return 0;
    case cudaDevAttrMultiProcessorCount:
      return 132;
    case cudaDevAttrMaxSharedMemoryPerBlock:
      return 49152;
    case cudaDevAttrMaxSharedMemoryPerBlockOptin:
      return 232448;
    case cudaDevAttrMaxSharedMemoryPerMultiprocessor:
      return 233472;
    case cudaDevAttrReservedSharedMemoryPerBlock:
      return 1024;
    case cudaDevAttrMaxGridDimX:
      return 2147483647;
    case cudaDevAttrMaxGridDimY:
    case cudaDevAttrMaxGridDimZ:
      return 65535;
    case cudaDevAttrMaxThreadsPerBlock:
      return 1024;
    case cudaDevAttrWarpSize:
      return 32;
    default:
      std::fprintf(stderr, "[stand-in] the device attribute %d is not modelled\n", (int)a);
      return 0;
  }
}

}  // namespace

// ---- bounds of accesses
//

void check_access(Env& E, uint64_t a, int n, int kind, int space) {
  const auto within = [&](const void* begin, const void* end) { return a >= (uint64_t)begin && a + n <= (uint64_t)end; };
  if ((space == kSharedSpace || space == kGenSpace) && within(E.sh, E.sh + E.shared_size)) return;
  if (space == kSharedSpace) ptx_fault("an access out of the bounds of shared memory", E, a, n, space);
  if ((space == kLocalSpace || space == kGenSpace) && within(E.local_base, E.frame_top)) return;
  if (space == kLocalSpace) ptx_fault("an access out of the bounds of local memory", E, a, n, space);
  if (space == kGenSpace && kind == 0 && within(E.param, E.param + 4096)) return;
  if (is_module_variable(a, n)) return;
  const char* what = kind == 0 ? "a load out of bounds" : "a store out of bounds";
  const Device& d = devices[E.device];
  if (!within(d.base, d.base + kArena)) ptx_fault(what, E, a, n, space);
  const uint8_t* shadow = d.shadow + (a - (uint64_t)d.base) / 8;
  const int offset = (int)(a & 7);
  if (offset + n <= 8) {
    if (*shadow < offset + n) ptx_fault(what, E, a, n, space);
    return;
  }
  for (int i = 0; i < n / 8; ++i) {
    if (shadow[i] != 8) ptx_fault(what, E, a, n, space);
  }
}

// ---- what tests choose and ask

Settings environment_settings() {
  Settings out;
  out.bytes = (size_t)variable("EXARCH_STANDIN_MB", (long)(out.bytes >> 20)) << 20;
  out.major = (int)variable("EXARCH_STANDIN_MAJOR", out.major);
  const char* name = std::getenv("EXARCH_STANDIN_ORDER");
  const std::string order = name != nullptr ? name : "random";
  out.order = order == "eager" ? Order::eager : order == "lazy" ? Order::lazy : Order::random;
  out.seed = (unsigned)variable("EXARCH_STANDIN_SEED", out.seed);
  out.late_copies = variable("EXARCH_STANDIN_LATE_COPIES", out.late_copies) != 0;
  out.any_lanes = variable("EXARCH_STANDIN_ANY_LANES", out.any_lanes) != 0;
  out.fill = (unsigned)variable("EXARCH_STANDIN_FILL", out.fill);
  return out;
}

void configure(const Settings& chosen) {
  std::scoped_lock lock(mutex);
  initialize();
  if (alive() != Alive{}) throw std::logic_error("standin::configure: something is still alive on a device");
  settings = chosen;
  current = 0;
  make_devices();
}

void fail(const Failure& planned) {
  std::scoped_lock lock(mutex);
  initialize();
  const long so_far = planned.only.empty() ? calls : calls_by_name[planned.only];
  failure = {so_far + planned.call, planned.code, planned.sticky, planned.only, ""};
}

std::string mend() {
  std::scoped_lock lock(mutex);
  const std::string happened = failure.happened;
  failure = {};
  for (Device& d : devices) d.sticky = 0;
  last_error = cudaSuccess;
  return happened;
}

Alive alive() {
  std::scoped_lock lock(mutex);
  Alive out{0, pinned.size(), streams.size(), events.size()};
  for (const Device& d : devices) out.allocations += d.allocated.size();
  return out;
}

std::string take_faults() {
  std::scoped_lock lock(mutex);
  return std::exchange(faults, {});
}

std::uint64_t undefined_shuffle_count() {
  return undefined_shuffles;
}

}  // namespace exarch::standin

// ---- the interface of CUDA's runtime

using namespace exarch::standin;

// CALL: a call that may be made to fail. CALL_RELEASE: it fails, but releases nonetheless, as the real one does.
#define CALL(name)              \
  std::scoped_lock lock(mutex); \
  if (counts_as_failure(#name)) return result(static_cast<cudaError_t>(failure.code))
#define CALL_RELEASE(name)      \
  std::scoped_lock lock(mutex); \
  const cudaError_t injected = counts_as_failure(#name) ? static_cast<cudaError_t>(failure.code) : cudaSuccess
#define NOT_STICKY \
  if (const cudaError_t bad = sticky_error(current); bad != cudaSuccess) return result(bad)
#define RELEASED                                        \
  if (injected != cudaSuccess) return result(injected); \
  return result(sticky_error(current))

extern "C" {

// What nvcc's host code calls.
void** __cudaRegisterFatBinary(void*) {
  static void* handle;
  return &handle;
}
void __cudaRegisterFatBinaryEnd(void**) {}
void __cudaUnregisterFatBinary(void**) {}
void __cudaRegisterVar(void**, char*, char*, const char*, int, size_t, int, int) {}
void __cudaRegisterFunction(void**, const char* stub, char*, const char* name, int, uint3*, uint3*, dim3*, dim3*, int*) {
  kernel_names()[stub] = name;
}
unsigned __cudaPushCallConfiguration(dim3 grid, dim3 block, size_t shared, void* stream) {
  configurations.push_back({grid, block, shared, stream});
  return 0;
}
cudaError_t __cudaPopCallConfiguration(dim3* grid, dim3* block, size_t* shared, void* stream) {
  const Configuration c = configurations.back();
  configurations.pop_back();
  *grid = c.grid;
  *block = c.block;
  *shared = c.shared;
  *static_cast<void**>(stream) = c.stream;
  return cudaSuccess;
}
cudaError_t __cudaGetKernel(cudaKernel_t* kernel, const void* stub) {
  *kernel = (cudaKernel_t)stub;
  return cudaSuccess;
}
cudaError_t cudaLaunchKernel(const void* stub, dim3 grid, dim3 block, void** arguments, size_t shared, cudaStream_t s) {
  std::scoped_lock lock(mutex);
  if (counts_as_failure("cudaLaunchKernel")) {
    const auto name = kernel_names().find(stub);
    if (name != kernel_names().end()) failure.happened += " of " + readable(name->second);
    return result(static_cast<cudaError_t>(failure.code));
  }
  NOT_STICKY;
  return result(launch(stub, grid, block, arguments, shared, s));
}
cudaError_t __cudaLaunchKernel(cudaKernel_t kernel, dim3 grid, dim3 block, void** arguments, size_t shared, cudaStream_t s) {
  return cudaLaunchKernel((const void*)kernel, grid, block, arguments, shared, s);
}
// Attributes of a launch (an early start of the next kernel) are permissions, which nothing here makes use of.
cudaError_t cudaLaunchKernelExC(const cudaLaunchConfig_t* config, const void* stub, void** arguments) {
  return cudaLaunchKernel(stub, config->gridDim, config->blockDim, arguments, config->dynamicSmemBytes, config->stream);
}

// Errors.
cudaError_t cudaPeekAtLastError() {
  std::scoped_lock lock(mutex);
  initialize();
  const cudaError_t sticky = sticky_error(current);
  return sticky != cudaSuccess ? sticky : last_error;
}
cudaError_t cudaGetLastError() {
  const cudaError_t error = cudaPeekAtLastError();
  last_error = cudaSuccess;
  return error;
}
const char* cudaGetErrorName(cudaError_t error) {
  static thread_local char text[60];
  std::snprintf(text, sizeof text, "standinError%d", (int)error);
  return text;
}
const char* cudaGetErrorString(cudaError_t error) {
  static thread_local char text[60];
  std::snprintf(text, sizeof text, "an error made by the stand-in (%d)", (int)error);
  return text;
}

// Devices and kernels.
cudaError_t cudaGetDeviceCount(int* n) {
  CALL(cudaGetDeviceCount);
  *n = (int)devices.size();
  return devices.empty() ? result(cudaErrorNoDevice) : cudaSuccess;
}
cudaError_t cudaDriverGetVersion(int* version) {
  CALL(cudaDriverGetVersion);
  *version = 13000;
  return cudaSuccess;
}
cudaError_t cudaRuntimeGetVersion(int* version) {
  CALL(cudaRuntimeGetVersion);
  *version = 13000;
  return cudaSuccess;
}
cudaError_t cudaGetDevice(int* device) {
  CALL(cudaGetDevice);
  *device = current;
  return cudaSuccess;
}
cudaError_t cudaSetDevice(int device) {
  CALL(cudaSetDevice);
  if (device < 0 || device >= (int)devices.size()) return result(cudaErrorInvalidDevice);
  current = device;
  NOT_STICKY;
  return cudaSuccess;
}
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* p, int device) {
  CALL(cudaGetDeviceProperties);
  std::memset(p, 0, sizeof *p);
  std::snprintf(p->name, sizeof p->name, "Stand-in %d", device);
  p->major = attribute(cudaDevAttrComputeCapabilityMajor);
  p->multiProcessorCount = attribute(cudaDevAttrMultiProcessorCount);
  p->totalGlobalMem = devices[device].limit;
  return cudaSuccess;
}
cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr a, int) {
  CALL(cudaDeviceGetAttribute);
  NOT_STICKY;
  *value = attribute(a);
  return cudaSuccess;
}
cudaError_t cudaFuncGetAttributes(cudaFuncAttributes* p, const void* stub) {
  CALL(cudaFuncGetAttributes);
  NOT_STICKY;
  std::memset(p, 0, sizeof *p);
  p->ptxVersion = p->binaryVersion = 90;
  p->numRegs = 64;
  p->maxThreadsPerBlock = 1024;
  const auto name = kernel_names().find(stub);
  if (name == kernel_names().end()) return result(cudaErrorInvalidDeviceFunction);
  const auto kernel = translated_kernels().find(name->second);
  if (kernel == translated_kernels().end()) return cudaSuccess;
  p->localSizeBytes = kernel->second.local_size;
  p->sharedSizeBytes = kernel->second.shared_size;
  p->maxThreadsPerBlock = kernel->second.max_threads;
  return cudaSuccess;
}
cudaError_t cudaFuncSetAttribute(const void*, cudaFuncAttribute, int) {
  CALL(cudaFuncSetAttribute);
  return cudaSuccess;
}
cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(int* n, const void*, int threads, size_t, unsigned) {
  CALL(cudaOccupancyMaxActiveBlocksPerMultiprocessor);
  NOT_STICKY;
  *n = std::max(1, 1024 / std::max(threads, 1));
  return cudaSuccess;
}

// Memory.
cudaError_t cudaMemGetInfo(size_t* free, size_t* total) {
  CALL(cudaMemGetInfo);
  NOT_STICKY;
  *total = devices[current].limit;
  *free = devices[current].limit - devices[current].used;
  return cudaSuccess;
}
cudaError_t cudaMalloc(void** p, size_t n) {
  CALL(cudaMalloc);
  NOT_STICKY;
  *p = nullptr;
  if (n == 0) return cudaSuccess;
  *p = allocate(devices[current], n);
  return *p != nullptr ? cudaSuccess : result(cudaErrorMemoryAllocation);
}
cudaError_t cudaFree(void* p) {
  CALL_RELEASE(cudaFree);
  if (p != nullptr) {
    const int device = device_of(p);
    if (device < 0 || devices[device].allocated.count((uint64_t)p) == 0) {
      std::fprintf(stderr, "[stand-in] cudaFree of what is not allocated\n");
      return result(cudaErrorInvalidValue);
    }
    drain_device(device);
    release(devices[device], (uint64_t)p);
  }
  RELEASED;
}
cudaError_t cudaMallocHost(void** p, size_t n) {
  CALL(cudaMallocHost);
  NOT_STICKY;
  *p = std::aligned_alloc(256, (n + 255) / 256 * 256);
  std::memset(*p, 0x7E, n);
  pinned[(uint64_t)*p] = n;
  return cudaSuccess;
}
cudaError_t cudaFreeHost(void* p) {
  CALL_RELEASE(cudaFreeHost);
  if (pinned.count((uint64_t)p) == 0) {
    std::fprintf(stderr, "[stand-in] cudaFreeHost of what is not allocated\n");
    return result(cudaErrorInvalidValue);
  }
  for (size_t i = 0; i < devices.size(); ++i) drain_device((int)i);
  pinned.erase((uint64_t)p);
  std::free(p);
  RELEASED;
}
cudaError_t cudaMemcpy(void* to, const void* from, size_t n, cudaMemcpyKind kind) {
  CALL(cudaMemcpy);
  NOT_STICKY;
  if (const cudaError_t e = copy(to, from, n, kind, &default_streams[current], true); e != cudaSuccess) return result(e);
  NOT_STICKY;
  return cudaSuccess;
}
cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t n, cudaMemcpyKind kind, cudaStream_t s) {
  CALL(cudaMemcpyAsync);
  NOT_STICKY;
  if (const cudaError_t e = copy(to, from, n, kind, stream_of(s), false); e != cudaSuccess) return result(e);
  NOT_STICKY;
  return cudaSuccess;
}
cudaError_t cudaMemsetAsync(void* to, int value, size_t n, cudaStream_t s) {
  CALL(cudaMemsetAsync);
  NOT_STICKY;
  const int device = device_of(to);
  if (n != 0 && (device < 0 || !inside(devices[device].allocated, to, n))) return result(cudaErrorInvalidValue);
  enqueue(stream_of(s), "a memset", [=] { std::memset(to, value, n); });
  return cudaSuccess;
}
cudaError_t cudaMemset(void* to, int value, size_t n) {
  return cudaMemsetAsync(to, value, n, nullptr);
}

// Streams and events.
cudaError_t cudaStreamCreateWithFlags(cudaStream_t* s, unsigned) {
  CALL(cudaStreamCreate);
  NOT_STICKY;
  auto* stream = new Stream{current, {}};
  streams.insert(stream);
  *s = reinterpret_cast<cudaStream_t>(stream);
  return cudaSuccess;
}
cudaError_t cudaStreamCreate(cudaStream_t* s) {
  return cudaStreamCreateWithFlags(s, 0);
}
cudaError_t cudaStreamDestroy(cudaStream_t s) {
  CALL_RELEASE(cudaStreamDestroy);
  auto* stream = reinterpret_cast<Stream*>(s);
  if (streams.count(stream) == 0) return result(cudaErrorInvalidResourceHandle);
  drain(stream);
  streams.erase(stream);
  delete stream;
  RELEASED;
}
cudaError_t cudaStreamSynchronize(cudaStream_t s) {
  CALL(cudaStreamSynchronize);
  Stream* stream = stream_of(s);
  if (!exists(stream)) return result(cudaErrorInvalidResourceHandle);
  drain(stream);
  return result(sticky_error(stream->device));
}
cudaError_t cudaDeviceSynchronize() {
  CALL(cudaDeviceSynchronize);
  drain_device(current);
  NOT_STICKY;
  return cudaSuccess;
}
cudaError_t cudaStreamWaitEvent(cudaStream_t s, cudaEvent_t e, unsigned) {
  CALL(cudaStreamWaitEvent);
  NOT_STICKY;
  auto* event = reinterpret_cast<Event*>(e);
  if (events.count(event) == 0) return result(cudaErrorInvalidResourceHandle);
  if (event->recorded) enqueue(stream_of(s), "a wait", [] {}, {event->recorded});
  return cudaSuccess;
}
cudaError_t cudaEventCreateWithFlags(cudaEvent_t* e, unsigned) {
  CALL(cudaEventCreate);
  NOT_STICKY;
  auto* event = new Event{current, nullptr};
  events.insert(event);
  *e = reinterpret_cast<cudaEvent_t>(event);
  return cudaSuccess;
}
cudaError_t cudaEventDestroy(cudaEvent_t e) {
  CALL_RELEASE(cudaEventDestroy);
  auto* event = reinterpret_cast<Event*>(e);
  if (events.count(event) == 0) return result(cudaErrorInvalidResourceHandle);
  events.erase(event);
  delete event;
  RELEASED;
}
cudaError_t cudaEventRecord(cudaEvent_t e, cudaStream_t s) {
  CALL(cudaEventRecord);
  NOT_STICKY;
  auto* event = reinterpret_cast<Event*>(e);
  Stream* stream = stream_of(s);
  if (events.count(event) == 0 || event->device != stream->device) return result(cudaErrorInvalidResourceHandle);
  event->recorded = enqueue(stream, "a record", [] {});
  return cudaSuccess;
}
cudaError_t cudaEventSynchronize(cudaEvent_t e) {
  CALL(cudaEventSynchronize);
  auto* event = reinterpret_cast<Event*>(e);
  if (events.count(event) == 0) return result(cudaErrorInvalidResourceHandle);
  if (event->recorded) run_until(nullptr, [&] { return event->recorded->done; });
  return result(sticky_error(event->device));
}

}  // extern "C"
