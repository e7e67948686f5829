#include "tests/support/host_device.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <numeric>

#include "kernels/dram/simulate.hpp"
#include "kernels/launch/dram_launch.hpp"
#include "kernels/launch/maestro_launch.hpp"
#include "kernels/launch/timeloop_launch.hpp"

namespace exarch::testing {

HostDevice::~HostDevice() {
  for (const auto& [memory, allocation] : memory_) std::free(memory);
}

int HostDevice::call() const noexcept {
  const std::scoped_lock lock(mutex_);
  return calls_++ == limits_.failing_call ? limits_.failure : kDeviceGood;
}

int HostDevice::count(int& devices) const noexcept {
  devices = limits_.devices;
  return call();
}

int HostDevice::describe(int /*ordinal*/, DeviceProperties& properties) const noexcept {
  properties = {"host", 9, 0, 1, limits_.bytes};
  return call();
}

int HostDevice::use(int ordinal) const noexcept {
  const int code = call();
  return code == kDeviceGood && ordinal >= limits_.devices ? 101 : code;
}

int HostDevice::free_bytes(std::size_t& bytes) const noexcept {
  bytes = limits_.bytes;
  return call();
}

int HostDevice::allocate(MemoryKind kind, std::size_t bytes, void*& memory) const noexcept {
  const std::scoped_lock lock(mutex_);
  if (const int code = call(); code != kDeviceGood) return code;
  if (kind == MemoryKind::device && used_ + bytes > limits_.bytes) return kDeviceOutOfMemory;
  memory = std::malloc(std::max<std::size_t>(bytes, 1));
  std::memset(memory, 0xA5, bytes);  // a device's memory is not zero at first
  memory_[memory] = {kind, bytes};
  if (kind == MemoryKind::device) used_ += bytes;
  return kDeviceGood;
}

int HostDevice::release(MemoryKind kind, void* memory) const noexcept {
  const std::scoped_lock lock(mutex_);
  const auto found = memory_.find(memory);
  if (found == memory_.end() || found->second.kind != kind) return 1;
  if (kind == MemoryKind::device) used_ -= found->second.bytes;
  memory_.erase(found);
  std::free(memory);
  return call();
}

int HostDevice::create_stream(void*& stream) const noexcept {
  const std::scoped_lock lock(mutex_);
  if (const int code = call(); code != kDeviceGood) return code;
  auto made = std::make_unique<Stream>();
  stream = made.get();
  streams_[stream] = std::move(made);
  return kDeviceGood;
}

// Work that is left is done, as it would be on a device.
int HostDevice::destroy_stream(void* stream) const noexcept {
  const std::scoped_lock lock(mutex_);
  if (!streams_.contains(stream)) return 400;
  stream_of(stream).run_to(stream_of(stream).work.size());
  streams_.erase(stream);
  return call();
}

int HostDevice::wait_for_stream(void* stream) const noexcept {
  const std::scoped_lock lock(mutex_);
  const int code = call();
  Stream& waited_for = stream_of(stream);
  waited_for.run_to(waited_for.work.size());
  return code;
}

int HostDevice::create_event(void*& event) const noexcept {
  const std::scoped_lock lock(mutex_);
  if (const int code = call(); code != kDeviceGood) return code;
  auto made = std::make_unique<Event>();
  event = made.get();
  events_[event] = std::move(made);
  return kDeviceGood;
}

int HostDevice::destroy_event(void* event) const noexcept {
  const std::scoped_lock lock(mutex_);
  return events_.erase(event) == 1 ? call() : 400;
}

int HostDevice::record(void* event, void* stream) const noexcept {
  const std::scoped_lock lock(mutex_);
  if (const int code = call(); code != kDeviceGood) return code;
  *static_cast<Event*>(event) = {&stream_of(stream), stream_of(stream).work.size()};
  return kDeviceGood;
}

int HostDevice::let_wait(void* stream, void* event) const noexcept {
  const std::scoped_lock lock(mutex_);
  if (const int code = call(); code != kDeviceGood) return code;
  const Event mark = *static_cast<Event*>(event);
  if (mark.stream != nullptr) stream_of(stream).work.emplace_back([mark] { mark.stream->run_to(mark.place); });
  return kDeviceGood;
}

int HostDevice::copy(void* to, const void* from, std::size_t bytes, Copy /*direction*/, void* stream) const noexcept {
  const std::scoped_lock lock(mutex_);
  if (const int code = call(); code != kDeviceGood) return code;
  stream_of(stream).work.emplace_back([=] { std::memcpy(to, from, bytes); });
  return kDeviceGood;
}

const char* HostDevice::error_name(int code) const noexcept {
  return code == kDeviceOutOfMemory ? "hostErrorMemoryAllocation" : "hostErrorMade";
}

const char* HostDevice::error_text(int code) const noexcept {
  return code == kDeviceOutOfMemory ? "out of memory" : "made to fail";
}

HostDevice::Stream& HostDevice::stream_of(void* stream) const noexcept {
  return stream == nullptr ? null_stream_ : *static_cast<Stream*>(stream);
}

void HostDevice::Stream::run_to(std::size_t end) {
  while (done < end) {
    const std::function<void()> next = std::move(work[done]);
    ++done;
    next();
  }
}

namespace {

using HostStream = HostDevice::Stream;

void then(void* stream, std::function<void()> work) {
  static_cast<HostStream*>(stream)->work.push_back(std::move(work));
}

// ---- DRAM ---------------------------------------------------------------------------------------------------------------

std::size_t dram_state_bytes(bool /*exact*/) noexcept {
  return 0;
}

std::uint32_t dram_bin_of(const dram::ControllerParams& params, bool has_writes) noexcept {
  return dram::bin_of(static_cast<std::uint32_t>(params.page_policy),
                      static_cast<std::uint32_t>(dram::choice_of(params, has_writes)));
}

int dram_sort_bytes(std::uint32_t count, std::size_t& bytes) noexcept {
  bytes = count;
  return kDeviceGood;
}

int dram_sort(const dram::DeviceBatch& batch, std::uint32_t* order, std::uint32_t count, std::byte* /*space*/,
              void* stream) noexcept {
  then(stream, [batch, order, count] {
    std::iota(order, order + count, 0u);
    std::stable_sort(order, order + count, [&batch](std::uint32_t a, std::uint32_t b) {
      const bool has_writes = batch.workload.has_writes;
      return dram_bin_of(batch.params[a], has_writes) < dram_bin_of(batch.params[b], has_writes);
    });
  });
  return kDeviceGood;
}

void run_position(const dram::DeviceBatch& batch, dram::Kernel kernel, std::uint32_t position) {
  const dram::ScratchSize& size = batch.scratch_size;
  std::vector<dram::BufferSlot> slots(size.slots);
  std::vector<dram::PendingResponse> pending(size.pending);
  std::vector<std::uint32_t> cas_order(size.pending), arrivals(size.pending);
  std::vector<std::uint64_t> heap(size.heap);
  // The area itself must be there, although the run does not use it.
  const std::size_t bytes = dram::scratch_bytes(size, kernel == dram::Kernel::exact);
  std::memset(batch.scratch + position * bytes, 0x5A, bytes);
  const std::uint32_t candidate = batch.order == nullptr ? position : batch.order[position];
  const dram::Scratch scratch{slots.data(),     size.slots,      pending.data(), size.pending,
                              cas_order.data(), arrivals.data(), heap.data(),    size.heap};
  dram::cpu_run_function()(batch.workload, batch.params[candidate], *batch.distances, scratch, kernel, batch.max_steps,
                           batch.results[candidate]);
}

int dram_launch_bin(const dram::DeviceBatch& batch, std::uint32_t bin, dram::Kernel kernel, std::uint32_t first,
                    std::uint32_t count, std::uint32_t /*block*/, void* stream) noexcept {
  then(stream, [=] {
    for (std::uint32_t position = first; position < first + count; ++position) {
      // A candidate of another bin would take a kernel that is not its own.
      if (dram_bin_of(batch.params[batch.order[position]], batch.workload.has_writes) != bin) std::abort();
      run_position(batch, kernel, position);
    }
  });
  return kDeviceGood;
}

int dram_launch_mixed(const dram::DeviceBatch& batch, std::uint32_t first, std::uint32_t count, std::uint32_t /*block*/,
                      void* stream) noexcept {
  then(stream, [=] {
    for (std::uint32_t i = first; i < first + count; ++i) run_position(batch, dram::Kernel::dense, i);
  });
  return kDeviceGood;
}

// ---- MAESTRO ------------------------------------------------------------------------------------------------------------

template <class Design>
int maestro_launch(const maestro::MaestroBatch<Design>& batch, void* stream) noexcept {
  then(stream, [batch] {
    const maestro::NetworkView network{batch.layers, batch.layer_count, batch.version};
    std::memset(static_cast<void*>(batch.parts), 0x5A, sizeof(maestro::LayerResult) * batch.count * batch.layer_count);
    for (std::uint32_t i = 0; i < batch.count; ++i) {
      maestro::NetworkResult& result = batch.results[i];
      result.totals = {};
      const maestro::CpuFunctions& functions = maestro::cpu_functions();
      if constexpr (std::is_same_v<Design, maestro::CleanDesign>) {
        result.status = functions.clean(batch.designs[i], network, result.totals);
      } else if constexpr (std::is_same_v<Design, maestro::ArchgymDesign>) {
        result.status = functions.archgym(batch.designs[i], network, result.totals);
      } else {
        result.status = functions.shipped(batch.designs[i], network, result.totals);
      }
    }
  });
  return kDeviceGood;
}

// ---- Timeloop -----------------------------------------------------------------------------------------------------------

int timeloop_total_of_kept(const timeloop::KeptBatch& batch, void* stream) noexcept {
  then(stream, [batch] {
    for (std::uint32_t i = 0; i < batch.count; ++i) {
      timeloop::Fault fault;
      timeloop::KeptResult& result = batch.results[i];
      result.status =
          timeloop::cpu_functions().total_of_kept(*batch.frame, *batch.shared, batch.mappings[i].keep, result.totals, fault);
    }
  });
  return kDeviceGood;
}

int timeloop_draw(const timeloop::DrawBatch& batch, void* stream) noexcept {
  then(stream, [batch] {
    for (std::uint32_t thread = 0; thread < batch.threads; ++thread) {
      const timeloop::Workspace work =
          timeloop::workspace_in(batch.work + thread * timeloop::workspace_bytes(batch.elements), batch.elements);
      timeloop::draw_all(*batch.view, batch.seed, batch.first + thread, batch.end, batch.threads, work, batch.best[thread]);
    }
  });
  return kDeviceGood;
}

}  // namespace

const dram::DeviceKernels& host_dram_kernels() {
  static constexpr dram::DeviceKernels kKernels{dram_state_bytes, dram_bin_of,     dram_sort_bytes,
                                                dram_sort,        dram_launch_bin, dram_launch_mixed};
  return kKernels;
}

const maestro::DeviceKernels& host_maestro_kernels() {
  static constexpr maestro::DeviceKernels kKernels{maestro_launch<maestro::CleanDesign>, maestro_launch<maestro::ArchgymDesign>,
                                                   maestro_launch<maestro::ShippedDesign>};
  return kKernels;
}

const timeloop::DeviceKernels& host_timeloop_kernels() {
  static constexpr timeloop::DeviceKernels kKernels{timeloop_total_of_kept, timeloop_draw};
  return kKernels;
}

}  // namespace exarch::testing
