// A device played by the host: DeviceRuntime and the models' DeviceKernels on the CPU, with what goes wrong on a real one.
//
// Streams are lazy. A copy or a launch is only written down; it happens when the host waits for a stream that it belongs to, in
// its order, together with what that stream was told to wait for. Work nobody waited for never happens, so a missing wait shows
// as a wrong result. Memory has a limit, and any call can be made to fail.
//
//   HostDevice device({.bytes = 1 << 20});
//   Devices devices(device, {0, 1});
//   dram::run_on_devices(workload, params, devices, runs, {.kernels = &host_dram_kernels()});
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <vector>

#include "kernels/launch/device.hpp"
#include "kernels/launch/dram_device.hpp"
#include "kernels/launch/maestro_device.hpp"
#include "kernels/launch/timeloop_device.hpp"

namespace exarch::testing {

struct HostDeviceLimits {
  std::size_t bytes = std::size_t{1} << 30;    // of device memory, that of all devices together
  std::size_t failing_call = ~std::size_t{0};  // the call, counted from 0 over all functions that can fail, that gives `failure`
  int failure = 700;                           // cudaErrorIllegalAddress
  int devices = 4;
};

class HostDevice final : public DeviceRuntime {
 public:
  explicit HostDevice(const HostDeviceLimits& limits = {}) : limits_(limits) {}
  ~HostDevice() override;

  // What was made and not destroyed.
  [[nodiscard]] std::size_t alive() const { return memory_.size() + streams_.size() + events_.size(); }
  [[nodiscard]] std::size_t calls() const { return calls_; }
  // From now on no call fails.
  void mend() { limits_.failing_call = ~std::size_t{0}; }

  [[nodiscard]] const char* architectures() const noexcept override { return "host"; }
  [[nodiscard]] int count(int& devices) const noexcept override;
  [[nodiscard]] bool has_driver() const noexcept override { return true; }
  [[nodiscard]] int describe(int ordinal, DeviceProperties& properties) const noexcept override;
  [[nodiscard]] int use(int ordinal) const noexcept override;
  [[nodiscard]] int check() const noexcept override { return call(); }
  [[nodiscard]] int free_bytes(std::size_t& bytes) const noexcept override;
  [[nodiscard]] int allocate(MemoryKind kind, std::size_t bytes, void*& memory) const noexcept override;
  [[nodiscard]] int release(MemoryKind kind, void* memory) const noexcept override;
  [[nodiscard]] int create_stream(void*& stream) const noexcept override;
  [[nodiscard]] int destroy_stream(void* stream) const noexcept override;
  [[nodiscard]] int wait_for_stream(void* stream) const noexcept override;
  [[nodiscard]] int create_event(void*& event) const noexcept override;
  [[nodiscard]] int destroy_event(void* event) const noexcept override;
  [[nodiscard]] int record(void* event, void* stream) const noexcept override;
  [[nodiscard]] int let_wait(void* stream, void* event) const noexcept override;
  [[nodiscard]] int copy(void* to, const void* from, std::size_t bytes, Copy direction, void* stream) const noexcept override;
  [[nodiscard]] const char* error_name(int code) const noexcept override;
  [[nodiscard]] const char* error_text(int code) const noexcept override;
  void forget_error() const noexcept override {}

  // What a stream does, one after the other.
  struct Stream {
    std::vector<std::function<void()>> work;
    std::size_t done = 0;
    // Does everything up to the work at place `end`.
    void run_to(std::size_t end);
  };
  // A place in a stream.
  struct Event {
    Stream* stream = nullptr;
    std::size_t place = 0;
  };

 private:
  struct Allocation {
    MemoryKind kind;
    std::size_t bytes;
  };

  // The code of the call that is being made.
  [[nodiscard]] int call() const noexcept;
  [[nodiscard]] Stream& stream_of(void* stream) const noexcept;

  HostDeviceLimits limits_;
  mutable std::recursive_mutex mutex_;
  mutable std::size_t calls_ = 0, used_ = 0;
  mutable std::map<void*, Allocation> memory_;
  mutable std::map<void*, std::unique_ptr<Stream>> streams_;
  mutable std::map<void*, std::unique_ptr<Event>> events_;
  mutable Stream null_stream_;
};

// Kernels on a HostDevice: the CPU's. Traces in parts are not played: state_bytes() is 0, and nothing resumes.
[[nodiscard]] const dram::DeviceKernels& host_dram_kernels();
[[nodiscard]] const maestro::DeviceKernels& host_maestro_kernels();
[[nodiscard]] const timeloop::DeviceKernels& host_timeloop_kernels();

}  // namespace exarch::testing
