// Devices with their streams and memory. Knows no cost model and no CUDA: what a device does is behind DeviceRuntime
// (kernels/launch/device.hpp).
//
// A device has two queues, so that one batch can be prepared and fetched while another runs. A queue's kernels may spread over
// side streams: batches may be launched in groups, and a group alone can be too small to fill a device.
//
//   const auto devices = open_cuda_devices();
//   devices->for_each_share(candidates.size(), [&](Device& device, std::size_t first, std::size_t count) { ... });
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <typeindex>
#include <unordered_map>
#include <vector>

#include "host/execute/device_buffer.hpp"
#include "kernels/launch/device.hpp"

namespace exarch {

struct CudaProbe {
  bool available = false;
  std::string reason;  // one line: which devices, or why none
};

// What a CUDA backend would find on this machine with this build.
[[nodiscard]] CudaProbe probe_cuda();

class DeviceQueue {
 public:
  // Of the calling thread's device.
  explicit DeviceQueue(const DeviceRuntime& runtime);
  DeviceQueue(const DeviceQueue&) = delete;
  DeviceQueue& operator=(const DeviceQueue&) = delete;
  ~DeviceQueue();

  [[nodiscard]] void* stream() const { return stream_; }
  // Starts a copy in the queue's own stream.
  void copy_to(const DeviceBuffer& to, const void* from, std::size_t bytes);
  void copy_from(const DeviceBuffer& from, void* to, std::size_t bytes);
  // Throws where a launch gave another code than kDeviceGood.
  void check(int code, const char* call) const { device_check(runtime_, code, call); }
  // Marks the point of the queue's own stream that side streams wait for.
  void mark() { check(runtime_.record(marked_, stream_), "marking a stream"); }
  // Side stream `i`, made to wait for the mark; a queue has as many as were ever asked for.
  [[nodiscard]] void* fork(std::size_t i);
  // Lets the queue's own stream wait for side stream `i`. To be called when all forks have been given their work: a mark or
  // kernel that follows waits as well.
  void join(std::size_t i);
  // Waits on the host for all that was joined.
  void wait() { check(runtime_.wait_for_stream(stream_), "a batch"); }
  // Waits for everything, whatever went wrong.
  void drain() noexcept;

 private:
  void destroy() noexcept;

  const DeviceRuntime& runtime_;
  void* stream_ = nullptr;
  void* marked_ = nullptr;
  struct Side {
    void* stream = nullptr;
    void* joined = nullptr;
  };
  std::vector<Side> side_;
};

class Device {
 public:
  static constexpr unsigned kQueues = 2;

  Device(const DeviceRuntime& runtime, int ordinal);

  [[nodiscard]] const DeviceRuntime& runtime() const { return runtime_; }
  // Compute capability, the part before the dot.
  [[nodiscard]] int major() const { return major_; }
  // Makes this device the calling thread's.
  void use() const { device_check(runtime_, runtime_.use(ordinal_), "selecting a device"); }
  [[nodiscard]] DeviceQueue& queue(unsigned i) { return queues_[i]; }
  // Bytes one queue may take: its share of what was free when the device was opened, with some left to others.
  [[nodiscard]] std::size_t queue_bytes() const { return queue_bytes_; }
  // What a cost model keeps on this device (its buffers, its workloads), made at first use from the runtime.
  template <class State>
  [[nodiscard]] State& state() {
    std::shared_ptr<void>& slot = states_[std::type_index(typeid(State))];
    if (!slot) slot = std::make_shared<State>(runtime_);
    return *static_cast<State*>(slot.get());
  }

 private:
  const DeviceRuntime& runtime_;
  int ordinal_;
  int major_ = 0;
  std::size_t queue_bytes_;
  std::array<DeviceQueue, kQueues> queues_;
  std::unordered_map<std::type_index, std::shared_ptr<void>> states_;
};

class Devices {
 public:
  // `runtime` outlives the devices.
  Devices(const DeviceRuntime& runtime, const std::vector<int>& ordinals);

  [[nodiscard]] std::size_t size() const { return devices_.size(); }
  [[nodiscard]] Device& operator[](std::size_t i) { return *devices_[i]; }
  // Splits `count` candidates among the devices and runs body(device, first, candidates) for each share that is not empty, at the
  // same time, with the device in use. One batch at a time; the first failure is rethrown when all are done.
  void for_each_share(std::size_t count,
                      const std::function<void(Device& device, std::size_t first, std::size_t candidates)>& body);

 private:
  std::vector<std::unique_ptr<Device>> devices_;
  std::mutex mutex_;
};

// All devices that can run this build's kernels, with their streams and memory; opened once per backend. Error if probe_cuda()
// finds none.
[[nodiscard]] std::shared_ptr<Devices> open_cuda_devices();

}  // namespace exarch
