// Memory of a device, and page-locked memory of the host, that is allocated once, grown on demand and reused.
//
//   DeviceBuffer results(runtime, MemoryKind::device);
//   if (!results.reserve(1000 * sizeof(Result))) return false;  // too little memory is left
//   launch(results.as<Result>());
#pragma once

#include <cstddef>
#include <string>
#include <utility>

#include "host/error.hpp"
#include "kernels/launch/device.hpp"

namespace exarch {

// Throws what a failed call says: "CUDA: allocate failed: cudaErrorInvalidValue: ...".
inline void device_check(const DeviceRuntime& runtime, int code, const char* call) {
  if (code == kDeviceGood) return;
  runtime.forget_error();
  throw Error("CUDA: " + std::string(call) + " failed: " + runtime.error_name(code) + ": " + runtime.error_text(code) +
              "; --backend cpu gives the same results");
}

// The twin for destructors, which cannot report anything.
inline void device_ignore(const DeviceRuntime& runtime, int code) noexcept {
  if (code != kDeviceGood) runtime.forget_error();
}

// `runtime` outlives the buffer. Growing loses the contents; no work that uses the memory may be in flight.
class DeviceBuffer {
 public:
  DeviceBuffer(const DeviceRuntime& runtime, MemoryKind kind) : runtime_(runtime), kind_(kind) {}
  DeviceBuffer(DeviceBuffer&& other) noexcept
      : runtime_(other.runtime_),
        kind_(other.kind_),
        memory_(std::exchange(other.memory_, nullptr)),
        bytes_(std::exchange(other.bytes_, 0)) {}
  DeviceBuffer(const DeviceBuffer&) = delete;
  DeviceBuffer& operator=(const DeviceBuffer&) = delete;
  DeviceBuffer& operator=(DeviceBuffer&&) = delete;
  ~DeviceBuffer() { release(); }

  // False if there is not enough memory.
  [[nodiscard]] bool reserve(std::size_t bytes) {
    if (bytes <= bytes_) return true;
    release();
    const int code = runtime_.allocate(kind_, bytes, memory_);
    if (code == kDeviceOutOfMemory) {
      runtime_.forget_error();
      memory_ = nullptr;
      return false;
    }
    device_check(runtime_, code, kind_ == MemoryKind::device ? "allocating device memory" : "allocating page-locked memory");
    bytes_ = bytes;
    return true;
  }

  void release() noexcept {
    if (memory_ == nullptr) return;
    device_ignore(runtime_, runtime_.release(kind_, memory_));
    memory_ = nullptr;
    bytes_ = 0;
  }

  template <class T = std::byte>
  [[nodiscard]] T* as() const {
    return static_cast<T*>(memory_);
  }

  // Copies `count` objects here and waits until they are there, so that every stream may use them. For what is kept between
  // batches; what belongs to one batch is copied in its own stream. Of a buffer of the device, with reserve()d bytes.
  //
  // The wait is not for show: from memory that is not page-locked a copy may return before the last bytes have arrived, and the
  // streams of a DeviceRuntime do not wait for it.
  template <class T>
  void upload(const T* from, std::size_t count) const {
    device_check(runtime_, runtime_.copy(memory_, from, count * sizeof(T), Copy::to_device, nullptr), "copying to the device");
    device_check(runtime_, runtime_.wait_for_stream(nullptr), "waiting for a copy to the device");
  }

 private:
  const DeviceRuntime& runtime_;
  MemoryKind kind_;
  void* memory_ = nullptr;
  std::size_t bytes_ = 0;
};

}  // namespace exarch
