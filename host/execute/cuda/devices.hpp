// CUDA devices with their streams. Builds with CUDA only; knows no cost model.
//
// A device has two queues, so that one batch can be prepared and fetched while another runs. A queue's kernels may spread over
// side streams: batches are launched bin by bin, and bins alone are too small to fill a device.
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

#include "host/execute/cuda/cuda_try.hpp"
#include "host/execute/cuda_devices.hpp"

namespace exarch {

class CudaQueue {
 public:
  CudaQueue();
  CudaQueue(const CudaQueue&) = delete;
  CudaQueue& operator=(const CudaQueue&) = delete;
  ~CudaQueue();

  [[nodiscard]] cudaStream_t stream() const { return stream_; }
  // Marks the point of the queue's own stream that side streams wait for.
  void mark() { EXARCH_CUDA_TRY(cudaEventRecord(marked_, stream_)); }
  // Side stream `i`, made to wait for the mark; a queue has as many as were ever asked for.
  [[nodiscard]] cudaStream_t fork(std::size_t i);
  // Lets the queue's own stream wait for side stream `i`. To be called when all forks have been given their work: a mark or
  // kernel that follows waits as well.
  void join(std::size_t i);
  // Waits on the host for all that was joined.
  void wait() { EXARCH_CUDA_TRY(cudaStreamSynchronize(stream_)); }
  // Waits for everything, whatever went wrong.
  void drain() noexcept;

 private:
  void destroy() noexcept;

  cudaStream_t stream_ = nullptr;
  cudaEvent_t marked_ = nullptr;
  struct Side {
    cudaStream_t stream = nullptr;
    cudaEvent_t joined = nullptr;
  };
  std::vector<Side> side_;
};

class CudaDevice {
 public:
  static constexpr unsigned kQueues = 2;

  explicit CudaDevice(int ordinal);

  // Compute capability, the part before the dot.
  [[nodiscard]] int major() const { return major_; }
  // Makes this device the calling thread's.
  void use() const { EXARCH_CUDA_TRY(cudaSetDevice(ordinal_)); }
  [[nodiscard]] CudaQueue& queue(unsigned i) { return queues_[i]; }
  // Bytes one queue may take: its share of what was free when the device was opened, with some left to others.
  [[nodiscard]] std::size_t queue_bytes() const { return queue_bytes_; }
  // What a cost model keeps on this device (its arenas, its workloads), made at first use.
  template <class State>
  [[nodiscard]] State& state() {
    std::shared_ptr<void>& slot = states_[std::type_index(typeid(State))];
    if (!slot) slot = std::make_shared<State>();
    return *static_cast<State*>(slot.get());
  }

 private:
  int ordinal_;
  int major_ = 0;
  std::size_t queue_bytes_;
  std::array<CudaQueue, kQueues> queues_;
  std::unordered_map<std::type_index, std::shared_ptr<void>> states_;
};

class CudaDevices {
 public:
  explicit CudaDevices(const std::vector<int>& ordinals);

  [[nodiscard]] std::size_t size() const { return devices_.size(); }
  [[nodiscard]] CudaDevice& operator[](std::size_t i) { return *devices_[i]; }
  // Splits `count` candidates among the devices and runs body(device, first, candidates) for each share that is not empty, at the
  // same time, with the device in use. One batch at a time; the first failure is rethrown when all are done.
  void for_each_share(std::size_t count,
                      const std::function<void(CudaDevice& device, std::size_t first, std::size_t candidates)>& body);

 private:
  std::vector<std::unique_ptr<CudaDevice>> devices_;
  std::mutex mutex_;
};

}  // namespace exarch
