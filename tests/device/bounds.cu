// See kernels.hpp. Translated with a check of every access.
#include <cstdint>
#include <vector>

#include "tests/device/kernels.hpp"
#include "tests/device/launch.cuh"

namespace exarch::standin {
namespace {

// Each thread loads `ahead` elements further than its own.
__global__ void load_ahead(const std::uint32_t* in, std::uint32_t* out, int ahead) {
  out[threadIdx.x] = in[static_cast<int>(threadIdx.x) + ahead];
}
__global__ void store_ahead(const std::uint32_t* in, std::uint32_t* out, int ahead) {
  out[static_cast<int>(threadIdx.x) + ahead] = in[threadIdx.x];
}
__global__ void load_shared(const std::uint32_t* in, std::uint32_t* out, int ahead) {
  __shared__ std::uint32_t values[32];
  values[threadIdx.x] = in[threadIdx.x];
  __syncthreads();
  out[threadIdx.x] = values[static_cast<int>(threadIdx.x) + ahead];
}
__global__ void load_words(const std::uint8_t* in, std::uint32_t* out, int offset) {
  out[threadIdx.x] = reinterpret_cast<const std::uint32_t*>(in + offset)[threadIdx.x];
}
__global__ void store_at(const std::uint64_t* in, std::uint32_t*) {
  *reinterpret_cast<std::uint32_t*>(in[0]) = 7;
}

const std::vector<std::uint32_t> kNumbers(32, 1);

}  // namespace

void load_behind_an_array() {
  (void)launch(load_ahead, kNumbers, 32, 1, 32, 1);
}
void store_behind_an_array() {
  (void)launch(store_ahead, kNumbers, 32, 1, 32, 1);
}
void load_behind_shared_memory() {
  (void)launch(load_shared, kNumbers, 32, 1, 32, 1);
}
void load_misaligned() {
  (void)launch(load_words, std::vector<std::uint8_t>(256), 32, 1, 32, 2);
}
void store_to_freed_memory() {
  void* freed = nullptr;
  check(cudaMalloc(&freed, 64), "cudaMalloc");
  check(cudaFree(freed), "cudaFree");
  // Something else is at this address by now, unless the allocations of this launch are larger.
  const auto address = reinterpret_cast<std::uint64_t>(freed);
  (void)launch(store_at, std::vector<std::uint64_t>(1 << 16, address), 1 << 16, 1, 1);
}
bool runs_within_bounds() {
  return launch(load_ahead, kNumbers, 32, 1, 32, 0) == kNumbers && launch(store_ahead, kNumbers, 32, 1, 32, 0) == kNumbers &&
         launch(load_shared, kNumbers, 32, 1, 32, 0) == kNumbers &&
         launch(load_words, std::vector<std::uint8_t>(256), 32, 1, 32, 4) == std::vector<std::uint32_t>(32, 0);
}

}  // namespace exarch::standin
