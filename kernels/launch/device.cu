#include <cuda_runtime.h>

#include <cstring>

#include "kernels/launch/device.hpp"

namespace exarch {
namespace {

static_assert(kDeviceGood == cudaSuccess && kDeviceOutOfMemory == cudaErrorMemoryAllocation);

// Compiled for the same devices as every other kernel of the build.
__global__ void empty_kernel() {}

class CudaRuntime final : public DeviceRuntime {
 public:
  const char* architectures() const noexcept override { return EXARCH_CUDA_ARCHITECTURES; }
  int count(int& devices) const noexcept override { return cudaGetDeviceCount(&devices); }
  bool has_driver() const noexcept override {
    int driver = 0;
    return cudaDriverGetVersion(&driver) != cudaSuccess || driver != 0;
  }
  int describe(int ordinal, DeviceProperties& properties) const noexcept override {
    cudaDeviceProp found{};
    if (const cudaError_t error = cudaGetDeviceProperties(&found, ordinal); error != cudaSuccess) return error;
    properties = {{}, found.major, found.minor, found.multiProcessorCount, found.totalGlobalMem};
    std::strncpy(properties.name, found.name, sizeof properties.name - 1);
    return cudaSuccess;
  }
  int use(int ordinal) const noexcept override { return cudaSetDevice(ordinal); }
  int check() const noexcept override {
    cudaFuncAttributes attributes{};
    return cudaFuncGetAttributes(&attributes, empty_kernel);
  }
  int free_bytes(std::size_t& bytes) const noexcept override {
    std::size_t total = 0;
    return cudaMemGetInfo(&bytes, &total);
  }
  int allocate(MemoryKind kind, std::size_t bytes, void*& memory) const noexcept override {
    return kind == MemoryKind::device ? cudaMalloc(&memory, bytes) : cudaMallocHost(&memory, bytes);
  }
  int release(MemoryKind kind, void* memory) const noexcept override {
    return kind == MemoryKind::device ? cudaFree(memory) : cudaFreeHost(memory);
  }
  int create_stream(void*& stream) const noexcept override {
    cudaStream_t made = nullptr;
    const cudaError_t error = cudaStreamCreateWithFlags(&made, cudaStreamNonBlocking);
    stream = made;
    return error;
  }
  int destroy_stream(void* stream) const noexcept override { return cudaStreamDestroy(stream_of(stream)); }
  int wait_for_stream(void* stream) const noexcept override { return cudaStreamSynchronize(stream_of(stream)); }
  int create_event(void*& event) const noexcept override {
    cudaEvent_t made = nullptr;
    const cudaError_t error = cudaEventCreateWithFlags(&made, cudaEventDisableTiming);
    event = made;
    return error;
  }
  int destroy_event(void* event) const noexcept override { return cudaEventDestroy(event_of(event)); }
  int record(void* event, void* stream) const noexcept override { return cudaEventRecord(event_of(event), stream_of(stream)); }
  int let_wait(void* stream, void* event) const noexcept override {
    return cudaStreamWaitEvent(stream_of(stream), event_of(event), 0);
  }
  int copy(void* to, const void* from, std::size_t bytes, Copy direction, void* stream) const noexcept override {
    return cudaMemcpyAsync(to, from, bytes, direction == Copy::to_device ? cudaMemcpyHostToDevice : cudaMemcpyDeviceToHost,
                           stream_of(stream));
  }
  const char* error_name(int code) const noexcept override { return cudaGetErrorName(static_cast<cudaError_t>(code)); }
  const char* error_text(int code) const noexcept override { return cudaGetErrorString(static_cast<cudaError_t>(code)); }
  void forget_error() const noexcept override { (void)cudaGetLastError(); }

 private:
  static cudaStream_t stream_of(void* stream) { return static_cast<cudaStream_t>(stream); }
  static cudaEvent_t event_of(void* event) { return static_cast<cudaEvent_t>(event); }
};

}  // namespace

const DeviceRuntime* cuda_runtime() noexcept {
  static const CudaRuntime kRuntime;
  return &kRuntime;
}

}  // namespace exarch
