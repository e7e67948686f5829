// What the host asks of a device's runtime: memory, streams, copies. Without a CUDA type, in every build.
//
// cuda_runtime() is the CUDA runtime. Tests play a device on the CPU by a class of their own (tests/support/host_device.hpp).
//
// Nothing here waits unless its name says so, and nothing throws: a function returns a code, kDeviceGood or what the runtime
// returned. host/execute/devices.hpp owns what is made here and turns codes into errors. Example:
//
//   void* stream = nullptr;
//   if (const int code = runtime.create_stream(stream); code != kDeviceGood) report(runtime.error_name(code));
#pragma once

#include <cstddef>

namespace exarch {

inline constexpr int kDeviceGood = 0;
inline constexpr int kDeviceOutOfMemory = 2;  // cudaErrorMemoryAllocation

enum class MemoryKind { device, pinned };  // pinned: page-locked memory of the host
enum class Copy { to_device, from_device };

struct DeviceProperties {
  char name[256];
  int major, minor;  // compute capability
  int multiprocessors;
  std::size_t bytes;  // of memory
};

class DeviceRuntime {
 public:
  virtual ~DeviceRuntime() = default;

  // What the build was compiled for: "80, 90".
  [[nodiscard]] virtual const char* architectures() const noexcept = 0;

  // Devices. "The device" is the calling thread's.
  [[nodiscard]] virtual int count(int& devices) const noexcept = 0;
  [[nodiscard]] virtual bool has_driver() const noexcept = 0;
  [[nodiscard]] virtual int describe(int ordinal, DeviceProperties& properties) const noexcept = 0;
  // Makes a device the calling thread's.
  [[nodiscard]] virtual int use(int ordinal) const noexcept = 0;
  // Whether the device can run what this build was compiled for.
  [[nodiscard]] virtual int check() const noexcept = 0;
  [[nodiscard]] virtual int free_bytes(std::size_t& bytes) const noexcept = 0;

  // Memory; kDeviceOutOfMemory where there is not enough.
  [[nodiscard]] virtual int allocate(MemoryKind kind, std::size_t bytes, void*& memory) const noexcept = 0;
  [[nodiscard]] virtual int release(MemoryKind kind, void* memory) const noexcept = 0;

  // Streams, of the device: none waits for another unless told to. Events mark a point in one.
  [[nodiscard]] virtual int create_stream(void*& stream) const noexcept = 0;
  [[nodiscard]] virtual int destroy_stream(void* stream) const noexcept = 0;
  [[nodiscard]] virtual int wait_for_stream(void* stream) const noexcept = 0;
  [[nodiscard]] virtual int create_event(void*& event) const noexcept = 0;
  [[nodiscard]] virtual int destroy_event(void* event) const noexcept = 0;
  [[nodiscard]] virtual int record(void* event, void* stream) const noexcept = 0;
  // Lets what `stream` is given from now on wait for the event.
  [[nodiscard]] virtual int let_wait(void* stream, void* event) const noexcept = 0;
  // A copy in a stream; null: the stream that no other work is in.
  [[nodiscard]] virtual int copy(void* to, const void* from, std::size_t bytes, Copy direction, void* stream) const noexcept = 0;

  // A code in words: "cudaErrorInvalidValue", "invalid argument".
  [[nodiscard]] virtual const char* error_name(int code) const noexcept = 0;
  [[nodiscard]] virtual const char* error_text(int code) const noexcept = 0;
  // Takes the last error off the runtime's record, so that it is not blamed on the next call. An error that corrupted the context
  // (an illegal access, say) comes back with every later call, and only a new process is rid of it.
  virtual void forget_error() const noexcept = 0;
};

// Null in a build without CUDA.
[[nodiscard]] const DeviceRuntime* cuda_runtime() noexcept;

}  // namespace exarch
