// One launch of a small kernel, with its copies: for the kernels that test the stand-in.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <stdexcept>
#include <string>
#include <vector>

namespace exarch::standin {

inline void check(cudaError_t error, const char* what) {
  if (error != cudaSuccess) throw std::runtime_error(std::string(what) + ": error " + std::to_string(error));
}

// Copies `in` to the device, launches, copies what was written back. The output begins as zeros. Throws std::runtime_error where
// a call of the runtime fails.
template <class Out, class In, class... More>
std::vector<Out> launch(void (*kernel)(const In*, Out*, More...), const std::vector<In>& in, std::size_t outputs, int blocks,
                        int threads, More... more) {
  struct Memory {
    void* bytes = nullptr;
    explicit Memory(std::size_t n) { check(cudaMalloc(&bytes, n), "cudaMalloc"); }
    ~Memory() { (void)cudaFree(bytes); }
  };
  const Memory from(in.size() * sizeof(In)), to(outputs * sizeof(Out));
  check(cudaMemcpy(from.bytes, in.data(), in.size() * sizeof(In), cudaMemcpyHostToDevice), "cudaMemcpy");
  check(cudaMemset(to.bytes, 0, outputs * sizeof(Out)), "cudaMemset");
  kernel<<<blocks, threads>>>(static_cast<const In*>(from.bytes), static_cast<Out*>(to.bytes), more...);
  check(cudaGetLastError(), "the launch");
  check(cudaDeviceSynchronize(), "cudaDeviceSynchronize");
  std::vector<Out> out(outputs);
  check(cudaMemcpy(out.data(), to.bytes, outputs * sizeof(Out), cudaMemcpyDeviceToHost), "cudaMemcpy");
  return out;
}

}  // namespace exarch::standin
