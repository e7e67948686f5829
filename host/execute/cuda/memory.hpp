// Device memory and page-locked host memory that is allocated once, grown on demand and reused. Builds with CUDA only.
//
// Growing loses the contents; no work that uses the memory may be in flight.
#pragma once

#include <cstddef>
#include <utility>

#include "host/execute/cuda/cuda_try.hpp"

namespace exarch {

enum class MemoryKind { device, pinned };

template <MemoryKind kKind>
class CudaArena {
 public:
  CudaArena() = default;
  CudaArena(const CudaArena&) = delete;
  CudaArena& operator=(const CudaArena&) = delete;
  CudaArena(CudaArena&& other) noexcept : data_(std::exchange(other.data_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
  CudaArena& operator=(CudaArena&&) = delete;
  ~CudaArena() { release(); }

  // False if there is not enough memory.
  [[nodiscard]] bool reserve(std::size_t bytes) {
    if (bytes <= bytes_) return true;
    release();
    const cudaError_t error = kKind == MemoryKind::device ? cudaMalloc(&data_, bytes) : cudaMallocHost(&data_, bytes);
    if (error == cudaErrorMemoryAllocation) {
      (void)cudaGetLastError();
      data_ = nullptr;
      return false;
    }
    cuda_check(error, kKind == MemoryKind::device ? "cudaMalloc" : "cudaMallocHost");
    bytes_ = bytes;
    return true;
  }

  void release() noexcept {
    if (data_ == nullptr) return;
    cuda_ignore(kKind == MemoryKind::device ? cudaFree(data_) : cudaFreeHost(data_));
    data_ = nullptr;
    bytes_ = 0;
  }

  template <class T = std::byte>
  [[nodiscard]] T* as() const {
    return static_cast<T*>(data_);
  }

 private:
  void* data_ = nullptr;
  std::size_t bytes_ = 0;
};

using DeviceArena = CudaArena<MemoryKind::device>;
using PinnedArena = CudaArena<MemoryKind::pinned>;

// Copies `count` objects to the device and waits until they are there, so that every stream may use them. For what is kept
// between batches; what belongs to one batch is copied in its own stream.
//
// cudaMemcpy() would not do: from memory that is not page-locked it may return before the last bytes have arrived, and streams
// made with cudaStreamNonBlocking, which ours are, do not wait for it.
template <class T>
void upload(const T* from, std::size_t count, const DeviceArena& to) {
  EXARCH_CUDA_TRY(cudaMemcpyAsync(to.as(), from, count * sizeof(T), cudaMemcpyHostToDevice, nullptr));
  EXARCH_CUDA_TRY(cudaStreamSynchronize(nullptr));
}

}  // namespace exarch
